// The toy log under CTest: sound, it survives its seeds; with a mistake, it does not.
#include "toy_log.h"

#include <gtest/gtest.h>

#include "sim/runner.h"

namespace moldau::toy {
namespace {

sim::RunSpec spec_of(const sim::ScenarioEntry& scenario, uint64_t seed) {
  sim::RunSpec spec;
  spec.scenario = &scenario;
  spec.seed = seed;
  return spec;
}

TEST(ToyLog, KeepsItsPromisesOnSomeSeeds) {
  sim::ScenarioEntry scenario = toy_log();
  for (uint64_t seed = 1; seed <= 10; seed++) {
    sim::RunSpec spec = spec_of(scenario, seed);
    sim::RunResult result = sim::run_twice(spec);
    ASSERT_FALSE(result.failed()) << result.findings[0].checker << ": " << result.findings[0].text
                                  << "\n"
                                  << spec.command();
  }
}

TEST(ToyLog, RunsAlikeWithItsOwnFaultsWrittenDown) {
  sim::ScenarioEntry scenario = toy_log();
  sim::RunSpec spec = spec_of(scenario, 3);
  sim::RunResult drawn = sim::run_once(spec);
  Result<sim::FaultPlan> written = sim::FaultPlan::parse(drawn.faults.to_string());
  ASSERT_TRUE(written);
  spec.faults = *written;
  spec.knobs = drawn.knobs;
  sim::RunResult repeated = sim::run_once(spec);
  EXPECT_EQ(drawn.trace, repeated.trace);
  EXPECT_EQ(drawn.events, repeated.events);
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(ToyLog, LosesWhatItAcknowledgedBeforeTheSyncAndShrinksToFewFaults) {
  sim::ScenarioEntry scenario = toy_log();
  for (uint64_t seed = 1; seed <= 500; seed++) {
    sim::RunSpec spec = spec_of(scenario, seed);
    spec.bug = Bug::ack_before_sync;
    sim::RunResult result = sim::run_once(spec);
    if (!result.failed()) continue;
    sim::Shrunk small = sim::shrink(spec, result, 60);
    EXPECT_TRUE(small.result.failed());
    EXPECT_LE(small.spec.faults->faults.size(), 3u) << small.spec.command();
    sim::RunResult again = sim::run_once(small.spec);
    EXPECT_EQ(again.trace, small.result.trace) << "the printed command repeats the run";
    return;
  }
  FAIL() << "not found in 500 seeds";
}
#endif

}  // namespace
}  // namespace moldau::toy
