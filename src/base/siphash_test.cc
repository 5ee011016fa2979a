#include "base/siphash.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <vector>

namespace moldau {
namespace {

constexpr SipKey kKey{0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

std::string hex(const Hash128& hash) {
  std::string out;
  for (uint64_t word : {hash.low, hash.high})
    for (int i = 0; i < 8; i++) out += fmt::format("{:02x}", (word >> (8 * i)) & 0xff);
  return out;
}

// The first lines of the table that its authors publish: key 00..0f, input 00, 01, 02 ...
TEST(SipHash, AgreesWithThePublishedVectors) {
  std::vector<uint8_t> input;
  EXPECT_EQ(hex(siphash128(kKey, input)), "a3817f04ba25a8e66df67214c7550293");
  input.push_back(0);
  EXPECT_EQ(hex(siphash128(kKey, input)), "da87c1d86b99af44347659119b22fc45");
}

TEST(SipHash, EveryByteAndTheLengthCount) {
  for (size_t size : {1u, 7u, 8u, 9u, 16u, 31u}) {
    std::vector<uint8_t> input(size, 7);
    Hash128 hash = siphash128(kKey, input);
    for (uint8_t& byte : input) {
      byte ^= 1;
      EXPECT_NE(siphash128(kKey, input), hash);
      byte ^= 1;
    }
    EXPECT_EQ(siphash128(kKey, input), hash);
    EXPECT_NE(siphash128({1, 2}, input), hash);
    input.push_back(0);
    EXPECT_NE(siphash128(kKey, input), hash);
  }
}

}  // namespace
}  // namespace moldau
