// SipHash-2-4 with 128 bits of output: a keyed hash that nobody without the key can make collide.
// For tables that must not be fooled by what clients send, such as the cleaner's offset map.
#pragma once
#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace moldau {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

using SipKey = std::array<uint64_t, 2>;

Hash128 siphash128(const SipKey& key, Bytes data);

}  // namespace moldau
