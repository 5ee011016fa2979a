#include "log/offset_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"

namespace moldau::log {
namespace {

constexpr SipKey kKey{11, 12};

TEST(OffsetMap, KnowsTheNewestOffsetOfEachKey) {
  OffsetMap map({.bytes = 24 * 1000}, kKey);
  EXPECT_EQ(map.latest(), Offset(-1));
  std::map<std::string, int64_t> model;
  Random random(3);
  for (int64_t offset = 0; offset < 5000; offset++) {
    std::string key(random.below(30), 'k');
    key += std::to_string(random.below(800));
    bool put = map.put(as_bytes(key), Offset(offset));
    if (put) model[key] = offset;
    EXPECT_EQ(put, model.contains(key));
  }
  EXPECT_EQ(map.size(), model.size());
  EXPECT_EQ(map.size(), map.capacity()) << "it got full";
  for (const auto& [key, offset] : model) EXPECT_EQ(map.find(as_bytes(key)), Offset(offset));
  EXPECT_EQ(map.find(as_bytes("never")), std::nullopt);
}

TEST(OffsetMap, TakesNoNewKeyWhenFullButNewOffsetsOfOldOnes) {
  OffsetMap map({.bytes = 24 * 4, .load_factor = 0.5}, kKey);
  EXPECT_EQ(map.capacity(), 2u);
  EXPECT_TRUE(map.put(as_bytes("a"), Offset(1)));
  EXPECT_TRUE(map.put(as_bytes("b"), Offset(2)));
  EXPECT_FALSE(map.put(as_bytes("c"), Offset(3)));
  EXPECT_EQ(map.latest(), Offset(2));
  EXPECT_TRUE(map.put(as_bytes("a"), Offset(4)));
  EXPECT_EQ(map.find(as_bytes("a")), Offset(4));
  EXPECT_EQ(map.find(as_bytes("c")), std::nullopt);
  EXPECT_EQ(map.latest(), Offset(4));
  map.clear();
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.find(as_bytes("a")), std::nullopt);
  EXPECT_EQ(map.latest(), Offset(-1));
}

TEST(OffsetMap, AnEmptyKeyIsAKeyAndOffsetZeroIsAnOffset) {
  OffsetMap map({.bytes = 1}, kKey);  // the least there is
  EXPECT_EQ(map.capacity(), 1u);
  EXPECT_TRUE(map.put(Bytes(), Offset(0)));
  EXPECT_EQ(map.find(Bytes()), Offset(0));
}

}  // namespace
}  // namespace moldau::log
