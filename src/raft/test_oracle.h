// What must always be so in a simulated quorum: the checkers of invariants K1 to K9, called by the
// world of the tests (test_quorum.h) at every event. The first finding is kept.
#pragma once
#include <map>
#include <string>

#include "raft/test_disk.h"

namespace moldau::raft::test {

struct TestNode {
  ReplicaKey key;
  TestDisk disk;
  std::unique_ptr<Core> core;  // null: down
  uint64_t incarnation = 0;
  Offset seen;  // high watermark of this incarnation, as checked
  LeaderEpoch epoch_seen;
  std::optional<Offset> voters_seen;  // where the last change of the voters stands
  // The world's.
  std::deque<Persist> persists;
  bool persisting = false;
  bool syncing = false;
  Instant paused_until;  // the process stands still: its events come late, all at once
  Instant wake = kNever;
  std::string receiving;  // of a snapshot
};
using TestNodes = std::map<BrokerId, TestNode>;

class Oracle {
 public:
  explicit Oracle(const TestNodes& nodes) : nodes_(nodes) {}
  const std::string& finding() const { return finding_; }
  void fail(std::string what);
  Offset committed() const { return committed_; }
  uint64_t leaders() const { return leaders_.size(); }
  // Of all committed records before that offset, which is the end of a batch.
  uint64_t chain(Offset end) const;

  void on_write(const TestNode& node, const LogWrite& write);
  void on_send(const TestNode& node, const Send& send);
  void on_answer(const TestNode& node, const Request& request, const Response& response);
  // After everything that a node did.
  void on_step(TestNode& node, bool role_changed);

 private:
  struct Committed {
    Offset next;
    LeaderEpoch by;  // of the leader that committed it
    uint64_t hash;
    uint64_t chain;
  };
  void vote(const ReplicaKey& voter, LeaderEpoch epoch, const ReplicaKey& candidate);
  void on_leader(const TestNode& node);
  void on_commit(const TestNode& node, const StoredBatch& batch);
  bool majority_holds(const TestNode& leader, const StoredBatch& batch) const;

  const TestNodes& nodes_;
  std::map<LeaderEpoch, BrokerId> leaders_;
  std::map<std::pair<ReplicaKey, LeaderEpoch>, ReplicaKey> votes_;
  std::map<Offset, Committed> ledger_;  // by first offset
  Offset committed_;
  std::string finding_;
};

}  // namespace moldau::raft::test
