#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace moldau {
namespace {

TEST(Bytes, IntegersAreBigEndian) {
  std::array<uint8_t, 9> memory{};
  store_be<int32_t>(memory.data() + 1, 0x01020304);  // unaligned
  EXPECT_EQ(memory, (std::array<uint8_t, 9>{0, 1, 2, 3, 4, 0, 0, 0, 0}));
  EXPECT_EQ(load_be<int32_t>(memory.data() + 1), 0x01020304);
  store_be<int64_t>(memory.data() + 1, -2);
  EXPECT_EQ(memory, (std::array<uint8_t, 9>{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}));
  EXPECT_EQ(load_be<int64_t>(memory.data() + 1), -2);
  EXPECT_EQ(load_be<uint16_t>(memory.data() + 7), 0xfffe);
  store_be<int16_t>(memory.data(), 0x1234);
  EXPECT_EQ(load_be<int8_t>(memory.data()), 0x12);
  store_be<uint8_t>(memory.data(), 0x80);
  EXPECT_EQ(load_be<int8_t>(memory.data()), -128);
}

TEST(Bytes, ViewTextAndBack) {
  std::string_view text("a\0b", 3);
  EXPECT_EQ(as_bytes(text).size(), 3u);
  EXPECT_EQ(as_bytes(text)[1], 0);
  EXPECT_EQ(as_text(as_bytes(text)), text);
}

TEST(Bytes, CompareByContent) {
  EXPECT_TRUE(equal({}, {}));
  EXPECT_TRUE(equal(as_bytes(""), {}));
  EXPECT_TRUE(equal(as_bytes("abc"), as_bytes("abcd").first(3)));
  EXPECT_FALSE(equal(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
}  // namespace moldau
