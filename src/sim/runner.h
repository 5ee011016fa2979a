// Runs a scenario for a seed: faults, healing, checks, and the hash that shows that the run can be
// repeated.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.h"

namespace moldau::sim {

// Everything that decides a run, apart from the program itself.
struct RunSpec {
  const ScenarioEntry* scenario = nullptr;
  uint64_t seed = 1;
  Bug bug = Bug::none;
  std::optional<FaultPlan> faults;  // instead of those drawn from the seed
  Knobs knobs;
  Scheduling scheduling = Scheduling::random;
  std::function<void(Instant, const std::string&)> narrate;
  uint64_t event_budget = 20'000'000;  // more events than that: it makes no progress
  // The one command that repeats it.
  std::string command() const;
};

struct RunResult {
  uint64_t trace = 0;
  uint64_t events = 0;
  uint64_t crashes = 0;
  uint64_t faults_happened = 0;
  Duration simulated{};
  FaultPlan faults;  // as run
  Knobs knobs;       // as run
  std::vector<Finding> findings;
  std::map<std::string, uint64_t> probes;
  bool failed() const { return !findings.empty(); }
};

// One run. Not reentrant: planted bugs and probes belong to the process.
RunResult run_once(const RunSpec& spec);
// Two runs; a difference in trace or events is a finding of its own ("not_deterministic").
RunResult run_twice(const RunSpec& spec);

// Makes a failing run smaller: fault kinds, single faults, clients, operations; at most `attempts`
// runs. The result fails with the same checker. progress is told how many runs it took so far and
// how many faults are left.
struct Shrunk {
  RunSpec spec;
  RunResult result;
  size_t attempts = 0;
};
using ShrinkProgress = std::function<void(size_t attempts, size_t faults)>;
Shrunk shrink(const RunSpec& spec, const RunResult& failed, size_t attempts,
              const ShrinkProgress& progress = {});

// The specification of the run that goes on just now, for the hook of CHECK; nullptr: none.
const RunSpec* current_run();

}  // namespace moldau::sim
