#include "base/fixed_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace moldau {
namespace {

TEST(FixedVector, HoldsUpToItsCapacity) {
  FixedVector<std::string, 2> v;
  EXPECT_TRUE(v.empty());
  EXPECT_TRUE(v.push_back("a"));
  EXPECT_TRUE(v.push_back("b"));
  std::string third = "c";
  EXPECT_TRUE(v.full());
  EXPECT_FALSE(v.push_back(std::move(third)));
  EXPECT_EQ(third, "c");  // NOLINT(bugprone-use-after-move): refused, so not moved
  EXPECT_EQ(v[0], "a");
  EXPECT_EQ(v.back(), "b");
}

TEST(FixedVector, ErasesInTheMiddle) {
  FixedVector<std::string, 4> v;
  for (const char* text : {"a", "b", "c"}) ASSERT_TRUE(v.push_back(text));
  v.erase_at(1);
  ASSERT_EQ(v.size(), 2u);
  EXPECT_EQ(v[0], "a");
  EXPECT_EQ(v[1], "c");
  v.erase_at(1);
  v.erase_at(0);
  EXPECT_TRUE(v.empty());
}

TEST(FixedVector, CopiesAndMovesAsAValue) {
  auto witness = std::make_shared<int>(7);
  FixedVector<std::shared_ptr<int>, 3> a;
  ASSERT_TRUE(a.push_back(witness));
  ASSERT_TRUE(a.push_back(witness));
  FixedVector<std::shared_ptr<int>, 3> copy = a;
  EXPECT_EQ(copy, a);
  EXPECT_EQ(witness.use_count(), 5);
  FixedVector<std::shared_ptr<int>, 3> moved = std::move(copy);
  EXPECT_EQ(witness.use_count(), 5);
  EXPECT_TRUE(copy.empty());  // NOLINT(bugprone-use-after-move)
  ASSERT_TRUE(copy.push_back(witness));
  copy = moved;
  EXPECT_EQ(copy.size(), 2u);
  moved = std::move(a);
  EXPECT_EQ(moved.size(), 2u);
  EXPECT_EQ(witness.use_count(), 5);
  moved.clear();
  EXPECT_EQ(witness.use_count(), 3);
  EXPECT_NE(copy, moved);
}

TEST(FixedVectorDeathTest, ChecksItsIndex) {
  FixedVector<int, 4> v;
  EXPECT_DEATH(v.pop_back(), "of 0");
}

}  // namespace
}  // namespace moldau
