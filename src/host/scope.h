// A scope owns root tasks. Closing a component means: tell its tasks to end, then await drained().
// Destroying a scope destroys the tasks that still run: in the simulator that is a crash, in
// production a bug.
#pragma once
#include <coroutine>
#include <source_location>

#include "host/event.h"
#include "host/task.h"

namespace moldau::host {

struct RootTask;

class Scope {
 public:
  // name stands in Loop::dump; it outlives the scope.
  Scope(Loop& loop, const char* name) : loop_(loop), name_(name), empty_(loop) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope();

  // The task starts in a step of its own, on the scope's loop.
  void spawn(Task<void> task, std::source_location where = std::source_location::current());
  size_t running() const { return running_; }
  // Returns when no task runs any more.
  Task<void> drained();
  Loop& loop() const { return loop_; }

 private:
  friend struct RootTask;
  Loop& loop_;
  const char* name_;
  RootTask* first_ = nullptr;
  size_t running_ = 0;
  Event empty_;
};

}  // namespace moldau::host
