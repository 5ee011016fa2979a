// One suspended operation: what a backend needs to know to finish it. It is a base of the awaiter
// and so lives in the awaiting coroutine's frame; starting one allocates nothing.
#pragma once
#include <coroutine>
#include <cstdint>

#include "base/result.h"
#include "base/time.h"

namespace moldau::host {

struct Op {
  std::coroutine_handle<> waiter;
  int64_t count = 0;  // bytes moved, or what the operation says
  Errc error{};       // meaningful if failed
  bool failed = false;
  const char* detail = "";  // static text of the cause ("No space left on device")
  Op* next = nullptr;       // for the backend's queues

  Op() = default;
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  // Both return true so that a start function can end with `return op.succeed(n);`.
  bool succeed(int64_t n = 0) {
    count = n;
    failed = false;
    return true;
  }
  bool fail(Errc code, const char* why) {
    error = code;
    detail = why;
    failed = true;
    return true;
  }

  Result<size_t> take_count() const {
    if (failed) return Error(error, detail);
    return static_cast<size_t>(count);
  }
  Result<void> take_void() const {
    if (failed) return Error(error, detail);
    return {};
  }
};

// A deadline in a loop's heap. fire runs on the loop when `at` has come, once; Loop::disarm
// prevents it.
struct Timer : Op {
  Instant at = kNever;
  int32_t slot = -1;      // place in the heap, -1: not armed
  uint64_t sequence = 0;  // first armed fires first among equals
  void (*fire)(Timer&) = nullptr;
};

}  // namespace moldau::host
