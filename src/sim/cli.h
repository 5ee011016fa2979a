// The simulator's command line. main gives it the scenarios and what it may know of the outside.
#pragma once
#include <cstdio>
#include <functional>
#include <string_view>
#include <vector>

#include "sim/scenario.h"

namespace moldau::sim {

struct CliWorld {
  std::function<int64_t()> nanos;  // a monotonic clock, for rates and progress
  // Runs step in a process of its own. Its return value (0 to 255), or -1 if it was stopped by a
  // signal.
  std::function<int(const std::function<int()>& step)> isolated;
  bool terminal = false;  // stderr is one: show progress
};

// Exit code: 0 fine, 1 something was found (bugs: not everything was found), 2 misuse.
int run_cli(const std::vector<ScenarioEntry>& scenarios, std::vector<std::string_view> arguments,
            const CliWorld& outside);

}  // namespace moldau::sim
