#include "log/clean_choice.h"

#include <gtest/gtest.h>

namespace moldau::log {
namespace {

// Five sealed segments of 100 offsets and 1000 bytes from 0 on, then the active one at 500.
CleanView view() {
  CleanView view{
      .start = Offset(0), .end = Offset(550), .last_stable = Offset(550), .active = Offset(500)};
  for (int64_t i = 0; i < 5; i++)
    view.segments.push_back({.base = Offset(i * 100),
                             .end = Offset(i * 100 + 100),
                             .size = 1000,
                             .index_bytes = 80,
                             .time_index_bytes = 120,
                             .first_timestamp = 10'000 + i * 1000,
                             .largest_timestamp = 10'900 + i * 1000});
  return view;
}

constexpr WallTime kNow{20'000};

TEST(CleanChoice, TheActiveSegmentIsNeverCleaned) {
  CleanRange range = choose_range(view(), std::nullopt, {}, kNow);
  EXPECT_EQ(range.first_dirty, Offset(0));
  EXPECT_EQ(range.end, Offset(500));
  EXPECT_EQ(range.clean_bytes, 0);
  EXPECT_EQ(range.dirty_bytes, 5000);
  EXPECT_EQ(range.dirty_ratio(), 1.0);
  EXPECT_FALSE(range.checkpoint_off);
}

TEST(CleanChoice, StopsBeforeTheSegmentOfTheLastStableOffset) {
  for (auto [stable, end] : {std::pair(0, 0), {99, 0}, {100, 100}, {399, 300}, {520, 500}}) {
    CleanView log = view();
    log.last_stable = Offset(stable);
    EXPECT_EQ(choose_range(log, std::nullopt, {}, kNow).end, Offset(end)) << stable;
  }
}

TEST(CleanChoice, GoesOnWhereTheLastCleaningStopped) {
  CleanRange range = choose_range(view(), Offset(300), {}, kNow);
  EXPECT_EQ(range.clean_bytes, 3000);
  EXPECT_EQ(range.dirty_bytes, 2000);
  EXPECT_EQ(range.dirty_ratio(), 0.4);
  EXPECT_FALSE(worth_cleaning(range, {}));
  EXPECT_TRUE(worth_cleaning(range, {.min_dirty_ratio = 0.39}));
}

TEST(CleanChoice, NothingIsDirtyWhenAllButTheActiveSegmentIsClean) {
  for (size_t segments : {size_t{1}, size_t{5}}) {
    CleanView log = view();
    log.segments.resize(segments);
    log.active = log.segments.back().end;
    CleanRange range = choose_range(log, log.active, {.max_lag_millis = 1}, kNow);
    EXPECT_EQ(range.dirty_bytes, 0);
    EXPECT_EQ(range.clean_bytes, static_cast<int64_t>(segments) * 1000);
    EXPECT_FALSE(worth_cleaning(range, {.min_dirty_ratio = 0})) << "again and again";
  }
}

TEST(CleanChoice, ACheckpointThatDoesNotFitStartsOver) {
  CleanView log = view();
  log.start = Offset(120);
  for (int64_t checkpoint : {100, 551}) {
    CleanRange range = choose_range(log, Offset(checkpoint), {}, kNow);
    EXPECT_TRUE(range.checkpoint_off);
    EXPECT_EQ(range.first_dirty, Offset(120));
  }
}

TEST(CleanChoice, WaitsForTheMinimumLag) {
  // Largest timestamps 10900, 11900, 12900 ...: only two are old enough.
  CleanRange range = choose_range(view(), std::nullopt, {.min_lag_millis = 8000}, kNow);
  EXPECT_EQ(range.end, Offset(200));
  EXPECT_EQ(range.dirty_bytes, 2000);
  range = choose_range(view(), Offset(300), {.min_lag_millis = 10'000}, kNow);
  EXPECT_EQ(range.end, Offset(300));
  EXPECT_FALSE(worth_cleaning(range, {.min_dirty_ratio = 0}));
}

TEST(CleanChoice, TheMaximumLagOverrulesTheRatio) {
  CleanPolicy policy{.max_lag_millis = 6500};
  CleanRange range = choose_range(view(), Offset(300), policy, kNow);
  EXPECT_TRUE(range.overdue) << "13000 is more than 6500 before 20000";
  EXPECT_TRUE(worth_cleaning(range, policy));
  policy.max_lag_millis = 8000;
  EXPECT_FALSE(choose_range(view(), Offset(300), policy, kNow).overdue);
  CleanView log = view();
  log.last_stable = Offset(300);
  policy.max_lag_millis = 1;
  EXPECT_FALSE(worth_cleaning(choose_range(log, Offset(300), policy, kNow), policy))
      << "nothing that may be cleaned";
}

TEST(CleanChoice, NothingIsWorthNothing) {
  CleanView log{
      .start = Offset(0), .end = Offset(9), .last_stable = Offset(9), .active = Offset(0)};
  EXPECT_FALSE(worth_cleaning(choose_range(log, std::nullopt, {}, kNow), {.min_dirty_ratio = 0}));
}

std::vector<size_t> sizes(const CleanView& log, Offset end, const CleanPolicy& policy) {
  std::vector<size_t> counts;
  for (auto group : group_segments(log.segments, end, Offset(500), policy))
    counts.push_back(group.size());
  return counts;
}

TEST(CleanGroups, NeighboursThatFitBecomeOneSegment) {
  using Counts = std::vector<size_t>;
  EXPECT_EQ(sizes(view(), Offset(500), {}), Counts{5});
  EXPECT_EQ(sizes(view(), Offset(500), {.segment_bytes = 2500}), (Counts{2, 2, 1}));
  EXPECT_EQ(sizes(view(), Offset(500), {.segment_bytes = 10}), (Counts{1, 1, 1, 1, 1}));
  EXPECT_EQ(sizes(view(), Offset(500), {.index_bytes = 240}), (Counts{2, 2, 1})) << "time index";
  EXPECT_EQ(sizes(view(), Offset(201), {}), Counts{3}) << "the map ends in the third";
  EXPECT_EQ(sizes(view(), Offset(200), {}), Counts{2});
  EXPECT_EQ(sizes(view(), Offset(0), {}), Counts{});
}

TEST(CleanGroups, OffsetsOfAGroupFitIntoItsIndex) {
  CleanView log = view();
  for (CleanSegment& segment : log.segments)
    if (segment.base > Offset(0)) segment.base = segment.base + (int64_t{1} << 31);
  log.segments[0].end = log.segments[1].base;
  // The first segment reaches up to the second one's base: 2^31 + 99 is too far even for itself,
  // but alone it has to go somewhere.
  EXPECT_EQ(group_segments(log.segments, Offset(INT64_MAX), log.segments[4].base + 100, {}).size(),
            2u);
}

}  // namespace
}  // namespace moldau::log
