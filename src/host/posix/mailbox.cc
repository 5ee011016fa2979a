#include "host/posix/mailbox.h"

#include <utility>

namespace moldau::host::posix {

bool Mailbox::post(Mail mail) {
  std::scoped_lock lock(mutex_);
  mail_.push_back(mail);
  any_.store(true, std::memory_order_release);
  return std::exchange(asleep_, false);
}

void Mailbox::take(std::vector<Mail>& into) {
  if (!any_.load(std::memory_order_acquire)) return;
  std::scoped_lock lock(mutex_);
  any_.store(false, std::memory_order_relaxed);
  mail_.swap(into);
}

bool Mailbox::may_sleep() {
  std::scoped_lock lock(mutex_);
  asleep_ = mail_.empty();
  return asleep_;
}

void Mailbox::awake() {
  std::scoped_lock lock(mutex_);
  asleep_ = false;
}

bool Mailbox::rouse() {
  std::scoped_lock lock(mutex_);
  return std::exchange(asleep_, false);
}

}  // namespace moldau::host::posix
