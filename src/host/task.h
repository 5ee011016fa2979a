// Task<T>: a lazy coroutine. It starts when awaited, belongs to whoever holds it, and resumes its
// awaiter without growing the stack. Frames come from a per-thread pool. Every suspended task knows
// where it waits and for which task, so that Loop::dump can print what hangs. Rules (STYLE.md):
// name it, then await it; parameters are values or outlive the scope; no over-aligned locals.
#pragma once
#include <coroutine>
#include <cstddef>
#include <optional>
#include <source_location>
#include <utility>

#include "base/compiler.h"

namespace moldau::host {

// Memory of coroutine frames: free lists by size, one set a thread. A frame is freed on its own
// thread.
void* allocate_frame(size_t bytes);
void free_frame(void* frame, size_t bytes);

// Called by everything that may suspend: stops the process if a Monitor is entered
// (host/monitor.h).
void check_may_suspend();

struct PromiseBase {
  std::coroutine_handle<> continuation;  // the awaiter, resumed at the end
  PromiseBase* child = nullptr;          // the task that this one awaits, if it awaits a task
  std::source_location at;               // of the await it is in

  static void* operator new(size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, size_t bytes) { free_frame(frame, bytes); }

  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
      std::coroutine_handle<> next = self.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept;
  template <class A>
  A&& await_transform(A&& awaitable, std::source_location where = std::source_location::current()) {
    at = where;
    return std::forward<A>(awaitable);
  }
};

template <class T>
class [[nodiscard]] Task;

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};
template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const noexcept {}
};

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& o) noexcept : handle_(std::exchange(o.handle_, {})) {}
  Task& operator=(Task&& o) noexcept {
    std::swap(handle_, o.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }
  explicit operator bool() const { return static_cast<bool>(handle_); }

  struct Awaiter {
    Handle task;
    PromiseBase* parent = nullptr;
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> awaiter) noexcept {
      task.promise().continuation = awaiter;
      parent = &awaiter.promise();
      parent->child = &task.promise();
      return task;
    }
    T await_resume() {
      parent->child = nullptr;
      return task.promise().take();
    }
  };
  Awaiter operator co_await() && noexcept { return {handle_}; }

 private:
  Handle handle_;
};

template <class T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

}  // namespace moldau::host
