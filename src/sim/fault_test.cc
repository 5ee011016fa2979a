#include "sim/fault.h"

#include <gtest/gtest.h>

#include <set>

namespace moldau::sim {
namespace {

TEST(FaultPlan, PrintsWhatItParses) {
  const char* written =
      "power@1200ms+300ms:0,cut@2s+1s:0-2,wall_step@5us:1=-50,sync_error@1s+7us:0=4";
  Result<FaultPlan> plan = FaultPlan::parse(written);
  ASSERT_TRUE(plan) << plan.error().text();
  ASSERT_EQ(plan->faults.size(), 4u);
  EXPECT_EQ(plan->faults[1].other, 2);
  EXPECT_EQ(plan->faults[2].level, -50);
  EXPECT_EQ(plan->to_string(), written);
  EXPECT_EQ(FaultPlan::parse("none")->faults.size(), 0u);
}

TEST(FaultPlan, RefusesNonsenseWithTheCause) {
  for (const char* wrong :
       {"power", "power@1s", "power@1:0", "melt@1s:0", "cut@1s:0-", "cut@1s:0x", "crash@-1s:0",
        "crash@1s:-1", "crash@1s:0,", "crash@99999999999999999999s:0"}) {
    Result<FaultPlan> plan = FaultPlan::parse(wrong);
    EXPECT_FALSE(plan) << wrong;
    if (!plan) EXPECT_NE(plan.error().text().find("is not a fault"), std::string::npos);
  }
}

TEST(FaultPlan, DrawnPlansSurviveTheRoundTripAndKeepTheirSpace) {
  FaultSpace space{.servers = 2, .nodes = 5, .from = seconds(1), .until = seconds(9)};
  std::set<FaultKind> seen;
  for (uint64_t seed = 0; seed < 200; seed++) {
    FaultPlan plan = draw_faults(Random(seed), space);
    Result<FaultPlan> again = FaultPlan::parse(plan.to_string());
    ASSERT_TRUE(again);
    ASSERT_EQ(plan, *again);
    for (const Fault& f : plan.faults) {
      seen.insert(f.kind);
      ASSERT_GE(f.start, space.from);
      ASSERT_LE(f.start + f.duration, space.until);
      ASSERT_LT(f.node, 5);
      ASSERT_NE(f.node, f.other);
    }
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(FaultKind::count_) - 2)
      << "all but the two kinds of damage";
}

TEST(FaultPlan, LeavingOutAKindLeavesTheOthersAsTheyAre) {
  FaultSpace space{.nodes = 3};
  for (uint64_t seed = 0; seed < 50; seed++) {
    FaultPlan all = draw_faults(Random(seed), space);
    FaultSpace fewer = space;
    fewer.kinds &= ~only(FaultKind::pause);
    FaultPlan rest = draw_faults(Random(seed), fewer);
    std::erase_if(all.faults, [](const Fault& f) { return f.kind == FaultKind::pause; });
    EXPECT_EQ(all, rest);
  }
}

}  // namespace
}  // namespace moldau::sim
