// call(home, there, step): runs step() on another loop in one step and resumes here with its
// result. step must not suspend. The operation lives in the caller's frame; the caller outlives the
// call.
#pragma once
#include <optional>
#include <type_traits>
#include <utility>

#include "host/loop.h"
#include "host/task.h"

namespace moldau::host {

template <class F>
class Call : public Op {
 public:
  using R = std::invoke_result_t<F&>;
  Call(Loop& home, Loop& there, F step) : home_(home), there_(there), step_(std::move(step)) {}
  bool await_ready() {
    if (&home_ == &there_) result_.emplace(step_());
    return result_.has_value();
  }
  void await_suspend(std::coroutine_handle<> h) {
    check_may_suspend();
    waiter = h;
    there_.post({&Call::run, this, 0});
  }
  R await_resume() { return std::move(*result_); }

 private:
  static void run(void* self, uint64_t) {
    auto* call = static_cast<Call*>(self);
    call->result_.emplace(call->step_());
    call->home_.post({&Call::back, call, 0});
  }
  static void back(void* self, uint64_t) { static_cast<Call*>(self)->waiter.resume(); }
  Loop& home_;
  Loop& there_;
  F step_;
  std::optional<R> result_;
};
template <class F>
Call<F> call(Loop& home, Loop& there, F step) {
  return Call<F>(home, there, std::move(step));
}

}  // namespace moldau::host
