#include "base/crc32c.h"

#include <array>

namespace moldau {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // Castagnoli, reflected

constexpr std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ kPolynomial : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr auto kTable = make_table();

}  // namespace

uint32_t crc32c_portable(Bytes bytes, uint32_t before) {
  uint32_t c = ~before;
  for (uint8_t b : bytes) c = kTable[(c ^ b) & 0xff] ^ c >> 8;
  return ~c;
}

uint32_t crc32c(Bytes bytes, uint32_t before) { return crc32c_portable(bytes, before); }

}  // namespace moldau
