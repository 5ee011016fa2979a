// What the core knows of its log: where it begins and ends, which epochs it holds, how far it is on
// stable storage, which snapshots stand beside it. The bytes are the driver's. Pure.
//
// Writes are numbered. A cut takes back what it cuts also from writes that are still under way, so
// that their completion never counts for bytes that came later.
#pragma once
#include <deque>
#include <span>

#include "log/epochs.h"
#include "raft/types.h"

namespace moldau::raft {

struct Snapshot {
  OffsetAndEpoch id;  // the offset behind its last record, and that record's epoch
  int64_t size = 0;   // bytes
};

// What a replica's end of log means to a leader (KIP-595).
struct Position {
  enum Kind : uint8_t { valid, diverging, snapshot } kind = valid;
  OffsetAndEpoch at;  // diverging: where our part of that epoch ends; snapshot: the one to load
};

class LogState {
 public:
  struct Opened {
    OffsetAndEpoch start;  // the first offset, and the epoch of the record before it (0: none)
    Offset end;            // all of it on stable storage
    log::Epochs epochs;
    std::vector<Snapshot> snapshots;  // any order
  };

  explicit LogState(Opened opened);
  Offset start() const { return start_.offset; }
  Offset end() const { return end_; }
  Offset durable() const { return durable_; }
  // All of it is as the disk has it, cuts too.
  bool settled() const { return writes_.empty(); }
  OffsetAndEpoch end_id() const { return {end_, last_epoch()}; }
  LeaderEpoch last_epoch() const;
  const log::Epochs& epochs() const { return epochs_; }
  // Where the largest epoch up to `epoch` that the log knows ends.
  OffsetAndEpoch end_of(LeaderEpoch epoch) const;
  Position check(OffsetAndEpoch replica_end) const;
  // Where a follower has to cut when its leader says that they differ behind `leader_end`.
  Offset cut_for(OffsetAndEpoch leader_end) const;

  // Each is write number `write`; numbers rise.
  void append(LeaderEpoch epoch, Offset next_end, uint64_t write);
  void truncate(Offset to, uint64_t write);
  // Nothing is left but what the snapshot holds; it is on stable storage.
  void reset(OffsetAndEpoch snapshot);
  // All writes up to this one are on stable storage.
  void on_durable(uint64_t write);

  const Snapshot* latest_snapshot() const;
  const Snapshot* find_snapshot(OffsetAndEpoch id) const;
  const Snapshot* snapshot_at(Offset end) const;
  std::span<const Snapshot> snapshots() const { return snapshots_; }
  void add_snapshot(const Snapshot& snapshot);
  void remove_snapshot(OffsetAndEpoch id);
  // The log begins here now, at a snapshot's end. False, and nothing changes, if no snapshot ends
  // there.
  bool trim(Offset start);

 private:
  struct Write {
    uint64_t number;
    Offset end;
  };
  OffsetAndEpoch start_;
  Offset end_;
  Offset durable_;
  log::Epochs epochs_;
  std::deque<Write> writes_;         // not on stable storage yet
  std::vector<Snapshot> snapshots_;  // by end
};

}  // namespace moldau::raft
