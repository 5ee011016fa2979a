// What must hold of a simulated quorum whatever breaks: what its members tell each other, what they
// know after a restart, what they show as committed (invariants K1 to K7, K10). Used by
// raft_scenario.cc.
#pragma once
#include <map>
#include <set>
#include <string>

#include "raft/core.h"
#include "sim/scenario.h"

namespace moldau::raftsim {

class Oracle {
 public:
  explicit Oracle(sim::Findings& findings) : findings_(findings) {}
  void report(std::string checker, std::string text) { findings_.add(std::move(checker), text); }

  // A replica has started with what it found on its disk.
  void on_start(BrokerId node, const raft::Core& core);
  // It may have changed its role or its epoch.
  void on_moved(BrokerId node, const raft::Core& core);
  // Before a request leaves; and when its answer has arrived.
  void on_ask(BrokerId from, const raft::Request& request);
  void on_answer(BrokerId from, BrokerId to, const raft::Request& request,
                 const raft::Response& response);

  // A committed batch as a node shows it. Returns what the node's state is behind it, from what it
  // was before it.
  struct Shown {
    Offset base, next;
    uint64_t hash = 0;
  };
  uint64_t show(BrokerId node, const Shown& batch, LeaderEpoch epoch, uint64_t state);
  // A snapshot that a node goes on from.
  void show_snapshot(BrokerId node, Offset end, uint64_t state);
  // A leader said that this is committed.
  void acked(Offset base, uint64_t hash);

  uint64_t acks() const { return acks_; }
  Offset end() const { return end_; }  // of what was shown as committed

 private:
  struct Told {  // by one replica, over all its lives
    LeaderEpoch epoch{-1};
    std::map<LeaderEpoch, BrokerId> votes;
    Offset position;  // what it has said to have on stable storage, and was not told to cut
  };
  struct Committed {
    Offset next;
    uint64_t hash;
    uint64_t state;     // behind it
    LeaderEpoch shown;  // the epoch of the one who showed it first
  };
  void vote(BrokerId voter, LeaderEpoch epoch, BrokerId candidate);

  sim::Findings& findings_;
  std::map<BrokerId, Told> told_;
  std::map<LeaderEpoch, BrokerId> leaders_;
  std::map<Offset, Committed> ledger_;
  std::map<Offset, uint64_t> acked_;  // not shown by anybody yet
  Offset end_;
  uint64_t acks_ = 0;
};

}  // namespace moldau::raftsim
