// Helpers: a few threads for calls that block (fsync, unlink, truncate, cold reads, name look-ups).
// A job's result comes back to its loop as mail. The queue is bounded by the operations that wait
// for it: each lives in a frame.
#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/posix/reactor.h"
#include "host/posix/thread.h"

namespace moldau::host::posix {

struct Job {
  void (*work)(void* target, Op& op) = nullptr;  // on a helper thread; fills in the result
  void* target = nullptr;                        // it and op live until done has run
  Op* op = nullptr;
  Reactor* home = nullptr;
  Mail done;  // to home; resume_op of op if not given
};

class Helpers {
 public:
  // At most `most` threads, each started when there is work for it.
  Helpers(std::string name, size_t most) : name_(std::move(name)), most_(most) {}
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;
  ~Helpers();  // finishes what is queued

  void submit(Job job);

 private:
  static void finish(const Job& job);
  void work();
  bool start_one();
  const std::string name_;
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<Job> jobs_;  // guarded by mutex_, as the rest
  size_t idle_ = 0;
  bool quit_ = false;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace moldau::host::posix
