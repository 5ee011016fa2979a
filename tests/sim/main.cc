// moldau_sim: the simulator as a program. The only part of it that touches the system: a clock, a
// process for what may abort, and whether somebody looks.
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "broker_scenario.h"
#include "log_scenario.h"
#include "raft_scenario.h"
#include "sim/cli.h"
#include "toy_log.h"

namespace {

int64_t monotonic_nanos() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

int isolated(const std::function<int()>& step) {
  std::fflush(nullptr);
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever stops the program stops this, too
    int code = step();
    std::fflush(nullptr);
    _exit(code);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    fmt::print(stderr, "moldau_sim: cannot start a process\n");
    return 255;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<moldau::sim::ScenarioEntry> scenarios{
      moldau::kafka::broker(),     moldau::kafka::broker_async(),  moldau::logsim::log_ack(),
      moldau::logsim::log_async(), moldau::logsim::log_clean(),    moldau::logsim::log_damage(),
      moldau::logsim::log_each(),  moldau::logsim::log_follower(), moldau::raftsim::raft_quorum(),
      moldau::toy::toy_log()};
  moldau::sim::CliWorld outside{&monotonic_nanos, &isolated, isatty(STDERR_FILENO) == 1};
  return moldau::sim::run_cli(scenarios, {argv + 1, argv + argc}, outside);
}
