// A scenario: what lives in a simulated world, what may break, and what must hold all the same.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bug.h"
#include "sim/fault.h"
#include "sim/options.h"

namespace moldau::sim {

class World;

// Sizes that shrinking lowers. 0: as the scenario draws it from the seed.
struct Knobs {
  int64_t clients = 0;
  int64_t operations = 0;  // of each client
  bool operator==(const Knobs&) const = default;
};

struct Finding {
  std::string checker;  // a short name: "acked_lost"
  std::string text;     // with the values that contradict
  Instant at{};
};

// Where checkers put what they find. Usable from tasks of the scenario, too.
class Findings {
 public:
  explicit Findings(const World& world) : world_(world) {}
  void add(std::string checker, std::string text);
  bool empty() const { return list_.empty(); }
  const std::vector<Finding>& list() const { return list_; }

 private:
  const World& world_;
  std::vector<Finding> list_;  // the first few; one cause often shows many times
};

// One object for one run. The order of calls: options, setup, fault_space, check (often), [all
// healed], recovered (often, until true), check_end.
class Scenario {
 public:
  virtual ~Scenario() = default;
  // Changes what the world is like (disk with garbage, small windows ...), from streams of the
  // root.
  virtual void options(WorldOptions&, const Random& root) { (void)root; }
  // Adds nodes and starts them. Knobs that are 0 it sets to what it draws.
  virtual void setup(World& world, Knobs& knobs, Findings& findings) = 0;
  // Asked after setup; `until` is the end of the first phase, when everything is healed.
  virtual FaultSpace fault_space() const = 0;
  // Looks for violations; outside of any task. Every check_interval of simulated time.
  virtual void check(World&, Findings&) {}
  virtual Duration check_interval() const { return milliseconds(500); }
  // After healing: has the system come back to work, and is the work done? Must be true within
  // recovery_time.
  virtual bool recovered(World& world) = 0;
  virtual Duration recovery_time() const { return seconds(120); }
  // Why it has not recovered; for the report.
  virtual std::string what_hangs(World&) { return {}; }
  virtual void check_end(World&, Findings&) {}
};

struct ScenarioEntry {
  std::string name;
  std::string what;  // one line for people
  std::function<std::unique_ptr<Scenario>()> make;
  std::vector<Bug> finds;  // planted bugs that its checkers must find
};

}  // namespace moldau::sim
