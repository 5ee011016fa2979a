// A simulated process: broker or client. It has loops, clocks, a network address and a disk; its
// program is started anew on what the disk kept after each crash.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "host/address.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/scope.h"
#include "host/task.h"
#include "sim/loop.h"

namespace moldau::sim {

class Disk;

// process: kill -9; what was written is there, the peers see their connections end.
// power: what was not synced may be gone, and the peers hear nothing.
enum class Crash : uint8_t { process, power };

class Node {
 public:
  // The root task of the process, on its first loop. Everything it does must hang on objects in its
  // frame.
  using Program = std::function<host::Task<void>(host::Env&)>;

  Node(World& world, uint32_t id, std::string name);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }
  World& world() const { return world_; }
  host::IpAddress ip() const;
  host::IpAddress ip_v6() const;
  Disk& disk() { return *disk_; }

  // Environments, one a loop; they stay over restarts. Loops are added before the first start.
  host::Env& add_loop();
  host::Env& env(size_t loop = 0) { return *worlds_[loop]->env; }
  SimLoop& loop(size_t i) { return worlds_[i]->loop; }
  size_t loops() const { return worlds_.size(); }

  void set_program(Program program) { program_ = std::move(program); }
  // Nothing happens if it runs already. Not from a task.
  void start();
  // Ends everything that the node was doing; nothing happens if it is down. Not from a task.
  void crash(Crash kind);
  // The process ends itself: nothing of it runs any more once the step that calls this is over. Who
  // wants it back calls start.
  void halt();
  bool halted() const { return halted_; }
  bool up() const { return scope_.has_value(); }
  bool powered() const { return powered_; }
  // The program has returned by itself (the process is still there until crash or restart).
  bool ended() const { return up() && scope_->running() == 0; }
  bool dying() const { return dying_; }
  uint32_t epoch() const { return epoch_; }
  host::Scope& scope() { return *scope_; }

  // Stops it as SIGSTOP does: timers come late, sockets fill.
  void freeze(Duration how_long);
  void thaw() { frozen_until_ = Instant{}; }
  Instant frozen_until() const { return frozen_until_; }  // world time
  // Its wall clock steps (either way), or runs faster or slower by parts per million from now on.
  void step_wall(Duration by) { wall_offset_ = wall_offset_ + by; }
  void drift_wall(int64_t parts_per_million);
  // Steps cost this many times more.
  void slow_down(int64_t by) { slowness_ += by; }
  int64_t slowness() const { return slowness_; }

  Instant monotonic() const;
  int64_t to_world(Instant node_time) const { return node_time.nanos - monotonic_start_; }
  WallTime wall() const;

 private:
  struct NodeClock final : host::Clock {
    Node& node;
    explicit NodeClock(Node& n) : node(n) {}
    Instant now() const override { return node.monotonic(); }
    WallTime wall() const override { return node.wall(); }
  };
  struct NodeEntropy final : host::Entropy {
    Random random;
    explicit NodeEntropy(Random r) : random(r) {}
    uint64_t next() override { return random.next(); }
  };
  struct LoopWorld {
    SimLoop loop;
    std::unique_ptr<host::Network> network;
    std::unique_ptr<host::Disk> disk;
    std::optional<host::Env> env;
    LoopWorld(Node& node, uint32_t index);
    ~LoopWorld();
  };

  World& world_;
  const uint32_t id_;
  const std::string name_;
  NodeClock clock_;
  NodeEntropy entropy_;
  Random restarts_;
  std::unique_ptr<Disk> disk_;
  std::vector<std::unique_ptr<LoopWorld>> worlds_;
  Program program_;
  std::optional<host::Scope> scope_;
  bool dying_ = false;
  bool powered_ = true;
  bool halted_ = false;
  uint32_t epoch_ = 0;
  Instant frozen_until_{};
  int64_t slowness_ = 1;
  int64_t monotonic_start_ = 0;
  Duration wall_offset_{};
  int64_t drift_ppm_ = 0;
  Instant drift_since_{};
};

}  // namespace moldau::sim
