// Signals: SIGTERM and SIGINT ask to stop, SIGQUIT and SIGUSR1 ask for a dump; both arrive as mail
// on one loop.
#pragma once
#include <signal.h>

#include <functional>
#include <memory>

#include "host/posix/reactor.h"

namespace moldau::host::posix {

class Signals final : private Watch {
 public:
  // Takes the four signals away from the whole process until it dies. Made before any other thread,
  // which inherit that; a program started meanwhile inherits it too.
  static Result<std::unique_ptr<Signals>> create(Reactor& reactor);
  ~Signals();

  // Called on the reactor's loop with the signal's number.
  void on_stop(std::function<void(int)> call) { stop_ = std::move(call); }
  void on_dump(std::function<void()> call) { dump_ = std::move(call); }

 private:
  Signals(Reactor& reactor, int fd, const sigset_t& before);
  void on_events(uint32_t events) override;
  static void arrived(void* signals, uint64_t number);
  Reactor& reactor_;
  Descriptor fd_;
  sigset_t before_;  // the mask to go back to
  std::function<void(int)> stop_;
  std::function<void()> dump_;
};

// A peer that hangs up is an error value (EPIPE), not the end of the process. sendfile and pipes
// have no flag for it.
void ignore_broken_pipes();

}  // namespace moldau::host::posix
