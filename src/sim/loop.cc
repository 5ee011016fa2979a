#include "sim/loop.h"

#include "base/check.h"
#include "sim/node.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {
constexpr uint64_t kTurnNanos = 2'000;  // at most, from being ready to running
constexpr int64_t kStepNanos = 500;     // of processor a step takes
}  // namespace

SimLoop::SimLoop(Node& node, uint32_t index)
    : node_(node),
      world_(node.world()),
      index_(index),
      order_(node.world().stream("order", index)) {}

Instant SimLoop::now() const { return node_.monotonic(); }

void SimLoop::ready(host::Op& op) {
  CHECK(!world_.running() || world_.running() == this, "ready() from another loop");
  finish(op);
}

void SimLoop::finish(host::Op& op) {
  if (node_.dying()) return;
  ready_.push_back(&op);
  schedule_turn();
}

void SimLoop::schedule_turn() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  uint64_t wait = world_.fifo() ? kTurnNanos : order_.below(kTurnNanos);
  int64_t at = std::max(world_.now().nanos, busy_until_) + static_cast<int64_t>(wait);
  world_.at(at, &SimLoop::on_turn, this, 0, &node_);
}

// A frozen node's loop does nothing until it thaws, but what is due is not lost.
bool SimLoop::frozen_until_thaw(void (*run)(void*, uint64_t), uint64_t argument) {
  if (node_.frozen_until() <= world_.now()) return false;
  world_.at(node_.frozen_until().nanos, run, this, argument, &node_);
  return true;
}

void SimLoop::on_turn(void* self, uint64_t) {
  auto& loop = *static_cast<SimLoop*>(self);
  if (loop.frozen_until_thaw(&on_turn, 0)) return;
  loop.turn_scheduled_ = false;
  if (loop.idle()) {
    loop.batch_.clear();
    loop.next_ = 0;
    loop.batch_.swap(loop.ready_);
    loop.mail_in_batch_ = loop.mail_.size();
  }
  loop.world_.enter(&loop);
  int64_t steps = 0;
  // Loops of one process share memory: they take turns step by step, so that each order can happen.
  bool alone = loop.node_.loops() == 1;
  do {
    if (loop.idle()) break;
    loop.run_one();
    steps++;
  } while (alone);
  loop.world_.enter(nullptr);
  loop.busy_until_ = loop.world_.now().nanos + steps * kStepNanos * loop.node_.slowness();
  if (!loop.idle() || !loop.ready_.empty() || !loop.mail_.empty()) loop.schedule_turn();
}

void SimLoop::run_one() {
  size_t ops = batch_.size() - next_;
  size_t choices = ops + (mail_in_batch_ > 0);
  size_t chosen = world_.fifo() ? 0 : static_cast<size_t>(order_.below(choices));
  world_.note(uint64_t{index_} << 32 | chosen);
  if (chosen == ops) {
    host::Mail mail = mail_.front();
    mail_.pop_front();
    mail_in_batch_--;
    mail.run(mail.context, mail.argument);
    return;
  }
  std::swap(batch_[next_], batch_[next_ + chosen]);
  host::Op& op = *batch_[next_++];
  world_.note(static_cast<uint64_t>(op.count) << 1 | op.failed);
  op.waiter.resume();
}

void SimLoop::arm(host::Timer& timer) {
  timers_.arm(timer);
  if (timer.at < timer_at_) schedule_timer();
}

void SimLoop::schedule_timer() {
  timer_at_ = timers_.next();
  timer_generation_++;
  if (timer_at_ == kNever) return;
  // Never early, often a little late, sometimes much.
  uint64_t most = order_.one_in(64) ? 1'000'000 : 50'000;
  uint64_t late = world_.fifo() ? 0 : order_.below(most);
  int64_t at = std::max(node_.to_world(timer_at_), world_.now().nanos);
  world_.at(at + static_cast<int64_t>(late), &SimLoop::on_timer, this, timer_generation_, &node_);
}

void SimLoop::on_timer(void* self, uint64_t generation) {
  auto& loop = *static_cast<SimLoop*>(self);
  if (generation != loop.timer_generation_) return;  // an earlier deadline came meanwhile
  if (loop.frozen_until_thaw(&on_timer, generation)) return;
  loop.timer_at_ = kNever;
  loop.world_.enter(&loop);
  while (host::Timer* timer = loop.timers_.pop_due(loop.now())) timer->fire(*timer);
  loop.world_.enter(nullptr);
  if (loop.timers_.next() < loop.timer_at_) loop.schedule_timer();
}

void SimLoop::post(host::Mail mail) {
  if (node_.dying()) return;
  const SimLoop* from = world_.running();
  size_t sender = from ? from->index_ + 1 : 0;
  if (senders_.size() <= sender) senders_.resize(sender + 1);
  Sender& queue = senders_[sender];
  uint64_t most = order_.one_in(16) ? 100'000 : 5'000;
  int64_t arrival = world_.now().nanos + static_cast<int64_t>(order_.below(most));
  queue.last_arrival = std::max(queue.last_arrival + 1, arrival);
  queue.on_the_way.push_back(mail);
  world_.at(queue.last_arrival, &SimLoop::on_mail, this, sender, &node_);
}

void SimLoop::on_mail(void* self, uint64_t sender) {
  auto& loop = *static_cast<SimLoop*>(self);
  Sender& queue = loop.senders_[sender];
  loop.mail_.push_back(queue.on_the_way.front());
  queue.on_the_way.pop_front();
  loop.schedule_turn();
}

void SimLoop::forget() {
  ready_.clear();
  batch_.clear();
  next_ = 0;
  mail_.clear();
  mail_in_batch_ = 0;
  senders_.clear();
  turn_scheduled_ = false;
  busy_until_ = 0;
  timer_at_ = kNever;
  timer_generation_++;
  CHECK(timers_.empty(), "a timer of {} outlives the node's tasks", node_.name());
}

}  // namespace moldau::sim
