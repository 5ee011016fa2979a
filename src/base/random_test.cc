#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <set>

namespace moldau {
namespace {

// A seed in a bug report must mean the same run for ever: these numbers never change.
TEST(Random, GivesTheGoldenNumbers) {
  Random random(1234567);  // the reference sequence that splitmix64 is published with
  for (uint64_t expected : {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                            4593380528125082431u, 16408922859458223821u})
    EXPECT_EQ(random.next(), expected);
  Random other(42);
  for (uint64_t expected : {741u, 159u, 278u, 344u, 38u, 868u, 218u, 800u})
    EXPECT_EQ(other.below(1000), expected);
  EXPECT_EQ(Random(42).fork("disk").next(), 0x29fbc50ef48ac65bu);
  EXPECT_EQ(Random(42).fork("disk", 1).next(), 0x202927d4b7c4c45u);
  EXPECT_EQ(Random(42).fork("net").next(), 0xa4f9a3a7d3bc6aedu);
}

TEST(Random, ForksDoNotDisturbEachOther) {
  Random parent(1);
  uint64_t expected = Random(1).fork("network").next();
  Random disk = parent.fork("disk");
  for (int i = 0; i < 100; i++) disk.next();
  EXPECT_EQ(parent.fork("network").next(), expected);
  EXPECT_EQ(parent.next(), Random(1).next());
}

TEST(Random, ForksShareNoNumbers) {
  std::set<uint64_t> seen;
  size_t drawn = 0;
  auto draw = [&](Random random) {
    for (int i = 0; i < 50; i++, drawn++) seen.insert(random.next());
  };
  for (uint64_t seed = 0; seed < 10; seed++) {
    draw(Random(seed + (uint64_t{1} << 40)));
    for (const char* purpose : {"", "a", "b", "ab", "ba"})
      for (uint64_t index = 0; index < 5; index++) draw(Random(seed).fork(purpose, index));
  }
  EXPECT_EQ(seen.size(), drawn);
}

TEST(Random, ForksOfNeighboursAreNotAlike) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    uint64_t a = Random(seed).fork("x").next(), b = Random(seed + 1).fork("x").next();
    int different = __builtin_popcountll(a ^ b);
    EXPECT_GT(different, 8) << seed;  // about 32 of 64
    EXPECT_LT(different, 56) << seed;
  }
}

TEST(Random, StaysWithinItsBounds) {
  Random random(2);
  std::array<int, 7> hits{};
  for (int i = 0; i < 7000; i++) hits[random.below(7)]++;
  for (int h : hits) EXPECT_NEAR(h, 1000, 150);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
  std::set<int64_t> values;
  for (int i = 0; i < 200; i++) values.insert(random.between(-2, 2));
  EXPECT_EQ(values, (std::set<int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(random.between(5, 5), 5);
}

TEST(Random, CoversTheWholeRangeOfIntegers) {
  constexpr int64_t low = std::numeric_limits<int64_t>::min(),
                    high = std::numeric_limits<int64_t>::max();
  Random random(3);
  int negative = 0;
  for (int i = 0; i < 1000; i++) negative += random.between(low, high) < 0;
  EXPECT_NEAR(negative, 500, 100);
  for (int i = 0; i < 100; i++) EXPECT_GE(random.between(high - 1, high), high - 1);
  for (int i = 0; i < 100; i++) EXPECT_LE(random.between(low, low + 1), low + 1);
}

TEST(Random, TakesChancesAsOftenAsAsked) {
  Random random(4);
  int one_in_ten = 0, quarter = 0;
  for (int i = 0; i < 10'000; i++) {
    one_in_ten += random.one_in(10);
    quarter += random.chance(0.25);
    EXPECT_TRUE(random.one_in(1));
    EXPECT_FALSE(random.one_in(0));
    EXPECT_TRUE(random.chance(1));
    EXPECT_FALSE(random.chance(0));
  }
  EXPECT_NEAR(one_in_ten, 1000, 150);
  EXPECT_NEAR(quarter, 2500, 200);
}

}  // namespace
}  // namespace moldau
