#include "base/varint.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/random.h"

namespace moldau {
namespace {

std::vector<uint8_t> written(uint64_t v) {
  std::vector<uint8_t> out(kMaxVarint64);
  out.resize(write_varint(out.data(), v));
  return out;
}

TEST(Varint, WritesSevenBitsAByte) {
  using V = std::vector<uint8_t>;
  EXPECT_EQ(written(0), V({0x00}));
  EXPECT_EQ(written(127), V({0x7f}));
  EXPECT_EQ(written(128), V({0x80, 0x01}));
  EXPECT_EQ(written(300), V({0xac, 0x02}));
  EXPECT_EQ(written(0xffffffff), V({0xff, 0xff, 0xff, 0xff, 0x0f}));
  EXPECT_EQ(written(~uint64_t{0}), V({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
}

TEST(Varint, ReadsWhatItWrote) {
  Random random(6);
  for (int i = 0; i < 5000; i++) {
    uint64_t v = random.next() >> (i % 64);
    std::vector<uint8_t> bytes = written(v);
    ASSERT_EQ(bytes.size(), varint_size(v)) << v;
    bytes.push_back(0xff);  // what follows is not looked at
    uint64_t long_value = 0;
    ASSERT_EQ(read_varint(bytes, &long_value), bytes.size() - 1) << v;
    ASSERT_EQ(long_value, v);
    uint32_t value = 0;
    bool fits = v <= std::numeric_limits<uint32_t>::max();
    ASSERT_EQ(read_varint(bytes, &value), fits ? bytes.size() - 1 : 0) << v;
    if (fits) ASSERT_EQ(value, v);
  }
}

TEST(Varint, SizeChangesEverySevenBits) {
  for (unsigned bits = 1; bits <= 64; bits++) {
    uint64_t largest = ~uint64_t{0} >> (64 - bits);
    EXPECT_EQ(varint_size(largest), (bits + 6) / 7) << bits;
    EXPECT_EQ(written(largest).size(), varint_size(largest));
  }
  EXPECT_EQ(varint_size(0), 1u);
}

TEST(Varint, RefusesWhatEndsTooEarly) {
  for (uint64_t v : {uint64_t{128}, uint64_t{1} << 20, ~uint64_t{0}}) {
    std::vector<uint8_t> bytes = written(v);
    for (size_t n = 0; n < bytes.size(); n++) {
      uint64_t value = 7;
      EXPECT_EQ(read_varint(Bytes(bytes).first(n), &value), 0u);
      EXPECT_EQ(value, 7u);  // untouched
    }
  }
}

TEST(Varint, RefusesWhatDoesNotFit) {
  uint32_t narrow = 0;
  uint64_t wide = 0;
  std::vector<uint8_t> too_big_32 = {0xff, 0xff, 0xff, 0xff, 0x1f};  // 33 bits
  EXPECT_EQ(read_varint(too_big_32, &narrow), 0u);
  EXPECT_EQ(read_varint(too_big_32, &wide), 5u);
  std::vector<uint8_t> too_big_64 = {0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0x02};  // 65 bits
  EXPECT_EQ(read_varint(too_big_64, &wide), 0u);
}

TEST(Varint, RefusesEncodingsThatAreTooLong) {
  uint32_t narrow = 0;
  uint64_t wide = 0;
  std::vector<uint8_t> six(5, 0x80), eleven(10, 0x80);
  six.push_back(0);
  eleven.push_back(0);
  EXPECT_EQ(read_varint(six, &narrow), 0u);
  EXPECT_EQ(read_varint(six, &wide), 6u);
  EXPECT_EQ(read_varint(eleven, &wide), 0u);
  // A zero in more bytes than it needs is allowed up to the limit, as Kafka allows it.
  EXPECT_EQ(read_varint(std::vector<uint8_t>{0x80, 0x80, 0x80, 0x80, 0x00}, &narrow), 5u);
  EXPECT_EQ(narrow, 0u);
}

TEST(Zigzag, PutsSmallNumbersOfEitherSignFirst) {
  EXPECT_EQ(zigzag(int32_t{0}), 0u);
  EXPECT_EQ(zigzag(int32_t{-1}), 1u);
  EXPECT_EQ(zigzag(int32_t{1}), 2u);
  EXPECT_EQ(zigzag(int32_t{-2}), 3u);
  EXPECT_EQ(zigzag(std::numeric_limits<int32_t>::max()), 0xfffffffeu);
  EXPECT_EQ(zigzag(std::numeric_limits<int32_t>::min()), 0xffffffffu);
  EXPECT_EQ(zigzag(std::numeric_limits<int64_t>::min()), ~uint64_t{0});
  Random random(7);
  for (int i = 0; i < 1000; i++) {
    int64_t v = static_cast<int64_t>(random.next()) >> (i % 64);
    ASSERT_EQ(unzigzag(zigzag(v)), v);
    ASSERT_EQ(unzigzag(zigzag(static_cast<int32_t>(v))), static_cast<int32_t>(v));
  }
}

}  // namespace
}  // namespace moldau
