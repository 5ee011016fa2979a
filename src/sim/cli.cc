#include "sim/cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "sim/runner.h"

namespace moldau::sim {
namespace {

constexpr std::string_view kUsage =
    R"(moldau_sim: runs Moldau in a simulated world, with faults, from seeds

  moldau_sim                          every scenario, 200 seeds each
  moldau_sim NAME [--seeds N]         one scenario; each seed runs twice and must give the same trace
  moldau_sim NAME --seed S            one seed, with its figures
  moldau_sim bugs [NAME]              plants each known bug; every one must be found
  moldau_sim list                     scenarios and bugs

  --seeds N        how many seeds (200; bugs: at most 2000 a bug)
  --first S        the first of them (1)
  --seed S         just this one
  --bug NAME       plant this bug; with bugs: look for this one alone
  --faults "..."   these faults instead of those of the seed ("none": no faults)
  --clients N, --operations N   smaller or larger than the seed says
  --fifo           ready tasks run in order: easier to read
  --once           run each seed once only
  --no-shrink      do not look for a smaller failing run
  -v               figures, faults and probes of each seed; with --seed also what happens when
)";

struct Arguments {
  std::string_view command;
  std::string_view name;
  uint64_t seeds = 0;
  uint64_t first = 1;
  std::optional<uint64_t> seed;
  RunSpec spec;
  bool once = false;
  bool shrinks = true;
  bool verbose = false;
};

std::optional<Bug> bug_called(std::string_view name) {
  for (int i = 0; i < static_cast<int>(Bug::count_); i++)
    if (bug_name(static_cast<Bug>(i)) == name) return static_cast<Bug>(i);
  return std::nullopt;
}

template <class T>
bool number(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

// Options with a value. False: not one, or the value does not fit.
bool take_option(Arguments& a, std::string_view option, std::string_view value) {
  if (option == "--seeds") return number(value, &a.seeds) && a.seeds > 0;
  if (option == "--first") return number(value, &a.first);
  if (option == "--seed") return number(value, &a.seed.emplace());
  if (option == "--clients") return number(value, &a.spec.knobs.clients);
  if (option == "--operations") return number(value, &a.spec.knobs.operations);
  if (option == "--bug") {
    std::optional<Bug> bug = bug_called(value);
    if (bug) a.spec.bug = *bug;
    return bug.has_value();
  }
  if (option == "--faults") {
    Result<FaultPlan> plan = FaultPlan::parse(value);
    if (!plan) {
      fmt::print(stderr, "{}\n", plan.error().text());
      return false;
    }
    a.spec.faults = *plan;
    return true;
  }
  return false;
}

bool take_switch(Arguments& a, std::string_view option) {
  if (option == "--once") return a.once = true;
  if (option == "--no-shrink") return !(a.shrinks = false);
  if (option == "-v") return a.verbose = true;
  if (option == "--fifo") {
    a.spec.scheduling = Scheduling::fifo;
    return true;
  }
  return false;
}

std::optional<Arguments> parse(const std::vector<std::string_view>& arguments) {
  Arguments a;
  for (size_t i = 0; i < arguments.size(); i++) {
    std::string_view word = arguments[i];
    if (word == "bugs" || word == "list" || word == "help" || word == "--help") {
      a.command = word;
    } else if (!word.starts_with('-')) {
      if (!a.name.empty()) {
        fmt::print(stderr, "moldau_sim: one scenario or all of them, not '{}' and '{}'\n", a.name,
                   word);
        return std::nullopt;
      }
      a.name = word;
    } else if (!take_switch(a, word)) {
      std::string_view value = i + 1 < arguments.size() ? arguments[i + 1] : std::string_view{};
      if (!take_option(a, word, value)) {
        fmt::print(stderr, "moldau_sim: '{} {}' is not understood; see moldau_sim help\n", word,
                   value);
        return std::nullopt;
      }
      i++;
    }
  }
  return a;
}

void print_line(Instant at, const std::string& text) {
  fmt::print("{:13.6f} s  {}\n", static_cast<double>(at.nanos) / 1e9, text);
}

class Cli {
 public:
  Cli(const std::vector<ScenarioEntry>& scenarios, Arguments arguments, const CliWorld& outside)
      : scenarios_(scenarios), a_(std::move(arguments)), outside_(outside) {}

  int go() {
    if (a_.command == "help" || a_.command == "--help") return fmt::print("{}", kUsage), 0;
    if (!a_.name.empty() && !find(a_.name)) {
      fmt::print(stderr, "moldau_sim: there is no scenario '{}'; see moldau_sim list\n", a_.name);
      return 2;
    }
    if (a_.command == "list") return list();
    if (a_.command == "bugs") return bugs();
    int worst = 0;
    for (const ScenarioEntry& scenario : scenarios_)
      if (a_.name.empty() || a_.name == scenario.name) worst = std::max(worst, seeds(scenario));
    return worst;
  }

 private:
  struct Totals {
    uint64_t runs = 0, events = 0, crashes = 0, faults = 0;
    double simulated = 0;
    std::map<std::string, uint64_t> probes;
    void add(const RunResult& result) {
      runs++;
      events += result.events;
      crashes += result.crashes;
      faults += result.faults_happened;
      simulated += result.simulated.seconds();
      for (auto& [name, count] : result.probes) probes[name] += count;
    }
  };

  const ScenarioEntry* find(std::string_view name) const {
    for (const ScenarioEntry& scenario : scenarios_)
      if (scenario.name == name) return &scenario;
    return nullptr;
  }

  int list() const {
    for (const ScenarioEntry& scenario : scenarios_) {
      fmt::print("{:<16} {}\n", scenario.name, scenario.what);
      for (Bug bug : scenario.finds) fmt::print("  --bug {}\n", bug_name(bug));
    }
    return 0;
  }

  double seconds_since(int64_t start) const {
    return static_cast<double>(outside_.nanos() - start) / 1e9;
  }

  void progress(std::string_view text) {
    if (!outside_.terminal) return;
    int64_t now = outside_.nanos();
    if (now - shown_at_ < 200'000'000) return;
    shown_at_ = now;
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
  }
  void clear_progress() {
    if (outside_.terminal) fmt::print(stderr, "\r\033[K");
  }

  int seeds(const ScenarioEntry& scenario) {
    uint64_t first = a_.seed.value_or(a_.first);
    uint64_t count = a_.seed ? 1 : a_.seeds ? a_.seeds : 200;
    Totals totals;
    int64_t start = outside_.nanos();
    for (uint64_t seed = first; seed < first + count; seed++) {
      RunSpec spec = a_.spec;
      spec.scenario = &scenario;
      spec.seed = seed;
      if (a_.verbose && a_.seed) spec.narrate = &print_line;
      RunResult result = a_.once ? run_once(spec) : run_twice(spec);
      totals.add(result);
      if (a_.verbose || a_.seed) describe(spec, result);
      if (result.failed()) {
        clear_progress();
        report(spec, result);
        return 1;
      }
      progress(fmt::format("{}: {} of {} seeds, {:.0f} s simulated, {} crashes", scenario.name,
                           totals.runs, count, totals.simulated, totals.crashes));
    }
    clear_progress();
    summary(scenario, totals, seconds_since(start));
    return 0;
  }

  void summary(const ScenarioEntry& scenario, const Totals& t, double took) const {
    double runs = a_.once ? 1 : 2;
    fmt::print("{}: {} seeds, 0 findings: {:.0f} s simulated, {} events, {} crashes, {} faults\n",
               scenario.name, t.runs, t.simulated, t.events, t.crashes, t.faults);
    double rate = took > 0 ? runs / took : 0;
    fmt::print(
        "  in {:.1f} s{}: {:.2f} M events/s, {:.0f} crash-and-recover/s, {:.0f} times real time\n",
        took, a_.once ? "" : ", each seed twice", static_cast<double>(t.events) * rate / 1e6,
        static_cast<double>(t.crashes) * rate, t.simulated * rate);
    if (t.probes.empty()) return;
    fmt::print("  rare paths:");
    for (auto& [name, count] : t.probes) fmt::print(" {} {}", name, count);
    fmt::print("\n");
  }

  void describe(const RunSpec& spec, const RunResult& result) {
    clear_progress();
    fmt::print(
        "seed {}: trace {:016x}, {} events, {:.3f} s simulated, {} crashes, clients {}, operations "
        "{}\n",
        spec.seed, result.trace, result.events, result.simulated.seconds(), result.crashes,
        result.knobs.clients, result.knobs.operations);
    fmt::print("  faults: {}\n", result.faults.to_string());
    for (auto& [name, count] : result.probes) fmt::print("  {:<40} {}\n", name, count);
  }

  void print_findings(const RunResult& result) const {
    for (const Finding& finding : result.findings)
      fmt::print("  {:.6f} s  {}: {}\n", static_cast<double>(finding.at.nanos) / 1e9,
                 finding.checker, finding.text);
  }

  void report(const RunSpec& spec, const RunResult& result) {
    fmt::print("FOUND in {} with seed {}\n", spec.scenario->name, spec.seed);
    print_findings(result);
    fmt::print("repeat it:  {}\n", spec.command());
    std::fflush(stdout);
    bool differs = result.findings.front().checker == "not_deterministic";
    if (!a_.shrinks || differs) return;
    Shrunk small = shrink(spec, result, 400, [&](size_t attempts, size_t faults) {
      progress(fmt::format("shrinking: {} runs, {} faults left", attempts, faults));
    });
    clear_progress();
    fmt::print(
        "smaller, after {} more runs (faults {} -> {}, clients {} -> {}, operations {} -> {}):\n",
        small.attempts, result.faults.faults.size(), small.spec.faults->faults.size(),
        result.knobs.clients, small.spec.knobs.clients, result.knobs.operations,
        small.spec.knobs.operations);
    print_findings(small.result);
    fmt::print("repeat it:  {}\n", small.spec.command());
  }

  int bugs() {
    int found = 0, known = 0, elsewhere = 0;
    fmt::print("{:<24} {:<16} {}\n", "bug", "scenario", "found");
    for (int i = 1; i < static_cast<int>(Bug::count_); i++) {
      auto bug = static_cast<Bug>(i);
      if (a_.spec.bug != Bug::none && a_.spec.bug != bug) continue;  // --bug: this one alone
      std::vector<const ScenarioEntry*> hunters;
      for (const ScenarioEntry& scenario : scenarios_) {
        bool named = a_.name.empty() || a_.name == scenario.name;
        if (named && std::ranges::count(scenario.finds, bug)) hunters.push_back(&scenario);
      }
      if (!a_.name.empty() && hunters.empty()) continue;  // another scenario's business
      if (hunters.empty() && found_by_unit_tests(bug)) {
        elsewhere++;
        continue;
      }
      known++;
      if (hunters.empty()) fmt::print("{:<24} {:<16} no\n", bug_name(bug), "(none)");
      bool all = !hunters.empty();
      for (const ScenarioEntry* scenario : hunters) all = hunt(bug, *scenario) && all;
      found += all;
    }
    if (elsewhere > 0)
      fmt::print("{} more are planted and found by unit tests: ./dev test Planted\n", elsewhere);
    fmt::print("found {} of {}\n", found, known);
    return found == known ? 0 : 1;
  }

  // In a process of its own, because a bug may well run into a CHECK: that, too, is finding it.
  bool hunt(Bug bug, const ScenarioEntry& scenario) {
    fmt::print("{:<24} {:<16} ", bug_name(bug), scenario.name);
    std::fflush(stdout);
    int outcome = outside_.isolated([&] {
      int64_t start = outside_.nanos();
      RunSpec spec = a_.spec;
      spec.scenario = &scenario;
      spec.bug = bug;
      uint64_t first = a_.seed.value_or(a_.first);
      uint64_t limit = a_.seed ? 1 : a_.seeds ? a_.seeds : 2000;
      for (uint64_t seed = first; seed < first + limit; seed++) {
        spec.seed = seed;
        RunResult result = run_once(spec);
        if (!result.failed()) continue;
        fmt::print("by {} in seed {}, {:.2f} s\n", result.findings.front().checker, seed,
                   seconds_since(start));
        std::fflush(stdout);
        return 0;
      }
      fmt::print("NO, in {} seeds\n", limit);
      std::fflush(stdout);
      return 1;
    });
    if (outcome < 0) fmt::print("by a CHECK (above)\n");
    return outcome <= 0;
  }

  const std::vector<ScenarioEntry>& scenarios_;
  const Arguments a_;
  const CliWorld& outside_;
  int64_t shown_at_ = 0;
};

void on_check() {
  if (const RunSpec* run = current_run()) fmt::print(stderr, "repeat it:  {}\n", run->command());
  std::fflush(stderr);
}

}  // namespace

int run_cli(const std::vector<ScenarioEntry>& scenarios, std::vector<std::string_view> arguments,
            const CliWorld& outside) {
  std::optional<Arguments> parsed = parse(arguments);
  if (!parsed) return 2;
#ifndef MOLDAU_PLANTED_BUGS
  if (parsed->command == "bugs" || parsed->spec.bug != Bug::none) {
    fmt::print(stderr,
               "moldau_sim: this build has no planted bugs; use the debug or asan preset\n");
    return 2;
  }
#endif
  set_check_hook(&on_check);
  return Cli(scenarios, std::move(*parsed), outside).go();
}

}  // namespace moldau::sim
