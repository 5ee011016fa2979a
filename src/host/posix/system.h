// System: the real world of one process: its loops with a thread and an Env each, the helpers they
// share, signals. Made by main, and by tests of the real world.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "host/env.h"
#include "host/posix/disk.h"
#include "host/posix/entropy.h"
#include "host/posix/helpers.h"
#include "host/posix/network.h"
#include "host/posix/ports.h"
#include "host/posix/reactor.h"
#include "host/posix/signals.h"
#include "host/task.h"

namespace moldau::host::posix {

struct SystemOptions {
  size_t loops = 1;
  size_t helpers =
      8;  // threads at most, for the disk; fsyncs of one disk gain from coming together
  bool signals = false;  // take SIGTERM, SIGINT, SIGQUIT and SIGUSR1
};

class System {
 public:
  // Settles the process as well: descriptor limit, allocator, SIGPIPE.
  static Result<std::unique_ptr<System>> create(const SystemOptions& options);
  ~System();

  size_t loops() const { return loops_.size(); }
  Env& env(size_t loop) { return loops_[loop]->env; }
  Reactor& reactor(size_t loop) { return *loops_[loop]->reactor; }

  // Runs the task on loop 0, which is the calling thread, and the other loops on threads of their
  // own, until the task has ended. By then it has ended everything that it began elsewhere.
  Result<void> run(Task<void> main);
  // With options.signals: called on loop 0 with SIGTERM or SIGINT. Before the first run.
  void on_stop_signal(std::function<void(int)> call);
  // Prints where every task of every loop waits, to stderr; each loop as soon as it comes to it.
  // From any thread.
  void dump_tasks();

 private:
  struct OneLoop {
    OneLoop(std::unique_ptr<Reactor> r, System& system);
    std::unique_ptr<Reactor> reactor;
    Network network;
    Disk disk;
    Entropy entropy;
    Env env;
    Thread thread;
  };
  explicit System(const SystemOptions& options);
  void stop_loops(size_t first, size_t end);

  Ports ports_;
  std::vector<std::unique_ptr<OneLoop>> loops_;
  std::unique_ptr<Signals> signals_;
  // Behind the loops: they die first, and with them the last mail to a loop.
  Helpers helpers_;
  Helpers resolvers_;
};

}  // namespace moldau::host::posix
