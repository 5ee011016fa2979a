// CRC-32C on x86-64: the crc32 instruction, three streams of it, and folding by carry-less
// multiplication.
#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "base/crc32c_kernels.h"

#define MOLDAU_SSE42 __attribute__((target("sse4.2,pclmul")))
#define MOLDAU_VPCLMUL __attribute__((target("sse4.2,pclmul,vpclmulqdq,avx512f,avx512vl,avx512dq")))

namespace moldau::crc32c_detail {
namespace {

// A carry-less product of two 32-bit registers a and b, taken as 8 bytes of message, leaves a * b *
// x^33 in an empty register: x from the reflection of the product, x^32 from the step. Constants
// are made smaller by that.
constexpr int64_t kProductBias = -33;
constexpr ZeroBytes kZeroBytes = make_zero_bytes(kProductBias);

uint64_t load(const uint8_t* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

MOLDAU_SSE42 inline uint32_t step(uint32_t c, uint64_t word) {
  return static_cast<uint32_t>(_mm_crc32_u64(c, word));
}

// As 8 bytes of message, see kProductBias.
MOLDAU_SSE42 inline uint64_t product(uint32_t a, uint32_t b) {
  __m128i wide = _mm_clmulepi64_si128(_mm_cvtsi32_si128(static_cast<int>(a)),
                                      _mm_cvtsi32_si128(static_cast<int>(b)), 0);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(wide));
}

MOLDAU_SSE42 inline uint32_t update_serial(uint32_t c, const uint8_t* p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) c = step(c, load(p));
  if (n & 4) {
    uint32_t half;
    std::memcpy(&half, p, sizeof half);
    c = _mm_crc32_u32(c, half);
    p += 4;
  }
  if (n & 2) {
    uint16_t quarter;
    std::memcpy(&quarter, p, sizeof quarter);
    c = _mm_crc32_u16(c, quarter);
    p += 2;
  }
  if (n & 1) c = _mm_crc32_u8(c, *p);
  return c;
}

// A crc32 takes three cycles and one can start in each: three streams of `words` words keep it
// busy. The first two are carried over what follows them by a multiplication that rides on the last
// word of the third.
constexpr size_t kMaxWords = 170;  // 3 * 170 * 8 = 4080
constexpr std::array<uint32_t, 2 * kMaxWords + 1> make_carry() {
  std::array<uint32_t, 2 * kMaxWords + 1> table{};
  table[0] = power_of_x(kProductBias);
  for (size_t i = 1; i < table.size(); i++) table[i] = multiply(table[i - 1], power_of_x(64));
  return table;
}
constexpr auto kCarry = make_carry();  // [i]: over i words

MOLDAU_SSE42 inline uint32_t update_three(uint32_t c, const uint8_t* p, size_t words) {
  const uint8_t* a = p;
  const uint8_t* b = a + words * 8;
  const uint8_t* d = b + words * 8;
  uint32_t ca = c, cb = 0, cd = 0;
  for (size_t i = 1; i < words; i++, a += 8, b += 8, d += 8) {
    ca = step(ca, load(a));
    cb = step(cb, load(b));
    cd = step(cd, load(d));
  }
  ca = step(ca, load(a));
  cb = step(cb, load(b));
  return step(cd, load(d) ^ product(ca, kCarry[2 * words]) ^ product(cb, kCarry[words]));
}

// Below this the multiplications cost more than the waiting (tests/bench/crc32c_bench.cc).
constexpr size_t kThreeStreams = 192;

MOLDAU_SSE42 uint32_t update_sse42(uint32_t c, const uint8_t* p, size_t n) {
  while (n >= kThreeStreams) {
    size_t words = n / 24 < kMaxWords ? n / 24 : kMaxWords;
    c = update_three(c, p, words);
    p += words * 24;
    n -= words * 24;
  }
  return update_serial(c, p, n);
}

MOLDAU_SSE42 uint32_t skip_zeros_sse42(uint32_t c, uint64_t n) {
  for (size_t i = 0; n != 0; n >>= 4, i++)
    if ((n & 15) != 0) c = step(0, product(c, kZeroBytes[i][n & 15]));
  return c;
}

// Folding: 16 bytes of message A, read as H * x^64 + L, may be replaced by H * (x^(d + 64) mod P) +
// L * (x^d mod P) added to the 16 bytes that stand d bits later. The constants are 32-bit registers
// in the low half of 64 bits, that is, times x^32, and the reflection of the product gives one x
// more.
struct Fold {
  int64_t high, low;
};
constexpr Fold fold_by(int64_t bytes) {
  return {power_of_x(bytes * 8 + 64 - 33), power_of_x(bytes * 8 - 33)};
}
constexpr Fold kBy16 = fold_by(16), kBy64 = fold_by(64), kBy256 = fold_by(256);

MOLDAU_VPCLMUL inline __m512i constant(Fold fold) {
  return _mm512_broadcast_i32x4(_mm_set_epi64x(fold.low, fold.high));
}
// message + what `before` leaves when it is carried over the distance of `by`.
MOLDAU_VPCLMUL inline __m512i fold(__m512i before, __m512i by, __m512i message) {
  constexpr int kXor3 = 0x96;
  __m512i high = _mm512_clmulepi64_epi128(before, by, 0x00);
  __m512i low = _mm512_clmulepi64_epi128(before, by, 0x11);
  return _mm512_ternarylogic_epi64(high, low, message, kXor3);
}
MOLDAU_VPCLMUL inline __m128i fold(__m128i before, __m128i by, __m128i message) {
  return _mm_xor_si128(
      _mm_xor_si128(_mm_clmulepi64_si128(before, by, 0x00), _mm_clmulepi64_si128(before, by, 0x11)),
      message);
}

// n >= 256. Takes all whole 64 bytes and leaves p, n at the rest; the register is that after them.
MOLDAU_VPCLMUL uint32_t fold_all(uint32_t c, const uint8_t*& p, size_t& n) {
  auto at = [&p](size_t i) MOLDAU_VPCLMUL { return _mm512_loadu_si512(p + i * 64); };
  __m512i begin = _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(c)));
  __m512i a0 = _mm512_xor_si512(at(0), begin), a1 = at(1), a2 = at(2), a3 = at(3);
  const __m512i by256 = constant(kBy256);
  for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
    a0 = fold(a0, by256, at(0));
    a1 = fold(a1, by256, at(1));
    a2 = fold(a2, by256, at(2));
    a3 = fold(a3, by256, at(3));
  }
  const __m512i by64 = constant(kBy64);
  a3 = fold(fold(fold(a0, by64, a1), by64, a2), by64, a3);
  for (; n >= 64; p += 64, n -= 64) a3 = fold(a3, by64, at(0));
  const __m128i by16 = _mm512_castsi512_si128(constant(kBy16));
  __m128i last = _mm512_castsi512_si128(a3);
  last = fold(last, by16, _mm512_extracti32x4_epi32(a3, 1));
  last = fold(last, by16, _mm512_extracti32x4_epi32(a3, 2));
  last = fold(last, by16, _mm512_extracti32x4_epi32(a3, 3));
  c = step(0, static_cast<uint64_t>(_mm_cvtsi128_si64(last)));
  return step(c, static_cast<uint64_t>(_mm_extract_epi64(last, 1)));
}

constexpr size_t kFolding = 768;

MOLDAU_VPCLMUL uint32_t update_vpclmul(uint32_t c, const uint8_t* p, size_t n) {
  if (n >= kFolding) c = fold_all(c, p, n);
  return update_sse42(c, p, n);
}

}  // namespace

bool has_sse42() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

bool has_vpclmul() {
  return has_sse42() && __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

constexpr Kernel kSse42 = {"sse4.2", update_sse42, skip_zeros_sse42};
constexpr Kernel kVpclmul = {"vpclmulqdq", update_vpclmul, skip_zeros_sse42};

}  // namespace moldau::crc32c_detail
#endif
