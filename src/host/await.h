// Await<Op, Target>: the awaiter of an operation that a backend performs. target.start(op) returns
// true if it is finished at once, false if the loop will resume it. Lives in the awaiting frame;
// allocates nothing.
#pragma once
#include <coroutine>
#include <utility>

namespace moldau::host {

void check_may_suspend();

template <class Operation, class Target>
class Await {
 public:
  // arguments: the fields of Operation that differ from their defaults.
  template <class Setup>
  Await(Target& target, Setup setup) : target_(target) {
    setup(op_);
  }
  Await(const Await&) = delete;
  Await& operator=(const Await&) = delete;
  bool await_ready() {
    check_may_suspend();
    return target_.start(op_);
  }
  void await_suspend(std::coroutine_handle<> h) noexcept { op_.waiter = h; }
  auto await_resume() { return op_.take(); }

 private:
  Target& target_;
  Operation op_;
};

}  // namespace moldau::host
