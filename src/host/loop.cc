#include "host/loop.h"

#include <fmt/format.h>

#include "base/check.h"
#include "host/root_task.h"
#include "host/wait_set.h"

namespace moldau::host {

Loop::~Loop() = default;

Loop::SleepAwaiter Loop::sleep_until(Instant at) { return {*this, at}; }
Loop::SleepAwaiter Loop::sleep(Duration d) { return {*this, now() + d}; }
Loop::YieldAwaiter Loop::yield() { return YieldAwaiter(*this); }

void Loop::SleepAwaiter::await_suspend(std::coroutine_handle<> h) {
  check_may_suspend();
  waiter = h;
  fire = [](Timer& timer) { static_cast<SleepAwaiter&>(timer).loop.ready(timer); };
  if (at != kNever) loop.arm(*this);
}

void Loop::YieldAwaiter::await_suspend(std::coroutine_handle<> h) {
  check_may_suspend();
  waiter = h;
  loop.ready(*this);
}

uint64_t Loop::admit(WaitSet& waiter) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  slots_[index].waiter = &waiter;
  return static_cast<uint64_t>(slots_[index].generation) << 32 | index;
}

void Loop::dismiss(uint64_t ticket) {
  uint32_t index = static_cast<uint32_t>(ticket);
  CHECK(index < slots_.size() && slots_[index].waiter, "ticket {} was not admitted", ticket);
  slots_[index].waiter = nullptr;
  slots_[index].generation++;
  free_slots_.push_back(index);
}

Mail Loop::wake_mail(Loop& loop, uint64_t ticket) { return {&Loop::deliver, &loop, ticket}; }

void Loop::deliver(void* self, uint64_t ticket) {
  Loop& loop = *static_cast<Loop*>(self);
  uint32_t index = static_cast<uint32_t>(ticket);
  if (index >= loop.slots_.size()) return;
  Slot& slot = loop.slots_[index];
  if (slot.waiter && slot.generation == ticket >> 32) slot.waiter->on_raised();
}

std::string Loop::dump() const {
  std::string out;
  for (const RootTask* root = first_root_; root; root = root->next_in_loop) {
    out += fmt::format("task of {} spawned at {}:{}\n", root->scope_name(),
                       root->spawned_at.file_name(), root->spawned_at.line());
    for (const PromiseBase* p = root->promise; p; p = p->child)
      out += fmt::format("  awaits at {}:{} in {}\n", p->at.file_name(), p->at.line(),
                         p->at.function_name());
  }
  return out;
}

}  // namespace moldau::host
