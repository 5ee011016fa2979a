#include "host/gate.h"

#include <algorithm>

#include "base/check.h"

namespace moldau::host {

Task<void> Gate::drained() {
  while (held_ > 0) co_await idle_.wait();
}

Semaphore::Waiter Semaphore::acquire(int64_t n) { return {*this, std::min(n, capacity_)}; }

bool Semaphore::try_acquire(int64_t n) {
  if (!waiters_.empty() || free_ < n) return false;
  free_ -= n;
  return true;
}

void Semaphore::release(int64_t n) {
  free_ += n;
  CHECK(free_ <= capacity_, "released {} more than acquired", free_ - capacity_);
  grant();
}

void Semaphore::grant() {
  for (Waiter* first; (first = waiters_.front()) && first->wanted_ <= free_;) {
    free_ -= first->wanted_;
    waiters_.pop_front();
    loop_.ready(*first);
  }
}

bool Semaphore::Waiter::await_ready() { return semaphore_.try_acquire(wanted_); }

void Semaphore::Waiter::await_suspend(std::coroutine_handle<> h) {
  check_may_suspend();
  waiter = h;
  semaphore_.waiters_.push_back(*this);
}

}  // namespace moldau::host
