// Event: tasks of one loop wait for something to happen, each with its deadline; first come, first
// woken. The happening itself is state elsewhere: test it, wait, test again.
#pragma once
#include "base/list.h"
#include "host/loop.h"

namespace moldau::host {

class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  class Waiter;
  // true: notified. false: the deadline came first. Exactly one of them, also when both fall into
  // one turn.
  Waiter wait_until(Instant deadline);
  Waiter wait();
  void notify_one();
  void notify_all();
  bool has_waiters() const { return !waiters_.empty(); }

 private:
  Loop& loop_;
  List<Waiter> waiters_;
};

class Event::Waiter : public Timer, public ListNode {
 public:
  Waiter(Event& event, Instant deadline);
  ~Waiter();
  bool await_ready() const { return at <= event_.loop_.now(); }
  void await_suspend(std::coroutine_handle<> h);
  bool await_resume() const noexcept { return notified_; }

 private:
  friend class Event;
  Event& event_;
  bool notified_ = false;
};

}  // namespace moldau::host
