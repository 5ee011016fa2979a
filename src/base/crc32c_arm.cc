// CRC-32C on 64-bit ARM: its crc32c instructions, one word a step.
#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>

#include <cstring>

#include "base/crc32c_kernels.h"

#define MOLDAU_ARM_CRC __attribute__((target("crc")))

namespace moldau::crc32c_detail {
namespace {

constexpr unsigned long kHwcapCrc32 = 1u << 7;  // of the Linux ABI

MOLDAU_ARM_CRC uint32_t update_arm(uint32_t c, const uint8_t* p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    c = __crc32cd(c, word);
  }
  for (; n != 0; n--) c = __crc32cb(c, *p++);
  return c;
}

uint32_t skip_zeros_arm(uint32_t c, uint64_t n) { return kPortable.skip_zeros(c, n); }

}  // namespace

bool has_arm_crc() { return (getauxval(AT_HWCAP) & kHwcapCrc32) != 0; }

constexpr Kernel kArm = {"arm", update_arm, skip_zeros_arm};

}  // namespace moldau::crc32c_detail
#endif
