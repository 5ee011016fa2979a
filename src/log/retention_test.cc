#include "log/retention.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bug.h"

namespace moldau::log {
namespace {

// Three full segments of 100 bytes and one that is being written, a second apart.
std::vector<SegmentAge> four() {
  return {{Offset(0), Offset(10), 100, WallTime{1000}},
          {Offset(10), Offset(20), 100, WallTime{2000}},
          {Offset(20), Offset(30), 100, WallTime{3000}},
          {Offset(30), Offset(35), 50, WallTime{4000}}};
}

size_t gone(const RetentionRules& rules, int64_t now, int64_t start = 0, int64_t mark = 35,
            const std::vector<SegmentAge>& segments = four()) {
  return judge_retention(segments, rules, Offset(start), Offset(mark), WallTime{now}).count;
}

TEST(Retention, ByAgeOfTheNewestRecord) {
  RetentionRules rules{.millis = 1000};
  EXPECT_EQ(gone(rules, 2000), 0u) << "as old as allowed";
  EXPECT_EQ(gone(rules, 2001), 1u);
  EXPECT_EQ(gone(rules, 4001), 3u);
  EXPECT_EQ(gone(rules, 9000), 4u) << "the one that is being written, too";
  EXPECT_EQ(gone({.millis = -1}, 1 << 30), 0u);
  EXPECT_EQ(gone({.delete_old = false, .millis = 1000}, 1 << 30), 0u);
}

TEST(Retention, ASegmentWithANewRecordKeepsThoseBehindIt) {
  std::vector<SegmentAge> segments = four();
  segments[1].newest = WallTime{100'000};
  EXPECT_EQ(gone({.millis = 1000}, 9000, 0, 35, segments), 1u);
}

TEST(Retention, BySizeOfWhatIsLeft) {
  EXPECT_EQ(gone({.millis = -1, .bytes = 350}, 0), 0u);
  EXPECT_EQ(gone({.millis = -1, .bytes = 251}, 0), 0u) << "without it less would be left";
  EXPECT_EQ(gone({.millis = -1, .bytes = 250}, 0), 1u);
  EXPECT_EQ(gone({.millis = -1, .bytes = 50}, 0), 3u);
  EXPECT_EQ(gone({.millis = -1, .bytes = 0}, 0), 4u);
}

TEST(Retention, WhatLiesBelowTheStartAlsoWithoutDeletion) {
  RetentionRules compact{.delete_old = false};
  EXPECT_EQ(gone(compact, 0, 19), 1u);
  EXPECT_EQ(gone(compact, 0, 20), 2u);
  EXPECT_EQ(gone(compact, 0, 35), 3u) << "never the one that is being written";
}

TEST(Retention, NothingAboveTheHighWatermark) {
  EXPECT_EQ(gone({.millis = 0}, 9000, 0, 19), 1u);
  EXPECT_EQ(gone({.millis = -1, .bytes = 0}, 0, 0, 34), 3u);
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(Retention, PlantedBugsAreFound) {
  plant(Bug::retention_takes_uncommitted);
  size_t taken = gone({.millis = 0}, 9000, 0, 19);
  plant(Bug::none);
  EXPECT_NE(taken, 1u);
}
#endif

TEST(Retention, AsksForAgesThatMatterOnly) {
  std::vector<SegmentAge> segments = four();
  segments[1].newest = segments[2].newest = std::nullopt;
  RetentionVerdict verdict =
      judge_retention(segments, {.millis = 1000}, Offset(0), Offset(35), WallTime{9000});
  EXPECT_EQ(verdict.count, 1u);
  EXPECT_TRUE(verdict.unknown);
  EXPECT_FALSE(
      judge_retention(segments, {.millis = 1000}, Offset(0), Offset(35), WallTime{1500}).unknown);
}

TEST(Retention, AnEmptyLogStays) {
  std::vector<SegmentAge> segments = {{Offset(5), Offset(5), 0, WallTime{0}}};
  EXPECT_EQ(gone({.millis = 0, .bytes = 0}, 9000, 5, 5, segments), 0u);
}

}  // namespace
}  // namespace moldau::log
