#include "base/crc32c.h"

#include <bit>

#include "base/crc32c_kernels.h"

namespace moldau {
namespace crc32c_detail {
namespace {

// kTable[k][b]: the register after byte b and k zero bytes, from an empty one.
constexpr std::array<std::array<uint32_t, 256>, 8> make_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ kPolynomial : c >> 1;
    tables[0][i] = c;
  }
  for (size_t k = 1; k < 8; k++)
    for (size_t i = 0; i < 256; i++)
      tables[k][i] = tables[0][tables[k - 1][i] & 0xff] ^ tables[k - 1][i] >> 8;
  return tables;
}
constexpr auto kTables = make_tables();
constexpr ZeroBytes kZeroBytes = make_zero_bytes(0);

uint64_t load_le(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

uint32_t update_portable(uint32_t c, const uint8_t* p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t word = load_le(p) ^ c;
    c = 0;
    for (size_t k = 0; k < 8; k++) c ^= kTables[7 - k][word >> (8 * k) & 0xff];
  }
  for (; n != 0; n--) c = kTables[0][(c ^ *p++) & 0xff] ^ c >> 8;
  return c;
}

uint32_t skip_zeros_portable(uint32_t c, uint64_t n) {
  for (size_t i = 0; n != 0; n >>= 4, i++)
    if ((n & 15) != 0) c = multiply(c, kZeroBytes[i][n & 15]);
  return c;
}

const Kernel& choose() {
#if defined(__x86_64__)
  if (has_vpclmul()) return kVpclmul;
  if (has_sse42()) return kSse42;
#elif defined(__aarch64__)
  if (has_arm_crc()) return kArm;
#endif
  return kPortable;
}

const Kernel& best() {
  static const Kernel& kernel = choose();  // once; afterwards one load and one predicted branch
  return kernel;
}

}  // namespace

constexpr Kernel kPortable = {"portable", update_portable, skip_zeros_portable};

}  // namespace crc32c_detail

uint32_t crc32c_portable(Bytes bytes, uint32_t before) {
  return ~crc32c_detail::update_portable(~before, bytes.data(), bytes.size());
}

uint32_t crc32c(Bytes bytes, uint32_t before) {
  return ~crc32c_detail::best().update(~before, bytes.data(), bytes.size());
}

uint32_t crc32c_patch(uint32_t crc, Bytes old_prefix, Bytes new_prefix, uint64_t rest_size) {
  // The checksum is linear: what the prefixes differ by, carried over the rest, is what the
  // checksums differ by. The inversions cancel out because both prefixes have the same length.
  const crc32c_detail::Kernel& kernel = crc32c_detail::best();
  uint32_t old_end = kernel.update(0, old_prefix.data(), old_prefix.size());
  uint32_t new_end = kernel.update(0, new_prefix.data(), new_prefix.size());
  return crc ^ kernel.skip_zeros(old_end ^ new_end, rest_size);
}

std::string_view crc32c_implementation() { return crc32c_detail::best().name; }

}  // namespace moldau
