#include "host/event.h"

#include "host/task.h"

namespace moldau::host {

Event::Waiter Event::wait_until(Instant deadline) { return {*this, deadline}; }
Event::Waiter Event::wait() { return {*this, kNever}; }

void Event::notify_one() {
  Waiter* waiter = waiters_.pop_front();
  if (!waiter) return;
  loop_.disarm(*waiter);
  waiter->notified_ = true;
  loop_.ready(*waiter);
}

void Event::notify_all() {
  while (has_waiters()) notify_one();
}

Event::Waiter::Waiter(Event& event, Instant deadline) : event_(event) {
  at = deadline;
  fire = [](Timer& timer) {
    auto& waiter = static_cast<Waiter&>(timer);
    waiter.unlink();
    waiter.event_.loop_.ready(waiter);
  };
}

Event::Waiter::~Waiter() { event_.loop_.disarm(*this); }

void Event::Waiter::await_suspend(std::coroutine_handle<> h) {
  check_may_suspend();
  waiter = h;
  event_.waiters_.push_back(*this);
  if (at != kNever) event_.loop_.arm(*this);
}

}  // namespace moldau::host
