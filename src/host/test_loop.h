// TestLoop: a loop that a unit test turns by hand; its time moves only when the test says so. For
// *_test.cc.
#pragma once
#include <deque>
#include <vector>

#include "host/scope.h"
#include "host/timer_heap.h"

namespace moldau::host {

class TestLoop final : public Loop {
 public:
  Instant now() const override { return now_; }
  void ready(Op& op) override { ready_.push_back(&op); }
  void arm(Timer& timer) override { timers_.arm(timer); }
  void disarm(Timer& timer) override { timers_.disarm(timer); }
  void post(Mail mail) override { mail_.push_back(mail); }

  void advance(Duration d) { now_ = now_ + d; }
  // One turn: due timers, the mail that is here, then what is ready.
  void turn() {
    while (Timer* timer = timers_.pop_due(now_)) timer->fire(*timer);
    for (size_t n = mail_.size(); n > 0; n--) {
      Mail mail = mail_.front();
      mail_.pop_front();
      mail.run(mail.context, mail.argument);
    }
    for (size_t n = ready_.size(); n > 0; n--) {
      Op* op = ready_.front();
      ready_.pop_front();
      op->waiter.resume();
    }
  }
  void run() {
    while (busy()) turn();
  }
  bool busy() const { return !ready_.empty() || !mail_.empty() || timers_.next() <= now_; }
  size_t mail() const { return mail_.size(); }

 private:
  Instant now_{1'000'000'000};
  std::deque<Op*> ready_;
  std::deque<Mail> mail_;
  TimerHeap timers_;
};

}  // namespace moldau::host
