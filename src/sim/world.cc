#include "sim/world.h"

#include "base/check.h"
#include "sim/disk.h"
#include "sim/network.h"

namespace moldau::sim {

World::World(const WorldOptions& options)
    : options_(options),
      root_(options.seed),
      ties_(root_.fork("ties")),
      network_(std::make_unique<Network>(*this)) {}

World::~World() { end(); }

void World::end() {
  for (auto& node : nodes_) node->crash(Crash::process);
}

Node& World::add_node(std::string name, Node::Program program) {
  auto id = static_cast<uint32_t>(nodes_.size());
  network_->add_node(id);
  nodes_.push_back(std::make_unique<Node>(*this, id, std::move(name)));
  nodes_.back()->set_program(std::move(program));
  return *nodes_.back();
}

void World::at(int64_t time, void (*run)(void*, uint64_t), void* context, uint64_t argument,
               const Node* node) {
  uint64_t tie = fifo() ? counted_ties_++ : ties_.next();
  Event event{std::max(time, now_.nanos), tie, run, context, argument};
  if (node) {
    event.node = node->id();
    event.epoch = node->epoch();
  }
  queue_.push(event);
}

bool World::step(Instant limit) {
  if (queue_.empty() || queue_.top().at > limit.nanos) {
    if (limit != kNever) now_ = std::max(now_, limit);
    return false;
  }
  Event event = queue_.pop();
  now_ = {event.at};
  events_++;
  if (event.node != kNoNode && nodes_[event.node]->epoch() != event.epoch) return true;
  note(static_cast<uint64_t>(event.at));
  note(event.tie);
  event.run(event.context, event.argument);
  return true;
}

bool World::run_until(const std::function<bool()>& done, Instant limit) {
  while (!done())
    if (!step(limit)) return done();
  return true;
}

void World::call_at(Instant time, std::function<void()> what) {
  if (free_calls_.empty()) {
    free_calls_.push_back(calls_.size());
    calls_.emplace_back();
  }
  size_t slot = free_calls_.back();
  free_calls_.pop_back();
  calls_[slot] = std::move(what);
  at(time.nanos, &World::on_call, this, slot);
}

void World::on_call(void* self, uint64_t slot) {
  auto& world = *static_cast<World*>(self);
  std::function<void()> what = std::exchange(world.calls_[slot], nullptr);
  world.free_calls_.push_back(slot);
  what();
}

}  // namespace moldau::sim
