// Mailbox: messages from other threads to one loop. The loop is woken only if it sleeps: waking a
// core costs twenty times more than the message.
#pragma once
#include <atomic>
#include <mutex>
#include <vector>

#include "host/loop.h"

namespace moldau::host::posix {

class Mailbox {
 public:
  // From any thread. true: the owner sleeps and this sender must wake it.
  [[nodiscard]] bool post(Mail mail);
  // Owner: moves what has come into `into`, which is empty.
  void take(std::vector<Mail>& into);
  // Owner: true if it may sleep now; it calls awake() afterwards. false: mail is here.
  bool may_sleep();
  void awake();
  // From any thread: true if the owner sleeps and must be woken, once a sleep.
  [[nodiscard]] bool rouse();

 private:
  std::mutex mutex_;
  std::vector<Mail> mail_;         // guarded by mutex_
  bool asleep_ = false;            // guarded by mutex_
  std::atomic<bool> any_ = false;  // mail_ is not empty; spares a busy loop the lock
};

}  // namespace moldau::host::posix
