#include "sim/cli.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {

// Breaks at one second as it is told; sound without.
class Egg final : public Scenario {
 public:
  explicit Egg(std::string_view how) : how_(how) {}
  void setup(World& world, Knobs&, Findings& findings) override {
    world.add_node("egg");
    world.call_at(Instant{} + seconds(1), [this, &findings] {
      CHECK(how_ != "check", "the egg is {}", how_);
      if (how_ == "finding") findings.add("broken", "an egg");
      if (planted(Bug::offset_twice)) findings.add("planted", "a bug");
    });
  }
  FaultSpace fault_space() const override { return {.until = seconds(2), .kinds = 0}; }
  bool recovered(World&) override { return true; }

 private:
  const std::string_view how_;
};

int run(std::string_view how, std::vector<std::string_view> arguments,
        std::vector<Bug> finds = {}) {
  std::vector<ScenarioEntry> scenarios{
      {"egg", "an egg", [how] { return std::make_unique<Egg>(how); }, finds}};
  int64_t time = 0;
  CliWorld outside{[&time] { return time += 1'000'000; },
                   [](const std::function<int()>& step) { return step(); }};
  int code = run_cli(scenarios, std::move(arguments), outside);
  set_check_hook(nullptr);
  return code;
}

TEST(Cli, RunsSeedsAndSaysWithItsCodeWhetherItFoundSomething) {
  EXPECT_EQ(run("whole", {"egg", "--seeds", "3"}), 0);
  EXPECT_EQ(run("whole", {"--seed", "3", "-v"}), 0);
  testing::internal::CaptureStdout();
  EXPECT_EQ(run("finding", {"egg", "--first", "7", "--seeds", "3"}), 1);
  std::string out = testing::internal::GetCapturedStdout();
  EXPECT_NE(out.find("broken: an egg"), std::string::npos) << out;
  EXPECT_NE(out.find("./dev sim egg --seed 7"), std::string::npos) << out;
}

TEST(Cli, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(run("whole", {"omelette"}), 2);
  EXPECT_EQ(run("whole", {"egg", "egg"}), 2) << "the second name would not be run";
  EXPECT_EQ(run("whole", {"egg", "--seeds"}), 2);
  EXPECT_EQ(run("whole", {"egg", "--seeds", "many"}), 2);
  EXPECT_EQ(run("whole", {"egg", "--faults", "melt@1s:0"}), 2);
  EXPECT_EQ(run("whole", {"egg", "--bug", "butterfly"}), 2);
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(Cli, BugsSucceedsOnlyIfEveryBugIsFound) {
  EXPECT_EQ(run("whole", {"bugs", "egg", "--seeds", "2"}, {Bug::offset_twice}), 0);
  EXPECT_EQ(
      run("whole", {"bugs", "egg", "--seeds", "2"}, {Bug::offset_twice, Bug::ack_before_sync}), 1);
  EXPECT_EQ(run("whole", {"bugs", "--seeds", "2"}, {Bug::offset_twice}), 1)
      << "nobody looks for the others";
}

TEST(Cli, BugsOfOneNameOrOneSeedAreThoseAlone) {
  EXPECT_EQ(run("whole", {"bugs", "--bug", "offset_twice", "--seeds", "2"}, {Bug::offset_twice}), 0)
      << "the others are not asked for";
  testing::internal::CaptureStdout();
  EXPECT_EQ(run("whole", {"bugs", "egg", "--seed", "9"}, {Bug::offset_twice}), 0);
  std::string out = testing::internal::GetCapturedStdout();
  EXPECT_NE(out.find("in seed 9"), std::string::npos) << out;
}
#endif

TEST(CliDeathTest, AFailedCheckSaysHowToRepeatIt) {
  EXPECT_DEATH(run("check", {"egg", "--seed", "42"}),
               "the egg is check(.|\n)*repeat it:  ./dev sim egg --seed 42");
}

}  // namespace
}  // namespace moldau::sim
