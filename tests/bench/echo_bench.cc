// Runs both servers by turns (A B A B ...) under the same loads and prints what a request costs
// each of them. The figure that counts is the ratio of CPU for each request; it survives a busy
// machine, requests/s do not.
//   ./dev bench echo [--seconds S] [--rounds N] [--dir DIR]
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/check.h"
#include "client.h"
#include "servers.h"

namespace moldau::bench {
namespace {

struct Options {
  double seconds = 0.5;
  int rounds = 5;
  std::string directory = "/tmp";
};

void pin(size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);  // on one core both share it
}

using Serve = void (*)(int, const std::string&);

// A server in a process of its own, with a file of its own.
class Child {
 public:
  Child(Serve serve, const std::string& directory) {
    int pipe[2];
    CHECK(::pipe(pipe) == 0);
    file_ = fmt::format("{}/bench_echo.{}", directory, ::getpid());
    pid_ = ::fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      pin(0);
      serve(pipe[1], file_);
    }
    CHECK(::read(pipe[0], &port_, sizeof port_) == sizeof port_);
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::unlink(file_.c_str());
  }
  uint16_t port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  std::string file_;
  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Series {
  std::vector<double> micros, rate;
  void add(const Figures& figures) {
    micros.push_back(figures.server_micros);
    rate.push_back(figures.requests_per_second);
  }
};

// The median ratio of CPU for each request, Moldau to epoll. Each round compares neighbours in
// time.
double compare(const Load& load, const Options& options) {
  Series epoll, moldau;
  std::vector<double> ratios;
  for (int round = 0; round < options.rounds; round++) {
    for (bool ours : {false, true}) {
      Child server(ours ? &serve_by_moldau : &serve_by_epoll, options.directory);
      (ours ? moldau : epoll).add(run_load(load, server.port(), server.pid()));
    }
    ratios.push_back(moldau.micros.back() / epoll.micros.back());
  }
  double ratio = median(ratios);
  std::string name = fmt::format("{} B x {} (depth {})", load.frame, load.connections, load.depth);
  fmt::print("{:<28} {:>10.3f} {:>10.3f} {:>8.2f} {:>12.0f} {:>12.0f}\n", name,
             median(epoll.micros), median(moldau.micros), ratio, median(epoll.rate),
             median(moldau.rate));
  std::fflush(stdout);
  return ratio;
}

int run(const Options& options) {
  ::signal(SIGPIPE, SIG_IGN);
  fmt::print(
      "framed append, CPU us of the server for each request, medians of {} rounds of {} s\n\n",
      options.rounds, options.seconds);
  fmt::print("{:<28} {:>10} {:>10} {:>8} {:>12} {:>12}\n", "load", "epoll", "moldau", "ratio",
             "epoll req/s", "moldau req/s");
  pin(1);
  const std::vector<Load> loads{{100, 64, 16},    {1024, 1, 1},     {1024, 8, 16},
                                {1024, 64, 5},    {1024, 500, 2},   {16 << 10, 8, 5},
                                {64 << 10, 8, 5}, {256 << 10, 8, 2}};
  double product = 1;
  for (Load load : loads) {
    load.seconds = options.seconds;
    product *= compare(load, options);
  }
  double mean = std::pow(product, 1.0 / static_cast<double>(loads.size()));
  fmt::print("\nmean ratio (geometric): {:.3f}\n", mean);
  return 0;
}

}  // namespace
}  // namespace moldau::bench

int main(int argc, char** argv) {
  moldau::bench::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--seconds")) options.seconds = std::atof(argv[i + 1]);
    if (!std::strcmp(argv[i], "--rounds")) options.rounds = std::atoi(argv[i + 1]);
    if (!std::strcmp(argv[i], "--dir")) options.directory = argv[i + 1];
  }
  return moldau::bench::run(options);
}
