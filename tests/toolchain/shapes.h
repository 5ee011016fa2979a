// What the toolchain tests are made of: a minimal coroutine type of its own, values that count
// their lives and notice being moved bit by bit, and a queue of suspended coroutines. Independent
// of src/host, so that a failure here means the compiler and not us.
#pragma once
#include <gtest/gtest.h>

#include <coroutine>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace shapes {

inline int live = 0;                                     // Tracked values that exist
inline std::deque<std::coroutine_handle<>> suspended{};  // first in, first resumed

// Counts itself, and remembers its address: a copy that no constructor made has the wrong one.
struct Tracked {
  std::string text;
  const Tracked* self;
  explicit Tracked(std::string t = "long enough not to fit into the string itself")
      : text(std::move(t)), self(this) {
    live++;
  }
  Tracked(const Tracked& o) : text(o.text), self(this) { live++; }
  Tracked(Tracked&& o) noexcept : text(std::move(o.text)), self(this) { live++; }
  Tracked& operator=(const Tracked& o) = delete;
  Tracked& operator=(Tracked&& o) = delete;
  ~Tracked() {
    EXPECT_EQ(self, this) << "moved bit by bit, or destroyed twice";
    self = nullptr;
    live--;
  }
  size_t size() const { return text.size(); }
};
constexpr size_t kSize = 45;  // of the default text

struct Suspend {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const { suspended.push_back(h); }
  void await_resume() const noexcept {}
};

template <class T>
class Task;

struct PromiseBase {
  std::coroutine_handle<> continuation{};
  struct Final {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) const noexcept {
      std::coroutine_handle<> next = h.promise().continuation;
      return next ? next : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  Final final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept { std::abort(); }
};
template <class T>
struct Promise : PromiseBase {
  std::optional<T> value{};
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};
template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const {}
  void take() const {}
};

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle h) : handle_(h) {}
  Task(Task&& o) noexcept : handle_(std::exchange(o.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }
  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) const {
      handle.promise().continuation = awaiting;
      return handle;
    }
    T await_resume() const { return handle.promise().take(); }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }
  Handle handle() const { return handle_; }

 private:
  Handle handle_;
};
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(Task<void>::Handle::from_promise(*this));
}

inline void drain() {
  while (!suspended.empty()) {
    std::coroutine_handle<> next = suspended.front();
    suspended.pop_front();
    next.resume();
  }
}

// Runs the coroutine to its end: it must get there, and every value that it made must be gone.
inline void finishes(Task<> (*body)()) {
  live = 0;
  suspended.clear();
  {
    Task<> task = body();
    task.handle().resume();
    drain();
    EXPECT_TRUE(task.handle().done()) << "the coroutine never reached its end";
  }
  EXPECT_EQ(live, 0);
}

// Runs the coroutine until it waits for ever and destroys it there, as a simulated crash does.
inline void dies_waiting(Task<> (*body)()) {
  live = 0;
  suspended.clear();
  {
    Task<> task = body();
    task.handle().resume();
    drain();
    EXPECT_FALSE(task.handle().done());
    EXPECT_GT(live, 0) << "a test that destroys nothing proves nothing";
  }
  EXPECT_EQ(live, 0);
}

inline Task<int> number(int n) {
  co_await Suspend();
  co_return n;
}
inline Task<int> number_at_once(int n) { co_return n; }
inline Task<bool> answer(Tracked, bool b) {
  co_await Suspend();
  co_return b;
}
inline Task<std::string> text(std::string s) {
  co_await Suspend();
  co_return s + "-and more than fits into the string itself";
}
constexpr size_t kTextSize = 42;  // what text() adds
inline Task<Tracked> tracked(std::string s) {
  co_await Suspend();
  co_return Tracked(std::move(s));
}
inline Task<int> never() {
  co_await std::suspend_always();
  co_return 1;
}

}  // namespace shapes
