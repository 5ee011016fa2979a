// Who may vote: a set of voters, and the sets that a log has had at its offsets. Pure.
#pragma once
#include <span>
#include <string_view>

#include "base/result.h"
#include "raft/types.h"

namespace moldau::raft {

struct Voter {
  ReplicaKey key;
  std::vector<Endpoint> endpoints;
  int16_t min_kraft_version = 0, max_kraft_version = 0;  // of the feature kraft.version
  bool operator==(const Voter&) const = default;
};

class VoterSet {
 public:
  VoterSet() = default;
  explicit VoterSet(std::vector<Voter> voters);  // any order; a node id once
  // controller.quorum.voters: "1@host:9093,2@[::1]:9093". Errors: invalid.
  static Result<VoterSet> parse(std::string_view text, std::string_view listener);

  std::span<const Voter> voters() const { return voters_; }  // by id
  size_t size() const { return voters_.size(); }
  bool empty() const { return voters_.empty(); }
  size_t majority() const { return voters_.size() / 2 + 1; }
  // A voter without a directory is every directory of its node.
  bool contains(const ReplicaKey& key) const;
  const Voter* find(BrokerId id) const;

  // One voter more, less, or changed (KIP-853). Nothing if the set has that id already, has not got
  // exactly that key, or would be empty.
  std::optional<VoterSet> with(const Voter& voter) const;
  std::optional<VoterSet> without(const ReplicaKey& key) const;
  std::optional<VoterSet> updated(const Voter& voter) const;
  bool operator==(const VoterSet&) const = default;

 private:
  std::vector<Voter> voters_;
};

// The voters and the level of kraft.version as the log says them. Those of the last record count
// from the moment that it is appended, committed or not; a cut brings back those before.
class VoterHistory {
 public:
  struct Entry {
    Offset offset;  // of the record; -1: configuration, or a snapshot
    VoterSet voters;
    int16_t kraft_version = 0;
  };

  VoterHistory() : VoterHistory(VoterSet(), 0) {}
  VoterHistory(VoterSet voters, int16_t kraft_version);
  const VoterSet& voters() const { return entries_.back().voters; }
  int16_t kraft_version() const { return entries_.back().kraft_version; }
  // Of the last change that the log holds itself.
  std::optional<Offset> changed_at() const;
  // The last one before the offset.
  const Entry& at(Offset offset) const;

  void set_voters(Offset offset, VoterSet voters);
  void set_kraft_version(Offset offset, int16_t level);
  void truncate_end(Offset end);
  // What lies before the last change below start is forgotten.
  void truncate_start(Offset start);

 private:
  Entry& entry(Offset offset);
  std::vector<Entry> entries_;  // never empty, offsets rise
};

}  // namespace moldau::raft
