#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/crc32c_kernels.h"
#include "base/random.h"

namespace moldau {
namespace {

using crc32c_detail::Kernel;

std::vector<uint8_t> random_bytes(Random& random, size_t n) {
  std::vector<uint8_t> out(n);
  for (uint8_t& b : out) b = static_cast<uint8_t>(random.next());
  return out;
}

// All that this processor can run.
std::vector<const Kernel*> kernels() {
  std::vector<const Kernel*> out{&crc32c_detail::kPortable};
#if defined(__x86_64__)
  if (crc32c_detail::has_sse42()) out.push_back(&crc32c_detail::kSse42);
  if (crc32c_detail::has_vpclmul()) out.push_back(&crc32c_detail::kVpclmul);
#elif defined(__aarch64__)
  if (crc32c_detail::has_arm_crc()) out.push_back(&crc32c_detail::kArm);
#endif
  return out;
}

uint32_t run(const Kernel& kernel, Bytes bytes) {
  return ~kernel.update(~0u, bytes.data(), bytes.size());
}

// Straight from the definition: one bit at a time.
uint32_t by_definition(Bytes bytes) {
  uint32_t c = ~0u;
  for (uint8_t b : bytes) {
    c ^= b;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
  }
  return ~c;
}

TEST(Crc32c, GivesThePublishedValues) {
  std::vector<uint8_t> zeros(32, 0), ones(32, 0xff), up(32), down(32);
  for (size_t i = 0; i < 32; i++) {
    up[i] = static_cast<uint8_t>(i);
    down[i] = static_cast<uint8_t>(31 - i);
  }
  // RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRCs.
  for (const Kernel* kernel : kernels()) {
    EXPECT_EQ(run(*kernel, {}), 0u) << kernel->name;
    EXPECT_EQ(run(*kernel, zeros), 0x8a9136aau) << kernel->name;
    EXPECT_EQ(run(*kernel, ones), 0x62a8ab43u) << kernel->name;
    EXPECT_EQ(run(*kernel, up), 0x46dd794eu) << kernel->name;
    EXPECT_EQ(run(*kernel, down), 0x113fdb5cu) << kernel->name;
    EXPECT_EQ(run(*kernel, as_bytes("123456789")), 0xe3069283u) << kernel->name;
  }
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
}

TEST(Crc32c, PortableFollowsTheDefinition) {
  Random random(11);
  std::vector<uint8_t> data = random_bytes(random, 300);
  for (size_t n = 0; n <= data.size(); n++)
    ASSERT_EQ(crc32c_portable(Bytes(data).first(n)), by_definition(Bytes(data).first(n))) << n;
}

TEST(Crc32c, EveryKernelAgreesForAllLengthsAndAlignments) {
  constexpr size_t kLongest = 3000;
  Random random(1);
  std::vector<uint8_t> data = random_bytes(random, kLongest + 16);
  for (size_t shift = 0; shift < 16; shift++) {
    Bytes from = Bytes(data).subspan(shift, kLongest);
    std::vector<uint32_t> expected{0};  // [n]: of the first n bytes, one byte at a time
    for (uint8_t b : from) expected.push_back(crc32c_portable({&b, 1}, expected.back()));
    for (const Kernel* kernel : kernels())
      for (size_t n = 0; n <= kLongest; n++)
        ASSERT_EQ(run(*kernel, from.first(n)), expected[n])
            << kernel->name << " " << n << " at " << shift;
  }
}

TEST(Crc32c, EveryKernelAgreesForLongTexts) {
  Random random(2);
  std::vector<uint8_t> data = random_bytes(random, 300'000);
  uint32_t expected = crc32c_portable(data);
  for (const Kernel* kernel : kernels()) EXPECT_EQ(run(*kernel, data), expected) << kernel->name;
  EXPECT_EQ(crc32c(data), expected);
}

TEST(Crc32c, ContinuesWhereItStopped) {
  Random random(3);
  for (int round = 0; round < 100; round++) {
    size_t size = random.below(9000);
    std::vector<uint8_t> data = random_bytes(random, size);
    uint32_t crc = 0;
    for (size_t at = 0; at < data.size();) {
      size_t n = std::min(data.size() - at, static_cast<size_t>(random.below(3000)));
      crc = crc32c(Bytes(data).subspan(at, n), crc);
      at += n;
    }
    ASSERT_EQ(crc, crc32c_portable(data)) << data.size();
  }
}

TEST(Crc32c, PatchEqualsAFreshChecksum) {
  Random random(4);
  for (int round = 0; round < 300; round++) {
    size_t prefix = random.below(40);
    size_t rest = random.below(round % 10 == 0 ? 70'000 : 600);
    std::vector<uint8_t> before = random_bytes(random, prefix + rest);
    std::vector<uint8_t> after = before;
    for (size_t i = 0; i < prefix; i++) after[i] = static_cast<uint8_t>(random.next());
    uint32_t patched =
        crc32c_patch(crc32c(before), Bytes(before).first(prefix), Bytes(after).first(prefix), rest);
    ASSERT_EQ(patched, crc32c_portable(after)) << prefix << " + " << rest;
  }
}

TEST(Crc32c, SkippingZerosIsTheSameAsReadingThem) {
  std::vector<uint8_t> zeros(5000);
  for (const Kernel* kernel : kernels()) {
    for (size_t n : std::initializer_list<size_t>{0, 1, 2, 15, 16, 17, 255, 256, 4095, 5000})
      EXPECT_EQ(kernel->skip_zeros(0x12345678, n), kernel->update(0x12345678, zeros.data(), n))
          << kernel->name << n;
    // Beyond what can be read: in two steps and in one; the order of x brings back the beginning.
    uint64_t far = 0xfedc'ba98'7654'3210;
    EXPECT_EQ(kernel->skip_zeros(kernel->skip_zeros(1, far), 12345),
              kernel->skip_zeros(1, far + 12345));
    EXPECT_EQ(kernel->skip_zeros(0xabcdef01, crc32c_detail::kOrder), 0xabcdef01u) << kernel->name;
  }
}

TEST(Crc32c, NamesWhatItUses) { EXPECT_EQ(crc32c_implementation(), kernels().back()->name); }

}  // namespace
}  // namespace moldau
