#include "sim/runner.h"

#include <fmt/format.h>

#include "base/probe.h"
#include "sim/injector.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {

// The hooks of CHECK and of probes carry no context, so what they need stands here: one run at a
// time.
const RunSpec* g_run = nullptr;
std::map<std::string, uint64_t>* g_probes = nullptr;

class RunGuard {
 public:
  RunGuard(const RunSpec& spec, std::map<std::string, uint64_t>& probes) {
    g_run = &spec;
    g_probes = &probes;
#ifdef MOLDAU_PLANTED_BUGS
    plant(spec.bug);
    set_probe_sink([](const char* name) { ++(*g_probes)[name]; });
#endif
  }
  ~RunGuard() {
#ifdef MOLDAU_PLANTED_BUGS
    set_probe_sink(nullptr);
    plant(Bug::none);
#endif
    g_run = nullptr;
    g_probes = nullptr;
  }
};

class Run {
 public:
  Run(const RunSpec& spec, RunResult& result)
      : spec_(spec),
        result_(result),
        scenario_(spec.scenario->make()),
        world_(options()),
        findings_(world_) {}

  void go() {
    Knobs knobs = spec_.knobs;
    scenario_->setup(world_, knobs, findings_);
    FaultSpace space = scenario_->fault_space();
    result_.knobs = knobs;
    result_.faults = spec_.faults ? *spec_.faults : draw_faults(world_.stream("faults"), space);
    Injector injector(world_, space.servers);
    injector.schedule(result_.faults);
    check_until(Instant{space.until.nanos}, [] { return false; });
    if (findings_.empty()) {
      injector.heal();
      come_back();
    }
    if (findings_.empty()) scenario_->check_end(world_, findings_);
    result_.faults_happened = injector.happened();
    result_.trace = world_.trace();
    result_.events = world_.events();
    result_.crashes = world_.crashes();
    result_.simulated = world_.now() - Instant{};
    world_.end();  // what a process says when it dies counts as well
    result_.findings = findings_.list();
  }

 private:
  WorldOptions options() {
    WorldOptions options{.seed = spec_.seed, .scheduling = spec_.scheduling};
    options.narrate = spec_.narrate;
    scenario_->options(options, Random(spec_.seed).fork("options"));
    return options;
  }

  void come_back() {
    Instant limit = world_.now() + scenario_->recovery_time();
    bool back = check_until(limit, [&] { return scenario_->recovered(world_); });
    if (back || !findings_.empty()) return;
    findings_.add("no_progress",
                  fmt::format("not back {} s after everything was healed\n{}",
                              scenario_->recovery_time().seconds(), scenario_->what_hangs(world_)));
  }

  // True: done() came to hold. False: the time is over, or something was found.
  bool check_until(Instant limit, const std::function<bool()>& done) {
    while (world_.now() < limit && findings_.empty()) {
      Instant next = std::min(limit, world_.now() + scenario_->check_interval());
      while (world_.step(next) && findings_.empty() && !over_budget()) {
      }
      if (!findings_.empty()) break;
      scenario_->check(world_, findings_);
      if (findings_.empty() && done()) return true;
    }
    return false;
  }

  bool over_budget() {
    if (world_.events() < spec_.event_budget) return false;
    findings_.add("no_progress", fmt::format("{} events and no end", world_.events()));
    return true;
  }

  const RunSpec& spec_;
  RunResult& result_;
  std::unique_ptr<Scenario> scenario_;  // dies after the world, whose tasks use it
  World world_;
  Findings findings_;
};

}  // namespace

const RunSpec* current_run() { return g_run; }

void Findings::add(std::string checker, std::string text) {
  world_.tell("FOUND {}: {}", checker, text);
  if (list_.size() < 20) list_.push_back({std::move(checker), std::move(text), world_.now()});
}

std::string RunSpec::command() const {
  std::string out = fmt::format("./dev sim {} --seed {}", scenario->name, seed);
  if (bug != Bug::none) out += fmt::format(" --bug {}", bug_name(bug));
  if (faults) out += fmt::format(" --faults \"{}\"", faults->to_string());
  if (knobs.clients) out += fmt::format(" --clients {}", knobs.clients);
  if (knobs.operations) out += fmt::format(" --operations {}", knobs.operations);
  if (scheduling == Scheduling::fifo) out += " --fifo";
  return out;
}

RunResult run_once(const RunSpec& spec) {
  RunResult result;
  RunGuard guard(spec, result.probes);
  Run run(spec, result);
  run.go();
  return result;
}

RunResult run_twice(const RunSpec& spec) {
  RunResult first = run_once(spec);
  RunSpec quiet = spec;
  quiet.narrate = {};
  RunResult second = run_once(quiet);
  if (first.trace == second.trace && first.events == second.events) return first;
  first.findings.push_back(
      {"not_deterministic",
       fmt::format("two runs of one seed differ: trace {:016x} and {:016x}, {} and {} events",
                   first.trace, second.trace, first.events, second.events),
       Instant{first.simulated.nanos}});
  return first;
}

}  // namespace moldau::sim
