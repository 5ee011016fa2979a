#include "raft_scenario.h"

#include <fmt/format.h>

#include "raft_replica.h"
#include "sim/world.h"

namespace moldau::raftsim {
namespace {

class RaftScenario final : public sim::Scenario {
 public:
  void options(sim::WorldOptions& options, const Random& root) override {
    Random random = root.fork("raft");
    options.disk.garbage = random.one_in(2);
    options.disk.ext4_like = random.one_in(3);
    options.disk.sector = random.one_in(2) ? 512 : 4096;
    options.network.window = random.one_in(4) ? 300 : 64 * 1024;
    options.network.short_io = random.one_in(4) ? 2 : 8;
    options.network.connect_timeout = seconds(1);
  }

  void setup(sim::World& world, sim::Knobs& knobs, sim::Findings& findings) override {
    Random random = world.stream("raft.knobs");
    int64_t voters = random.one_in(3) ? 5 : 3;
    auto operations = static_cast<int64_t>(20 + random.below(100));
    if (knobs.clients == 0) knobs.clients = voters;
    if (knobs.operations == 0) knobs.operations = operations;
    knobs_ = knobs;
    shared_.emplace(findings);
    Shared& shared = *shared_;
    shared.dynamic = random.one_in(2);
    shared.snapshots = !random.one_in(4);
    if (random.one_in(4))
      shared.planned_life = milliseconds(static_cast<int64_t>(500 + random.below(6'000)));
    draw_config(random);
    tempted_ = random.one_in(2) ? 3 + random.below(20) : 0;
    luck_.emplace(world.stream("raft.luck"));
    shared.tempt = [this, &world](BrokerId id, std::string_view what) { tempt(world, id, what); };
    add_nodes(world, random.one_in(2));
  }

  sim::FaultSpace fault_space() const override {
    auto nodes = static_cast<uint32_t>(shared_->members.size());
    return {.servers = nodes, .nodes = nodes, .from = milliseconds(20), .until = seconds(10)};
  }

  // A supervisor: what has ended is started again.
  void check(sim::World& world, sim::Findings&) override {
    for (size_t i = 0; i < world.size(); i++)
      if (world.node(i).halted()) world.node(i).start();
  }

  Duration recovery_time() const override { return seconds(400); }
  bool recovered(sim::World&) override {
    Shared& shared = *shared_;
    if (!shared.healed) acked_in_trouble_ = shared.oracle.acks();
    shared.healed = true;
    shared.planned_life = {};
    auto wanted = static_cast<uint64_t>(knobs_.operations);
    if (shared.oracle.acks() < std::max(wanted, acked_in_trouble_ + 10)) return false;
    shared.quiet = true;
    for (const Member& member : shared.members)
      if (member.position < shared.oracle.end()) return false;
    return true;
  }

  std::string what_hangs(sim::World& world) override {
    std::string out = fmt::format("{} acknowledged, {} committed\n", shared_->oracle.acks(),
                                  shared_->oracle.end());
    for (size_t i = 0; i < world.size(); i++)
      out += fmt::format("{} at {}:\n{}", world.node(i).name(), shared_->members[i].position,
                         world.node(i).env().loop.dump());
    return out;
  }

 private:
  void draw_config(Random& random) {
    auto some = [&](uint64_t low, uint64_t more) {
      return milliseconds(static_cast<int64_t>(low + random.below(more)));
    };
    raft::Config& config = shared_->config;
    config.cluster_id = "simulated";
    config.election_timeout = some(100, 900);
    config.fetch_timeout = some(300, 1'700);
    config.request_timeout = some(300, 1'700);
    config.fetch_max_wait = some(50, 200);
    config.fetch_max_bytes = random.one_in(2) ? 1 << 20 : 300;
    config.fetch_snapshot_max_bytes = static_cast<int32_t>(40 + random.below(300));
    shared_->log.segment_bytes = static_cast<int64_t>(600 + random.below(20'000));
    shared_->log.index_interval_bytes = random.one_in(2) ? 4096 : 100;
    shared_->log.tail_bytes = random.one_in(2) ? 0 : 1 << 20;
  }

  void add_nodes(sim::World& world, bool observer) {
    Shared& shared = *shared_;
    int64_t count = knobs_.clients + (observer ? 1 : 0);
    for (int64_t i = 0; i < count; i++) {
      bool votes = i < knobs_.clients;
      auto id = static_cast<int32_t>(votes ? 1 + i : 100);
      shared.members.push_back({BrokerId(id), Offset(), !votes});
      sim::Node& node = world.add_node(fmt::format("node{}", id));
      auto index = static_cast<size_t>(i);
      node.set_program(
          [this, index, &node](host::Env& env) { return run_replica(env, *shared_, index, node); });
      if (!votes) continue;
      raft::ReplicaKey key{BrokerId(id), {}};
      if (shared.dynamic) key.directory = Uuid{{static_cast<uint8_t>(id)}};
      shared.voters.push_back({key, {{"CONTROLLER", node.ip().to_string(), kPort}}, 0, 1});
    }
    for (size_t i = 0; i < world.size(); i++) world.node(i).start();
  }

  // Power goes where it tells most: just after a node has promised something.
  void tempt(sim::World& world, BrokerId id, std::string_view what) {
    if (tempted_ == 0 || shared_->healed || world.now().nanos > seconds(10).nanos) return;
    if (luck_->below(tempted_) != 0) return;
    auto victim = std::ranges::find(shared_->members, id, &Member::id);
    if (victim == shared_->members.end()) return;
    sim::Node& node = world.node(static_cast<size_t>(victim - shared_->members.begin()));
    auto later = static_cast<int64_t>(luck_->below(what == "cut" ? 40'000 : 12'000));
    world.call_at(world.now() + microseconds(later), [&node] {
      if (node.up()) node.crash(sim::Crash::power);
    });
    world.call_at(world.now() + milliseconds(200), [&node] { node.start(); });
  }

  std::optional<Shared> shared_;
  sim::Knobs knobs_;
  std::optional<Random> luck_;
  uint64_t tempted_ = 0;
  uint64_t acked_in_trouble_ = 0;
};

}  // namespace

sim::ScenarioEntry raft_quorum() {
  return {"raft",
          "three or five replicas of the metadata log over the network, and an observer",
          [] { return std::make_unique<RaftScenario>(); },
          {Bug::raft_state_unfinished, Bug::raft_cut_keeps_durable, Bug::raft_snapshot_unsynced,
           Bug::raft_snapshot_forgotten}};
}

}  // namespace moldau::raftsim
