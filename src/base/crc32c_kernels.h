// The ways to compute CRC-32C that crc32c.cc chooses from, and the arithmetic they share. Private
// to base.
//
// Everything is "reflected": bit 31 of a 32-bit value is the coefficient of x^0, bit 0 that of
// x^31; the first byte of a message holds its highest powers. A register here is the bare
// remainder, without the inversions before and after.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace moldau::crc32c_detail {

constexpr uint32_t kPolynomial = 0x82f63b78;  // P: Castagnoli's
constexpr uint32_t kOne = 0x80000000;         // x^0
// x^kOrder mod P = 1: P is x + 1 times a primitive polynomial of degree 31.
constexpr uint64_t kOrder = (uint64_t{1} << 31) - 1;

// a * b mod P.
constexpr uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if (a & kOne) product ^= b;
    b = b & 1 ? b >> 1 ^ kPolynomial : b >> 1;
  }
  return product;
}

// x^n mod P; n may be negative.
constexpr uint32_t power_of_x(int64_t n) {
  uint64_t exponent =
      n < 0 ? kOrder - static_cast<uint64_t>(-n) % kOrder : static_cast<uint64_t>(n);
  uint32_t result = kOne;
  for (uint32_t square = kOne >> 1; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

// x^(8n) is a product of one entry for each hexadecimal digit d of n: entry [i][d] is x^(8 * d *
// 16^i + bias) mod P.
using ZeroBytes = std::array<std::array<uint32_t, 16>, 16>;
constexpr ZeroBytes make_zero_bytes(int64_t bias) {
  ZeroBytes table{};
  uint32_t step = power_of_x(8);
  for (auto& row : table) {
    row[0] = power_of_x(bias);
    for (size_t d = 1; d < 16; d++) row[d] = multiply(row[d - 1], step);
    for (int i = 0; i < 4; i++) step = multiply(step, step);
  }
  return table;
}

// One way to do it: what a processor offers.
struct Kernel {
  const char* name;
  // The register after n bytes at p.
  uint32_t (*update)(uint32_t before, const uint8_t* p, size_t n);
  // The register after n zero bytes: times x^(8n) mod P.
  uint32_t (*skip_zeros)(uint32_t before, uint64_t n);
};

extern const Kernel kPortable;
#if defined(__x86_64__)
extern const Kernel kSse42;    // crc32 and PCLMULQDQ
extern const Kernel kVpclmul;  // the same, and folding of 256 bytes a step with AVX-512
bool has_sse42();
bool has_vpclmul();
#elif defined(__aarch64__)
extern const Kernel kArm;  // crc32c* instructions
bool has_arm_crc();
#endif

}  // namespace moldau::crc32c_detail
