// Kafka's variable-length integers: 7 bits a byte, least significant first; the signed ones are
// zig-zag.
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace moldau {

constexpr size_t kMaxVarint32 = 5, kMaxVarint64 = 10;

constexpr uint32_t zigzag(int32_t v) {
  return static_cast<uint32_t>(v) << 1 ^ static_cast<uint32_t>(v >> 31);
}
constexpr uint64_t zigzag(int64_t v) {
  return static_cast<uint64_t>(v) << 1 ^ static_cast<uint64_t>(v >> 63);
}
constexpr int32_t unzigzag(uint32_t v) { return static_cast<int32_t>(v >> 1 ^ (0 - (v & 1))); }
constexpr int64_t unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1 ^ (0 - (v & 1))); }

// Bytes that write_varint needs for v: 1 to 10.
size_t varint_size(uint64_t v);
// Writes v at p, returns the byte count. The caller guarantees varint_size(v) bytes.
size_t write_varint(uint8_t* p, uint64_t v);

// Reads from the front of in. Returns the bytes consumed, 0 if in ends too early, the value does
// not fit, or the encoding is longer than 5 (10) bytes.
size_t read_varint(Bytes in, uint32_t* value);
size_t read_varint(Bytes in, uint64_t* value);

}  // namespace moldau
