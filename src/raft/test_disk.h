// A replica's disk in the simulated quorum of the tests: its log, its file quorum-state and its
// snapshots, each as written and as it would be found after a power loss. Slow, and in order.
#pragma once
#include <deque>
#include <optional>

#include "raft/core.h"

namespace moldau::raft::test {

struct StoredBatch {
  Offset base, next;
  LeaderEpoch epoch;
  uint64_t hash = 0;  // of its bytes
  std::vector<uint8_t> bytes;
};

struct StoredLog {
  OffsetAndEpoch start;
  std::vector<StoredBatch> batches;

  Offset end() const { return batches.empty() ? start.offset : batches.back().next; }
  void apply(const LogWrite& write);
  // Whole batches from there on, up to max bytes but at least one.
  std::vector<uint8_t> read(Offset at, int32_t max) const;
  const StoredBatch* find(Offset base) const;
  log::Epochs epochs() const;
};

struct StoredSnapshot {
  Snapshot snapshot;
  std::string content;
  VoterHistory voters;
};

class TestDisk {
 public:
  StoredLog log;                          // as the process sees it
  StoredLog durable;                      // as a restart after a power loss sees it
  std::string state;                      // the file quorum-state, durable; empty: none
  QuorumState known;                      // what it says
  std::vector<StoredSnapshot> snapshots;  // durable

  void write(LogWrite w);
  // The oldest write is on stable storage. Its number.
  uint64_t sync_one();
  size_t pending() const { return pending_.size(); }
  // Power goes: some of what was not synced may be there all the same, in order.
  void lose_power(Random& random);
  // The snapshot takes the place of the log.
  void reset_to(const StoredSnapshot& snapshot);
  void trim(OffsetAndEpoch start);
  Recovered recover(const VoterHistory& configured) const;
  void save(const Persist& p);

 private:
  std::deque<LogWrite> pending_;
};

}  // namespace moldau::raft::test
