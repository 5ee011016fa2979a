#include "host/wait_set.h"

#include "base/check.h"
#include "host/task.h"

namespace moldau::host {

void Signal::raise() {
  std::scoped_lock lock(watches_->mutex);
  // A post never calls back, so it may happen under the lock.
  while (Watch* watch = watches_->list.pop_front())
    watch->loop->post(Loop::wake_mail(*watch->loop, watch->ticket));
}

WaitSet::WaitSet(Loop& loop) : loop_(loop), ticket_(loop.admit(*this)) {}

WaitSet::~WaitSet() {
  for (Signal::Watch& watch : watches_) {
    std::scoped_lock lock(watch.of->mutex);
    watch.unlink();
  }
  loop_.dismiss(ticket_);
}

void WaitSet::watch(Signal& signal) {
  Signal::Watch& watch = watches_.emplace_back();
  watch.of = signal.watches_;
  watch.loop = &loop_;
  watch.ticket = ticket_;
  std::scoped_lock lock(watch.of->mutex);
  watch.of->list.push_back(watch);
}

void WaitSet::rearm() {
  for (Signal::Watch& watch : watches_) {
    std::scoped_lock lock(watch.of->mutex);
    if (!watch.linked()) watch.of->list.push_back(watch);
  }
}

void WaitSet::on_raised() {
  raised_ = true;
  if (!waiting_) return;
  loop_.disarm(*waiting_);
  loop_.ready(*std::exchange(waiting_, nullptr));
}

WaitSet::Waiter WaitSet::wait_until(Instant deadline) { return {*this, deadline}; }

WaitSet::Waiter::Waiter(WaitSet& set, Instant deadline) : set_(set) {
  at = deadline;
  fire = [](Timer& timer) {
    auto& waiter = static_cast<Waiter&>(timer);
    waiter.set_.waiting_ = nullptr;
    waiter.set_.loop_.ready(waiter);
  };
}

WaitSet::Waiter::~Waiter() {
  set_.loop_.disarm(*this);
  if (set_.waiting_ == this) set_.waiting_ = nullptr;
}

void WaitSet::Waiter::await_suspend(std::coroutine_handle<> h) {
  check_may_suspend();
  CHECK(!set_.waiting_, "two tasks wait on one wait set");
  waiter = h;
  set_.waiting_ = this;
  if (at != kNever) set_.loop_.arm(*this);
}

bool WaitSet::Waiter::await_resume() noexcept {
  bool raised = std::exchange(set_.raised_, false);
  if (raised) set_.rearm();
  return raised;
}

}  // namespace moldau::host
