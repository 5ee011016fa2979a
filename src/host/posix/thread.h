// Thread: a named thread of the system. Unlike std::thread a failed start is an answer, not the
// end.
#pragma once
#include <pthread.h>

#include <string>

namespace moldau::host::posix {

class Thread {
 public:
  Thread() = default;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread();  // the thread has been joined, or was never started

  // Runs main(context) on a thread of its own. 0, or the system's error number. At most 15
  // characters of the name are kept.
  int start(const std::string& name, void (*main)(void*), void* context);
  void join();  // nothing happens if it was not started

 private:
  static void* enter(void* self);
  pthread_t id_{};
  bool started_ = false;
  void (*main_)(void*) = nullptr;
  void* context_ = nullptr;
};

}  // namespace moldau::host::posix
