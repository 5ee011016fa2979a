// The loop of a simulated node. It works in turns, as a reactor does: a turn runs everything that
// was ready when it began, in the order that the scheduler draws; what becomes ready meanwhile is
// the next turn's.
#pragma once
#include <deque>
#include <vector>

#include "base/random.h"
#include "host/loop.h"
#include "host/timer_heap.h"

namespace moldau::sim {

class Node;
class World;

class SimLoop final : public host::Loop {
 public:
  // index: of all loops of the world.
  SimLoop(Node& node, uint32_t index);

  Instant now() const override;
  void ready(host::Op& op) override;
  void arm(host::Timer& timer) override;
  void disarm(host::Timer& timer) override { timers_.disarm(timer); }
  void post(host::Mail mail) override;

  // As ready, for the models of network and disk, which finish operations of any loop.
  void finish(host::Op& op);
  // At the death of the node: whatever was to happen does not.
  void forget();
  Node& node() const { return node_; }
  uint32_t index() const { return index_; }

 private:
  struct Sender {
    std::deque<host::Mail> on_the_way;  // each has an event, and they arrive in this order
    int64_t last_arrival = 0;
  };
  static void on_turn(void* self, uint64_t);
  static void on_timer(void* self, uint64_t generation);
  static void on_mail(void* self, uint64_t sender);
  bool frozen_until_thaw(void (*run)(void*, uint64_t), uint64_t argument);
  void schedule_turn();
  void schedule_timer();
  void run_one();
  bool idle() const { return next_ == batch_.size() && mail_in_batch_ == 0; }

  Node& node_;
  World& world_;
  const uint32_t index_;
  Random order_;
  host::TimerHeap timers_;
  std::vector<host::Op*> ready_;  // for the next turn
  std::vector<host::Op*> batch_;  // of this turn, from next_ on
  size_t next_ = 0;
  std::deque<host::Mail> mail_;
  size_t mail_in_batch_ = 0;
  std::vector<Sender> senders_;  // by index of the sending loop + 1; 0: from outside
  bool turn_scheduled_ = false;
  int64_t busy_until_ = 0;  // world time
  Instant timer_at_ = kNever;
  uint64_t timer_generation_ = 0;
};

}  // namespace moldau::sim
