// WaitSet: one task waits for any of several signals, or a deadline: a long poll over many
// partitions. Signal: a thing that any loop may raise; the waiters may live on other loops.
//   WaitSet changes(loop);
//   for (Partition* p : wanted) changes.watch(p->appended);      // first register,
//   while (!enough()) if (!co_await changes.wait_until(deadline)) break;   // then look, then wait
// Register before looking: a signal raised in between is remembered.
#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "base/list.h"
#include "host/loop.h"

namespace moldau::host {

class Signal {
 public:
  Signal() : watches_(std::make_shared<Watches>()) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;
  // Wakes every wait set that watches this, on its own loop. From any loop.
  void raise();

 private:
  friend class WaitSet;
  struct Watches;
  struct Watch : ListNode {
    std::shared_ptr<Watches> of;
    Loop* loop = nullptr;
    uint64_t ticket = 0;
  };
  // Shared with those who watch: a signal may die right after a raise, while they still have to put
  // their watch back.
  struct Watches {
    std::mutex mutex;
    List<Watch> list;  // guarded by mutex
  };
  std::shared_ptr<Watches> watches_;
};

class WaitSet {
 public:
  explicit WaitSet(Loop& loop);
  WaitSet(const WaitSet&) = delete;
  WaitSet& operator=(const WaitSet&) = delete;
  ~WaitSet();

  // Signals stay watched until the wait set dies; the signal may die first, and then never comes
  // again. A raise takes the watch off its list and the end of the wait puts it back, before the
  // caller looks again: a signal raised a thousand times in one turn sends one mail.
  void watch(Signal& signal);
  // true: a signal was raised since the last wait (or since watch). false: the deadline came first.
  class Waiter;
  Waiter wait_until(Instant deadline);

 private:
  friend class Loop;
  void on_raised();  // on the own loop
  void rearm();
  Loop& loop_;
  uint64_t ticket_;
  bool raised_ = false;
  Waiter* waiting_ = nullptr;
  std::deque<Signal::Watch> watches_;  // addresses stay
};

class WaitSet::Waiter : public Timer {
 public:
  Waiter(WaitSet& set, Instant deadline);
  ~Waiter();
  bool await_ready() const { return set_.raised_ || at <= set_.loop_.now(); }
  void await_suspend(std::coroutine_handle<> h);
  bool await_resume() noexcept;

 private:
  friend class WaitSet;
  WaitSet& set_;
};

}  // namespace moldau::host
