// The roles of a replica and what each remembers. Observers have no role of their own: they are
// unattached or followers that are not among the voters. Pure.
#pragma once

#include <set>
#include <variant>

#include "raft/leader.h"
#include "raft/messages.h"

namespace moldau::raft {

enum class RoleName : uint8_t {  // by the order of Role
  unattached,
  prospective,
  candidate,
  leader,
  follower,
  resigned
};
std::string_view role_name(RoleName role);

// Who said yes and no. Only voters count, each once (invariant K9).
class Ballot {
 public:
  explicit Ballot(VoterSet voters) : voters_(std::move(voters)) {}
  void grant(BrokerId voter);
  void reject(BrokerId voter);
  bool answered(BrokerId voter) const {
    return granted_.contains(voter) || rejected_.contains(voter);
  }
  bool won() const { return granted_.size() >= voters_.majority(); }
  bool lost() const { return rejected_.size() > voters_.size() - voters_.majority(); }
  const VoterSet& voters() const { return voters_; }
  std::vector<ReplicaKey> granting() const;

 private:
  VoterSet voters_;
  std::set<BrokerId> granted_, rejected_;
};

// Knows no leader that it could follow.
struct Unattached {
  Instant election_at;
};
// Asks whether it would be elected, before it disturbs anybody with a new epoch (KIP-996).
struct Prospective {
  Ballot ballot;
  Instant election_at;
  uint32_t losses = 0;  // elections lost in a row
};
// Stands for election in its epoch.
struct Candidate {
  Ballot ballot;
  Instant election_at;
  uint32_t losses = 0;
  std::optional<Instant> again_at;  // lost; tries again then
};
struct ParkedFetch {
  uint64_t token;
  FetchRequest request;
  Instant deadline;
};
// One change of the voters at a time, committed before the next (invariant K8).
struct VoterChange {
  uint64_t token;
  Request request;  // an AddVoterRequest, RemoveVoterRequest or UpdateVoterRequest
  Instant deadline;
  bool asked = false;          // Add: the new voter has said which levels it knows
  std::optional<Offset> at{};  // of the record, once it is appended
  bool answered = false;
};
struct Leader {
  LeaderView view;
  Instant announce_at;  // to voters that are silent
  std::vector<ParkedFetch> parked;
  std::optional<VoterChange> change;
};
struct SnapshotFetch {
  OffsetAndEpoch id;
  int64_t position = 0;
};
struct Follower {
  Instant fetch_by;      // unless the leader answers before, a voter stands for election
  bool fetched = false;  // the leader has answered: no pre-vote for others
  std::optional<SnapshotFetch> snapshot;
};
// Was leader of this epoch and is not any more, or before a restart.
struct Resigned {
  Instant until;
  std::set<BrokerId> unaware;  // voters that have not been told
  std::vector<ReplicaKey> successors;
};

using Role = std::variant<Unattached, Prospective, Candidate, Leader, Follower, Resigned>;

}  // namespace moldau::raft
