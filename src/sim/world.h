// A simulated world: nodes, a network, disks, and one queue of events in virtual time, on one
// thread. Everything random comes from streams named by purpose and index, so that the use of one
// never shifts another. Equal options and equal calls give equal runs: trace() is a hash of
// everything that happened.
#pragma once
#include <fmt/format.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "sim/event_queue.h"
#include "sim/node.h"
#include "sim/options.h"

namespace moldau::sim {

class Network;

class World {
 public:
  explicit World(const WorldOptions& options);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();
  // All processes die. Nothing runs after it.
  void end();

  const WorldOptions& options() const { return options_; }
  bool fifo() const { return options_.scheduling == Scheduling::fifo; }
  Random stream(std::string_view purpose, uint64_t index = 0) const {
    return root_.fork(purpose, index);
  }

  // Not started yet. Node i has the addresses 10.0.0.<i+1> and fd00::<i+1>, and its name resolves.
  Node& add_node(std::string name, Node::Program program = {});
  Node& node(size_t i) { return *nodes_[i]; }
  size_t size() const { return nodes_.size(); }
  Network& network() { return *network_; }

  Instant now() const { return now_; }
  // Runs the next event. False: there is none any more, or none before limit (then that is the
  // time).
  bool step(Instant limit = kNever);
  void run_until(Instant limit) {
    while (step(limit)) {
    }
  }
  // Until done() holds (asked after each event): true; or until limit: false.
  bool run_until(const std::function<bool()>& done, Instant limit);

  // For the models. An event of a node is dropped if the node dies before.
  void at(int64_t time, void (*run)(void*, uint64_t), void* context, uint64_t argument,
          const Node* node = nullptr);
  // For scenarios and faults.
  void call_at(Instant time, std::function<void()> what);

  uint64_t trace() const { return trace_; }
  uint64_t events() const { return events_; }
  uint64_t crashes() const { return crashes_; }
  void note(uint64_t value) { trace_ = (trace_ ^ value) * 0x100000001b3u ^ trace_ >> 29; }
  void count_crash() { crashes_++; }
  // Costs nothing unless somebody listens.
  template <class... A>
  void tell(fmt::format_string<A...> format, A&&... arguments) const {
    if (options_.narrate)
      options_.narrate(now_, fmt::format(format, std::forward<A>(arguments)...));
  }

  // The loop whose task runs just now; nullptr outside.
  SimLoop* running() const { return running_; }
  void enter(SimLoop* loop) { running_ = loop; }
  uint32_t next_loop_index() { return loops_++; }

 private:
  static void on_call(void* world, uint64_t slot);
  const WorldOptions options_;
  const Random root_;
  Random ties_;
  EventQueue queue_;
  Instant now_{};
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::function<void()>> calls_;  // by slot; a slot is free again once it has run
  std::vector<size_t> free_calls_;
  SimLoop* running_ = nullptr;
  uint32_t loops_ = 0;
  uint64_t counted_ties_ = 0;
  uint64_t trace_ = 0xcbf29ce484222325u;
  uint64_t events_ = 0;
  uint64_t crashes_ = 0;
};

}  // namespace moldau::sim
