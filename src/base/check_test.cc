#include "base/check.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "base/bug.h"

namespace moldau {
namespace {

TEST(CheckDeathTest, SaysWhereWhatAndWithWhichValues) {
  int end = 3;
  EXPECT_DEATH(CHECK(end > 5, "offset {} is past the end {}", 5, end),
               "check_test.cc:[0-9]+: CHECK\\(end > 5\\) failed: offset 5 is past the end 3");
  EXPECT_DEATH(CHECK(end == 4), "CHECK\\(end == 4\\) failed\n");
}

TEST(CheckDeathTest, CallsTheHookOnceAndOnlyOnFailure) {
  EXPECT_DEATH(
      {
        set_check_hook([] {
          fmt::print(stderr, "seed 17\n");
          CHECK(false, "in the hook");  // does not call it again
        });
        CHECK(true);
        CHECK(false, "first");
      },
      "failed: first\nseed 17\n.*failed: in the hook\n$");
}

TEST(Check, EvaluatesValuesOnlyOnFailure) {
  int evaluated = 0;
  CHECK(true, "{}", ++evaluated);
  EXPECT_EQ(evaluated, 0);
}

TEST(Bug, IsPlantedOneAtATime) {
  EXPECT_FALSE(planted(Bug::offset_twice));
#ifdef MOLDAU_PLANTED_BUGS
  plant(Bug::offset_twice);
  EXPECT_TRUE(planted(Bug::offset_twice));
  EXPECT_FALSE(planted(Bug::ack_before_sync));
  plant(Bug::none);
  EXPECT_FALSE(planted(Bug::offset_twice));
#endif
  for (uint8_t i = 0; i < static_cast<uint8_t>(Bug::count_); i++)
    EXPECT_NE(bug_name(static_cast<Bug>(i)), "?");
}

}  // namespace
}  // namespace moldau
