#include "host/scope.h"

#include "host/root_task.h"

namespace moldau::host {
namespace {

// Runs one task to its end. Nobody awaits it: at the end its frame frees itself.
struct Runner {
  struct promise_type : PromiseBase {
    RootTask root;
    promise_type(Scope& scope, std::source_location where, Task<void>&)
        : root(scope, *this, where) {}
    Runner get_return_object() {
      root.waiter = std::coroutine_handle<promise_type>::from_promise(*this);
      return {&root};
    }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
  };
  RootTask* root;
};

Runner run(Scope&, std::source_location, Task<void> task) { co_await std::move(task); }

}  // namespace

RootTask::RootTask(Scope& owner, const PromiseBase& frame, std::source_location where)
    : scope(&owner), promise(&frame), spawned_at(where) {
  next = scope->first_;
  if (next) next->prev = this;
  scope->first_ = this;
  scope->running_++;
  next_in_loop = scope->loop_.first_root_;
  if (next_in_loop) next_in_loop->prev_in_loop = this;
  scope->loop_.first_root_ = this;
}

RootTask::~RootTask() {
  (prev ? prev->next : scope->first_) = next;
  if (next) next->prev = prev;
  (prev_in_loop ? prev_in_loop->next_in_loop : scope->loop_.first_root_) = next_in_loop;
  if (next_in_loop) next_in_loop->prev_in_loop = prev_in_loop;
  if (--scope->running_ == 0) scope->empty_.notify_all();
}

void Scope::spawn(Task<void> task, std::source_location where) {
  loop_.ready(*run(*this, where, std::move(task)).root);
}

Task<void> Scope::drained() {
  while (running_ > 0) co_await empty_.wait();
}

Scope::~Scope() {
  while (first_) first_->waiter.destroy();
}

}  // namespace moldau::host
