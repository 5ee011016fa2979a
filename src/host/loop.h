// A loop: where tasks run, one step at a time, on one thread. Timers, the ready queue, mail from
// other loops and the list of root tasks. Backends: posix::Reactor and the simulator's node.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "host/op.h"

namespace moldau::host {

class WaitSet;
struct RootTask;

// A message to a loop: run(context, argument) is called on it, in one step of its own.
struct Mail {
  void (*run)(void* context, uint64_t argument) = nullptr;
  void* context = nullptr;
  uint64_t argument = 0;
};

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop();

  virtual Instant now() const = 0;
  // Resumes op.waiter in a later step, in the scheduler's order. Own loop only.
  virtual void ready(Op& op) = 0;
  virtual void arm(Timer& timer) = 0;
  virtual void disarm(Timer& timer) = 0;
  // From any loop or helper thread: never blocks for long, never loses, keeps the order of one
  // sender.
  virtual void post(Mail mail) = 0;

  struct SleepAwaiter;
  SleepAwaiter sleep_until(Instant at);
  SleepAwaiter sleep(Duration d);
  // Lets everything that is ready run first.
  struct YieldAwaiter;
  YieldAwaiter yield();

  // Where every root task waits, one chain of awaits a task: the answer to "what hangs?".
  std::string dump() const;

  // Waiters that other loops may wake: a ticket instead of a pointer, so that a late wake-up finds
  // nothing rather than a frame that is gone.
  uint64_t admit(WaitSet& waiter);
  void dismiss(uint64_t ticket);
  static Mail wake_mail(Loop& loop, uint64_t ticket);

 private:
  friend struct RootTask;
  struct Slot {
    WaitSet* waiter = nullptr;
    uint32_t generation = 0;
  };
  static void deliver(void* loop, uint64_t ticket);
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  RootTask* first_root_ = nullptr;  // of all scopes, newest first
};

struct Loop::SleepAwaiter : Timer {
  Loop& loop;
  SleepAwaiter(Loop& l, Instant t) : loop(l) { at = t; }
  ~SleepAwaiter() { loop.disarm(*this); }
  bool await_ready() const { return at <= loop.now(); }
  void await_suspend(std::coroutine_handle<> h);
  void await_resume() const noexcept {}
};
struct Loop::YieldAwaiter : Op {
  Loop& loop;
  explicit YieldAwaiter(Loop& l) : loop(l) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h);
  void await_resume() const noexcept {}
};

}  // namespace moldau::host
