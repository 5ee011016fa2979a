// The runner, with a scenario made for it: a counter that must not miss a beat.
#include "sim/runner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/probe.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {

int g_leak = 0;  // state that outlives a run: what must not be

struct Beats {
  int64_t counted = 0;
  Instant last{};
};

host::Task<void> beat(host::Env& env, Beats* beats, const World& world, int64_t extra) {
  for (;;) {
    co_await env.loop.sleep(milliseconds(10 + extra));
    beats->counted++;
    beats->last = world.now();
    MOLDAU_PROBE("test.beat");
  }
}

// Fails if a node stands still for more than a second: pauses do that, nothing else.
class Heart final : public Scenario {
 public:
  explicit Heart(bool leaks) : leaks_(leaks) {}
  void setup(World& world, Knobs& knobs, Findings&) override {
    if (knobs.clients == 0) knobs.clients = 8;
    int64_t extra = leaks_ ? g_leak++ : 0;
    beats_.resize(static_cast<size_t>(knobs.clients));
    for (Beats& beats : beats_)
      world
          .add_node("heart", [&, extra](host::Env& env) { return beat(env, &beats, world, extra); })
          .start();
  }
  FaultSpace fault_space() const override {
    FaultKinds kinds = only(FaultKind::pause) | only(FaultKind::wall_step) | only(FaultKind::cut);
    return {.servers = 1, .nodes = 8, .until = seconds(10), .kinds = kinds};
  }
  void check(World& world, Findings& findings) override {
    for (Beats& beats : beats_)
      if ((world.now() - beats.last) > seconds(1)) findings.add("stands_still", "a heart");
  }
  Duration check_interval() const override { return milliseconds(100); }
  bool recovered(World&) override { return true; }

 private:
  const bool leaks_;
  std::vector<Beats> beats_;
};

ScenarioEntry heart(bool leaks = false) {
  return {"heart", "", [leaks] { return std::make_unique<Heart>(leaks); }, {}};
}

RunSpec spec_of(const ScenarioEntry& scenario, const char* faults) {
  RunSpec spec;
  spec.scenario = &scenario;
  spec.faults = FaultPlan::parse(faults).value();
  return spec;
}

TEST(Runner, GivesEqualSeedsEqualTracesAndOthersNot) {
  ScenarioEntry scenario = heart();
  RunSpec spec;
  spec.scenario = &scenario;
  RunResult one = run_once(spec);
  RunResult two = run_once(spec);
  EXPECT_EQ(one.trace, two.trace);
  EXPECT_EQ(one.events, two.events);
  spec.seed = 2;
  EXPECT_NE(run_once(spec).trace, one.trace);
}

TEST(Runner, NoticesAScenarioThatIsNotDeterministic) {
  ScenarioEntry scenario = heart(true);
  RunSpec spec = spec_of(scenario, "none");
  RunResult result = run_twice(spec);
  ASSERT_TRUE(result.failed());
  EXPECT_EQ(result.findings[0].checker, "not_deterministic");
}

TEST(Runner, ShrinksToTheOneFaultThatMattersAndPrintsHowToRepeatIt) {
  ScenarioEntry scenario = heart();
  RunSpec spec =
      spec_of(scenario,
              "wall_step@1s:0=50,cut@1s+2s:1,pause@2s+500ms:2,pause@3s+1500ms:1,pause@3s+10ms:0,"
              "cut@4s+1s:3-4,wall_step@5s:2=-50,pause@6s+900ms:3");
  RunResult result = run_once(spec);
  ASSERT_TRUE(result.failed());
  Shrunk small = shrink(spec, result, 200);
  EXPECT_EQ(small.spec.faults->to_string(), "pause@3s+1500ms:1");
  EXPECT_EQ(small.spec.knobs.clients, 2);
  EXPECT_EQ(small.spec.command(),
            "./dev sim heart --seed 1 --faults \"pause@3s+1500ms:1\" --clients 2");
  EXPECT_TRUE(run_once(small.spec).failed());
}

TEST(Runner, EndsARunThatOnlySpins) {
  ScenarioEntry scenario = heart();
  RunSpec spec = spec_of(scenario, "none");
  spec.event_budget = 1000;
  RunResult result = run_once(spec);
  ASSERT_TRUE(result.failed());
  EXPECT_EQ(result.findings[0].checker, "no_progress");
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(Runner, CountsProbes) {
  ScenarioEntry scenario = heart();
  RunSpec spec = spec_of(scenario, "none");
  EXPECT_GT(run_once(spec).probes["test.beat"], 1000u);
}
#endif

}  // namespace
}  // namespace moldau::sim
