// Views of bytes, and reading and writing of big-endian integers in them (Kafka's byte order
// everywhere).
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace moldau {

using Bytes = std::span<const uint8_t>;   // borrowed, read only
using MutableBytes = std::span<uint8_t>;  // borrowed, writable

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// The caller guarantees sizeof(T) readable (writable) bytes at p.
template <std::integral T>
T load_be(const uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little)
    value = std::byteswap(value);
  return value;
}
template <std::integral T>
void store_be(uint8_t* p, T value) {
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little)
    value = std::byteswap(value);
  std::memcpy(p, &value, sizeof value);
}

}  // namespace moldau
