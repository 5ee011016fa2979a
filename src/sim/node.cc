#include "sim/node.h"

#include "base/check.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/world.h"

namespace moldau::sim {
namespace {
constexpr int64_t kWallStart = 1'790'000'000'000;  // a day in 2026
}

Node::Node(World& world, uint32_t id, std::string name)
    : world_(world),
      id_(id),
      name_(std::move(name)),
      clock_(*this),
      entropy_(world.stream("entropy", id)),
      restarts_(world.stream("restarts", id)),
      disk_(std::make_unique<Disk>(world, id)) {
  add_loop();
}

Node::LoopWorld::LoopWorld(Node& node, uint32_t index) : loop(node, index) {}
Node::LoopWorld::~LoopWorld() = default;

Node::~Node() { CHECK(!up(), "{} is still running", name_); }

host::IpAddress Node::ip() const { return Network::ip_of(id_); }
host::IpAddress Node::ip_v6() const { return Network::ip_v6_of(id_); }

host::Env& Node::add_loop() {
  CHECK(!up(), "loops of {} are added before it starts", name_);
  auto world = std::make_unique<LoopWorld>(*this, world_.next_loop_index());
  world->network = world_.network().facade(world->loop);
  world->disk = disk_->facade(world->loop);
  world->env.emplace(world->loop, clock_, *world->network, *world->disk, entropy_);
  worlds_.push_back(std::move(world));
  return *worlds_.back()->env;
}

void Node::start() {
  CHECK(!world_.running(), "a task starts node {}", name_);
  if (up()) return;
  powered_ = true;
  halted_ = false;
  if (world_.options().distinct_clocks)
    monotonic_start_ += static_cast<int64_t>(restarts_.below(uint64_t{1} << 40));
  world_.tell("{} starts, incarnation {}", name_, epoch_);
  scope_.emplace(loop(0), name_.c_str());
  world_.note(uint64_t{id_} << 32 | epoch_);
  if (program_) scope_->spawn(program_(env(0)));
}

void Node::crash(Crash kind) {
  CHECK(!world_.running(), "a task crashes node {}", name_);
  if (!up()) {
    if (kind == Crash::power && powered_) {
      powered_ = false;
      disk_->on_crash(kind);
    }
    return;
  }
  world_.tell("{} {}", name_, kind == Crash::power ? "loses power" : "is killed");
  dying_ = true;
  epoch_++;
  powered_ = kind == Crash::process;
  world_.count_crash();
  // First the world outside: in-flight writes still show their bytes, peers are told or not.
  disk_->on_crash(kind);
  world_.network().on_crash(*this, kind);
  scope_.reset();
  for (auto& world : worlds_) world->loop.forget();
  thaw();
  dying_ = false;
}

void Node::halt() {
  uint32_t epoch = epoch_;
  world_.call_at(world_.now(), [this, epoch] {
    if (epoch != epoch_) return;  // something else has killed it meanwhile
    world_.tell("{} ends itself", name_);
    crash(Crash::process);
    halted_ = true;
  });
}

void Node::freeze(Duration how_long) {
  frozen_until_ = std::max(frozen_until_, world_.now() + how_long);
}

void Node::drift_wall(int64_t parts_per_million) {
  int64_t passed = world_.now().nanos - drift_since_.nanos;
  wall_offset_.nanos += passed / 1'000'000 * drift_ppm_;
  drift_since_ = world_.now();
  drift_ppm_ = parts_per_million;
}

Instant Node::monotonic() const { return {world_.now().nanos + monotonic_start_}; }

WallTime Node::wall() const {
  int64_t drifted = (world_.now().nanos - drift_since_.nanos) / 1'000'000 * drift_ppm_;
  return {kWallStart + (world_.now().nanos + wall_offset_.nanos + drifted) / 1'000'000};
}

}  // namespace moldau::sim
