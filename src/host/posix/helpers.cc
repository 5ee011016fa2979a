#include "host/posix/helpers.h"

#include <fmt/format.h>

namespace moldau::host::posix {

Helpers::~Helpers() {
  {
    std::scoped_lock lock(mutex_);
    quit_ = true;
  }
  wanted_.notify_all();
  for (auto& thread : threads_) thread->join();
}

void Helpers::submit(Job job) {
  if (!job.done.run) job.done = {&resume_op, job.op, 0};
  bool served = false;
  {
    std::scoped_lock lock(mutex_);
    served = jobs_.size() < idle_ || start_one() || !threads_.empty();
    if (served) jobs_.push_back(job);
  }
  // Outside of the lock: whom it wakes would run straight into it and sleep again.
  if (served) return wanted_.notify_one();
  finish(job);  // the system gives us no thread at all: slow is better than stuck
}

bool Helpers::start_one() {
  if (threads_.size() == most_) return false;
  auto thread = std::make_unique<Thread>();
  auto main = [](void* self) { static_cast<Helpers*>(self)->work(); };
  if (thread->start(fmt::format("{}-{}", name_, threads_.size()), main, this)) return false;
  threads_.push_back(std::move(thread));
  return true;
}

void Helpers::finish(const Job& job) {
  Reactor& home = *job.home;
  Mail done = job.done;
  job.work(job.target, *job.op);
  home.post(done);
}

void Helpers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_++;
    wanted_.wait(lock, [this] { return quit_ || !jobs_.empty(); });
    idle_--;
    if (jobs_.empty()) return;
    Job job = jobs_.front();
    jobs_.pop_front();
    lock.unlock();
    finish(job);
    lock.lock();
  }
}

}  // namespace moldau::host::posix
