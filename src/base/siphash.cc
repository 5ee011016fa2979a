#include "base/siphash.h"

#include <bit>
#include <cstring>

namespace moldau {
namespace {

struct State {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  uint64_t give() {
    for (int i = 0; i < 4; i++) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

uint64_t load_le(const uint8_t* p, size_t n) {
  uint64_t word = 0;
  for (size_t i = 0; i < n; i++) word |= uint64_t{p[i]} << (8 * i);
  return word;
}

uint64_t load_word(const uint8_t* p) {
  if constexpr (std::endian::native != std::endian::little) return load_le(p, 8);
  uint64_t word;
  std::memcpy(&word, p, 8);
  return word;
}

}  // namespace

Hash128 siphash128(const SipKey& key, Bytes data) {
  State state{key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du ^ 0xee,
              key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
  size_t whole = data.size() / 8 * 8;
  for (size_t at = 0; at < whole; at += 8) state.take(load_word(data.data() + at));
  uint64_t rest = load_le(data.data() + whole, data.size() - whole);
  state.take(rest | uint64_t{data.size()} << 56);
  Hash128 hash;
  state.v2 ^= 0xee;
  hash.low = state.give();
  state.v1 ^= 0xdd;
  hash.high = state.give();
  return hash;
}

}  // namespace moldau
