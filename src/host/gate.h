// Gate counts what is under way: hold a Pass while you work, await drained() before you tear down.
// Semaphore is back-pressure by bytes: strictly first in, first out, so that a large request is not
// starved.
#pragma once
#include <cstdint>
#include <utility>

#include "base/list.h"
#include "host/event.h"
#include "host/task.h"

namespace moldau::host {

class Gate {
 public:
  explicit Gate(Loop& loop) : idle_(loop) {}
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(&gate) { gate.held_++; }
    Pass(Pass&& o) noexcept : gate_(std::exchange(o.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ && --gate_->held_ == 0) gate_->idle_.notify_all();
    }

   private:
    Gate* gate_;
  };
  Pass enter() { return Pass(*this); }
  size_t held() const { return held_; }
  Task<void> drained();

 private:
  size_t held_ = 0;
  Event idle_;
};

class Semaphore {
 public:
  Semaphore(Loop& loop, int64_t capacity) : loop_(loop), capacity_(capacity), free_(capacity) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  class Waiter;
  // Takes n (at most the capacity; more counts as the capacity), waits its turn if there is less.
  // Returns what it took: release exactly that.
  Waiter acquire(int64_t n);
  bool try_acquire(int64_t n);
  void release(int64_t n);
  int64_t free() const { return free_; }
  int64_t capacity() const { return capacity_; }

 private:
  void grant();
  Loop& loop_;
  const int64_t capacity_;
  int64_t free_;
  List<Waiter> waiters_;
};

class Semaphore::Waiter : public Op, public ListNode {
 public:
  Waiter(Semaphore& semaphore, int64_t n) : semaphore_(semaphore), wanted_(n) {}
  bool await_ready();
  void await_suspend(std::coroutine_handle<> h);
  int64_t await_resume() const noexcept { return wanted_; }

 private:
  friend class Semaphore;
  Semaphore& semaphore_;
  int64_t wanted_;
};

}  // namespace moldau::host
