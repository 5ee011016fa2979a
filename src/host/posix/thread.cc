#include "host/posix/thread.h"

#include "base/check.h"

namespace moldau::host::posix {

Thread::~Thread() { CHECK(!started_, "a thread was not joined"); }

int Thread::start(const std::string& name, void (*main)(void*), void* context) {
  main_ = main;
  context_ = context;
  if (int error = ::pthread_create(&id_, nullptr, &Thread::enter, this)) return error;
  started_ = true;
  ::pthread_setname_np(id_, name.substr(0, 15).c_str());
  return 0;
}

void* Thread::enter(void* self) {
  auto* thread = static_cast<Thread*>(self);
  thread->main_(thread->context_);
  return nullptr;
}

void Thread::join() {
  if (!started_) return;
  ::pthread_join(id_, nullptr);
  started_ = false;
}

}  // namespace moldau::host::posix
