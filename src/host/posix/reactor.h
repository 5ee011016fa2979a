// Reactor: the real loop. One thread, edge-triggered epoll, timers, the ready queue and mail from
// other threads. A turn: streams that were put off, then the system's events, mail, timers, then
// the tasks that became ready. Nothing is resumed while events are read, so nothing that an event
// names can die meanwhile.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include "base/list.h"
#include "base/result.h"
#include "host/clock.h"
#include "host/loop.h"
#include "host/posix/descriptor.h"
#include "host/posix/mailbox.h"
#include "host/timer_heap.h"

struct epoll_event;

namespace moldau::host::posix {

// Something that epoll watches. Both calls may finish operations (Reactor::ready) but run no task.
class Watch : public ListNode {
 public:
  virtual void on_events(uint32_t events) = 0;  // EPOLLIN ...
  virtual void on_turn() {}                     // a turn after Reactor::put_off

 protected:
  ~Watch() = default;
};

class Reactor final : public Loop, public Clock {
 public:
  static Result<std::unique_ptr<Reactor>> create();
  ~Reactor() override;

  Instant now() const override;
  WallTime wall() const override;
  void ready(Op& op) override;
  void arm(Timer& timer) override { timers_.arm(timer); }
  void disarm(Timer& timer) override { timers_.disarm(timer); }
  void post(Mail mail) override;

  // Runs turns on the calling thread until stop().
  void run();
  // From any thread: run() returns at the end of the turn, or at once if it is called later.
  void stop();

  // Reports every change of fd's state to `watch` until fd is closed. 0, or the system's error
  // number.
  [[nodiscard]] int watch(int fd, Watch& watch);
  // Calls watch.on_turn() at the start of the next turn. Unlinking it takes that back.
  void put_off(Watch& watch);
  uint64_t turn() const { return turn_; }
  // Accounts for work done at once instead of waiting. false: this turn has done enough, the others
  // come first.
  bool spend(size_t bytes);

 private:
  Reactor(int epoll, int event) : epoll_(epoll), event_(event) {}
  struct Queue {
    Op* head = nullptr;
    Op** tail = &head;
  };
  void one_turn();
  void resume_put_off();
  Duration patience() const;
  void poll();
  int wait(epoll_event* events, Duration patience);
  void deliver_mail();
  void fire_timers();
  void run_ready();
  void wake();

  static constexpr int kEvents = 256;
  static constexpr int kRounds = 8;  // of mail and tasks between two looks at the system
  static constexpr size_t kTurnBytes = 4 << 20;
  Descriptor epoll_;
  Descriptor event_;  // written to wake the loop
  Mailbox mailbox_;
  std::atomic<bool> stop_ = false;
  bool fine_wait_ = true;  // epoll_pwait2 is there
  uint64_t turn_ = 1;
  size_t spent_ = 0;  // in this turn
  TimerHeap timers_;
  Queue ready_;
  List<Watch> put_off_;
  std::vector<Mail> own_mail_;  // posted by tasks of this loop
  std::vector<Mail> batch_;
};

// Resumes the task that waits for `op` (a Mail).
void resume_op(void* op, uint64_t);

}  // namespace moldau::host::posix
