// One life of a member of the simulated quorum: opens its directory, its replica and its listener,
// follows what is committed, appends while it leads, writes snapshots and trims. Used by
// raft_scenario.cc.
#pragma once
#include <functional>
#include <vector>

#include "log/log.h"
#include "raft/driver_listener.h"
#include "raft/driver_network.h"
#include "raft_oracle.h"
#include "sim/node.h"

namespace moldau::raftsim {

struct Member {
  BrokerId id;
  Offset position;  // its reader's
  bool observer = false;
};

// What the lives of all members share.
struct Shared {
  explicit Shared(sim::Findings& findings) : oracle(findings) {}
  Oracle oracle;
  std::vector<Member> members;
  std::vector<raft::Voter> voters;
  bool dynamic = false;
  raft::Config config;  // all but who it is
  log::LogConfig log;
  Duration planned_life{};  // then it stops in order; 0: for ever
  bool snapshots = true;
  bool healed = false;
  bool quiet = false;  // nobody appends any more
  // Something happened after which a crash is telling: "voted", "snapshot", "cut".
  std::function<void(BrokerId, std::string_view)> tempt;
};

constexpr uint16_t kPort = 9093;

host::Task<void> run_replica(host::Env& env, Shared& shared, size_t index, sim::Node& node);

}  // namespace moldau::raftsim
