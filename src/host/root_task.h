// The coroutine at the bottom of every chain of tasks: owned by a scope, listed in its loop. Inside
// host only.
#pragma once
#include <source_location>

#include "host/scope.h"

namespace moldau::host {

struct RootTask : Op {
  Scope* scope = nullptr;
  const PromiseBase* promise = nullptr;  // of the frame that runs the task
  std::source_location spawned_at;
  RootTask* prev = nullptr;  // in the scope
  RootTask* next = nullptr;
  RootTask* prev_in_loop = nullptr;
  RootTask* next_in_loop = nullptr;

  RootTask(Scope& owner, const PromiseBase& frame, std::source_location where);
  ~RootTask();
  const char* scope_name() const { return scope->name_; }
};

}  // namespace moldau::host
