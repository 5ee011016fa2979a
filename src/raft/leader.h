// What a leader knows of the other replicas: how far each has the log, who has asked lately. From
// that follow the high watermark and whether a majority still listens. Pure.
#pragma once
#include <map>

#include "base/time.h"
#include "raft/voters.h"

namespace moldau::raft {

// The two clocks at one moment: for deadlines, and for what people and other nodes are told.
struct Now {
  Instant instant;
  WallTime wall;
};

struct Progress {
  std::optional<Offset> end;  // has everything before it on stable storage; nothing: not known
  std::optional<Instant> fetched;
  WallTime last_fetch{-1}, last_caught_up{-1};
  Offset leader_end_at_fetch{-1};
  bool knows_epoch = false;  // has asked or answered in this epoch
};

class LeaderView {
 public:
  struct Options {
    ReplicaKey local;
    Offset epoch_start;  // of the record that begins this leader's epoch
    Offset high_watermark;
    Duration fetch_timeout;
  };
  LeaderView(const Options& options, const VoterSet& voters, Now now);

  Offset epoch_start() const { return options_.epoch_start; }
  Offset high_watermark() const { return high_watermark_; }
  // A record of this epoch is committed, so what came before it is too.
  bool commits() const { return high_watermark_ > options_.epoch_start; }

  // True if the high watermark moved. What is not on stable storage does not count.
  bool on_local(Offset durable);
  bool on_fetch(const ReplicaKey& replica, Offset end, Offset leader_end, Now now);
  bool set_voters(const VoterSet& voters, Now now);
  // Heard of without a position: a replica that loads a snapshot, or has to cut its log.
  void on_contact(const ReplicaKey& replica, Now now);

  // When to give up unless a majority asks before (kNever: alone).
  Instant resign_at() const { return resign_at_; }
  // Has not been heard since that long ago: it may not know who leads.
  bool silent(const ReplicaKey& voter, Now now, Duration since) const;
  // Other voters, the most advanced first: who should be elected next.
  std::vector<ReplicaKey> successors() const;

  const VoterSet& voters() const { return voters_; }
  // Of a voter (by the key that it has in the voter set) or an observer.
  const Progress* find(const ReplicaKey& replica) const;
  const std::map<ReplicaKey, Progress>& observers() const { return observers_; }

 private:
  Progress& progress(const ReplicaKey& replica, Now now);
  bool advance();
  void touch(const ReplicaKey& replica, Progress& p, Now now);
  void restart_majority(Now now);

  Options options_;
  VoterSet voters_;
  Offset high_watermark_;
  Offset durable_;                            // of our own log
  std::map<BrokerId, Progress> members_;      // of the other voters
  std::map<ReplicaKey, Progress> observers_;  // at most kMaxObservers
  std::vector<BrokerId> heard_;               // voters that asked since resign_at_ was set
  Instant resign_at_ = kNever;
};

constexpr size_t kMaxObservers = 1'000;
constexpr Duration kObserverTimeout = seconds(300);  // then it is forgotten

}  // namespace moldau::raft
