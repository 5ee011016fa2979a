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
// Power losses in the first busy second, and noise.
constexpr const char* kPowerLosses =
    "power@30ms+10ms:0,wall_step@35ms:0=50,power@60ms+10ms:0,cut@70ms+5ms:0-1,power@90ms+10ms:0,"
    "pause@95ms+10ms:1,power@120ms+10ms:0,power@150ms+10ms:0,slow_link@160ms+50ms:0=1,"
    "power@190ms+10ms:0,wall_drift@200ms+1s:0=500,power@230ms+10ms:0,power@270ms+10ms:0,"
    "cut@300ms+10ms:0-2,power@330ms+10ms:0,slow_cpu@340ms+10ms:0=10,power@380ms+10ms:0";

TEST(ToyLog, LosesWhatItAcknowledgedBeforeTheSyncAndShrinksToFewFaults) {
  sim::ScenarioEntry scenario = toy_log();
  for (uint64_t seed = 1; seed <= 100; seed++) {
    sim::RunSpec spec = spec_of(scenario, seed);
    spec.bug = Bug::ack_before_sync;
    spec.faults = sim::FaultPlan::parse(kPowerLosses).value();
    spec.knobs = {.clients = 3, .operations = 30};
    sim::RunResult result = sim::run_once(spec);
    if (!result.failed()) continue;
    sim::Shrunk small = sim::shrink(spec, result, 100);
    EXPECT_TRUE(small.result.failed());
    EXPECT_LE(small.spec.faults->faults.size(), 3u) << small.spec.command();
    sim::RunResult again = sim::run_once(small.spec);
    EXPECT_EQ(again.trace, small.result.trace) << "the printed command repeats the run";
    return;
  }
  FAIL() << "not found in 100 seeds";
}
#endif

}  // namespace
}  // namespace moldau::toy
