// Monitor<T>: a pure core that any loop may enter for one bounded step. Inside, nothing suspends,
// waits or does I/O: the process stops if a task tries (check_may_suspend). Monitors do not nest.
//   partition.enter([&](PartitionCore& core) { return core.append(batch); });
#pragma once
#include <mutex>
#include <utility>

namespace moldau::host {

// Counts that this thread is inside a monitor; a second one is a bug.
class MonitorScope {
 public:
  MonitorScope();
  ~MonitorScope();
  MonitorScope(const MonitorScope&) = delete;
  MonitorScope& operator=(const MonitorScope&) = delete;
};

template <class T>
class Monitor {
 public:
  template <class... A>
  explicit Monitor(A&&... arguments) : value_(std::forward<A>(arguments)...) {}
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  template <class F>
  decltype(auto) enter(F&& step) {
    MonitorScope
        inside;  // before the lock: entering the same monitor twice is found, not waited for
    std::scoped_lock lock(mutex_);
    return std::forward<F>(step)(value_);
  }
  template <class F>
  decltype(auto) enter(F&& step) const {
    MonitorScope inside;
    std::scoped_lock lock(mutex_);
    return std::forward<F>(step)(std::as_const(value_));
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace moldau::host
