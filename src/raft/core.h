// One replica of the metadata log's quorum: elects, is elected, replicates (KIP-595, -630, -853,
// -996). Pure: every input returns what the driver has to do. The driver owns the log's bytes, the
// file quorum-state, connections and clocks; the core knows what they mean.
//
// Order. Vote and epoch are durable before anything that follows from them is said (invariant K2):
// the core itself holds back sends and answers until persisted() confirms the state before them.
// The driver carries out one Effects after the other, writes first, and reads the bytes of a fetch
// answer before it carries out a later one.
#pragma once
#include <concepts>
#include <deque>
#include <variant>

#include "base/random.h"
#include "raft/control.h"
#include "raft/leader.h"
#include "raft/log_state.h"
#include "raft/messages.h"
#include "raft/quorum_state.h"
#include "raft/roles.h"

namespace moldau::raft {

struct Config {
  ReplicaKey local;
  std::string cluster_id;
  std::vector<Endpoint> endpoints;  // of ours, as others are told
  std::vector<Endpoint> bootstrap;  // controller.quorum.bootstrap.servers
  // controller.quorum.*
  Duration election_timeout = milliseconds(1'000);
  Duration fetch_timeout = milliseconds(2'000);
  Duration request_timeout = milliseconds(2'000);
  Duration retry_backoff = milliseconds(20);
  Duration election_backoff_max = milliseconds(1'000);
  int32_t fetch_max_bytes = 1 << 20;
  int32_t fetch_snapshot_max_bytes = 1 << 20;
  Duration fetch_max_wait = milliseconds(500);
};

// What was found on disk.
struct Recovered {
  std::optional<QuorumState> state;  // nothing: never started
  LogState::Opened log;
  VoterHistory voters;
};

struct Send {
  uint64_t id;
  BrokerId to;  // below -1: bootstrap server -2 - to
  std::vector<Endpoint> endpoints;
  Request request;
};
struct Answer {
  uint64_t token;
  Response response;
};
struct Persist {
  uint64_t number;
  QuorumState state;
  int16_t version;  // of the file
};
struct LogWrite {
  uint64_t number;
  Offset at;                   // where the bytes go; or, without bytes, the log's new end
  std::vector<uint8_t> bytes;  // whole batches
  bool truncates() const { return bytes.empty(); }
};
struct SnapshotStep {
  // finish: what was received is the snapshot; the log is emptied and goes on behind it. Then
  // snapshot_loaded() is called.
  enum Kind : uint8_t { begin, bytes, finish, abandon } kind;
  OffsetAndEpoch id;
  int64_t position = 0;
  std::vector<uint8_t> received;
};

struct Effects {
  std::vector<LogWrite> writes;
  std::vector<SnapshotStep> snapshot;
  std::optional<Persist> persist;  // replaces one that was not begun
  std::vector<Send> sends;
  std::vector<Answer> answers;
  bool role_changed = false;
  bool high_watermark_moved = false;
  bool voters_changed = false;
  std::vector<std::string> complaints;  // what others said and must not have: for the log
  std::optional<std::string> halt;      // this replica must stop: its log is not what it should be
  bool stopped = false;                 // after shutdown(): nothing is left to do
  Instant wake_at = kNever;             // tick() then
};

class Core {
 public:
  Core(Config config, Recovered recovered, uint64_t seed);

  // --- Inputs ---
  Effects start(Now now);
  Effects tick(Now now);
  // token: names the request in its answer; each gets one, unless the replica stops.
  Effects request(Now now, uint64_t token, const Request& request);
  Effects response(Now now, BrokerId from, uint64_t id, const Response& response);
  Effects send_failed(Now now, BrokerId to, uint64_t id);
  Effects persisted(Now now, uint64_t number);    // this Persist and those before it
  Effects log_durable(Now now, uint64_t number);  // this LogWrite and those before it
  // A batch of a leader's records, as the builder made it: it gets its offset and epoch here. The
  // role is leader, in this epoch.
  Effects append(Now now, std::vector<uint8_t> batch, Offset* base);
  // We have written a snapshot ourselves, of committed records; it is on stable storage.
  Effects snapshot_written(Now now, const Snapshot& snapshot);
  void snapshot_removed(OffsetAndEpoch id) { log_.remove_snapshot(id); }
  bool log_trimmed(Offset start);  // the log begins here now, at a snapshot's end
  // The snapshot of SnapshotStep::finish is in place; voters: what it says of them.
  Effects snapshot_loaded(Now now, const Snapshot& snapshot, VoterHistory voters);
  // Or not: it was no snapshot.
  Effects snapshot_refused(Now now, std::string why);
  Effects resign(Now now);
  Effects shutdown(Now now);

  // --- What is so ---
  RoleName role() const { return static_cast<RoleName>(role_.index()); }
  const QuorumState& state() const { return hard_; }
  LeaderAndEpoch leader() const { return {hard_.leader, hard_.epoch}; }
  const LogState& log() const { return log_; }
  Offset high_watermark() const { return high_watermark_; }
  const VoterHistory& voters() const { return voters_; }
  bool is_voter() const { return voters_.voters().contains(config_.local); }
  bool halted() const { return halted_; }
  const std::string& cluster_id() const { return config_.cluster_id; }
  const LeaderView* leading() const;  // null unless leader

 private:
  struct Sent {
    uint64_t id;
    Instant deadline;
    size_t kind;  // of the request: index in Request
    LeaderEpoch epoch;
    bool pre_vote = false;
    OffsetAndEpoch end;  // of the log, when it was sent
  };
  struct Peer {
    std::optional<Sent> sent;  // one request at a time, as Kafka
    Instant ready_at;
  };
  using Held = std::variant<Send, Answer>;

  // core.cc
  Effects finish();
  void pump();
  void persist(const QuorumState& next);
  bool all_persisted() const { return persisted_ == persist_number_; }
  void emit(Held held);
  void release();
  bool said_farewell() const;
  bool ready(BrokerId to) const;
  bool send(BrokerId to, Request request);
  void free_peer(BrokerId to, bool backoff);
  void expire_sends();
  Instant next_wake() const;
  std::vector<Endpoint> endpoints_of(BrokerId to) const;
  void complain(std::string text) { out_.complaints.push_back(std::move(text)); }
  void halt(std::string why);

  // core_roles.cc
  template <class R>
  void enter(R role);
  Instant election_deadline();
  bool alone() const { return is_voter() && voters_.voters().size() == 1; }
  void become_unattached(LeaderEpoch epoch);
  void become_prospective();
  void become_candidate();
  void become_leader(const Ballot& ballot);
  void become_follower(LeaderAndEpoch leader, std::vector<Endpoint> endpoints);
  void become_resigned();
  void leave_leadership();
  void maybe_follow(LeaderAndEpoch leader, const std::vector<Endpoint>& endpoints);
  void run(Unattached& role);
  void run(Prospective& role);
  void run(Candidate& role);
  void run(Leader& role);
  void run(Follower& role);
  void run(Resigned& role);
  void ask_votes(const Ballot& ballot, bool pre_vote);
  void find_leader();

  // core_vote.cc
  ErrorCode check_cluster(const ClusterId& cluster) const;
  ErrorCode check_voter_request(LeaderEpoch epoch, BrokerId from) const;
  bool is_us(const ReplicaKey& voter) const;
  void fill(Outcome& outcome) const;
  bool can_grant(const VoteRequest& request) const;
  ErrorCode vote(const VoteRequest& request, bool& granted);
  ErrorCode begin_quorum(const BeginQuorumRequest& request);
  ErrorCode end_quorum(const EndQuorumRequest& request);
  VoteResponse answer(const VoteRequest& request);
  BeginQuorumResponse answer(const BeginQuorumRequest& request);
  EndQuorumResponse answer(const EndQuorumRequest& request);
  bool take_outcome(BrokerId from, const Outcome& outcome);
  void take(BrokerId from, const Sent& sent, const VoteResponse& response);
  void take(BrokerId from, const Sent& sent, const BeginQuorumResponse& response);
  void take(BrokerId from, const Sent& sent, const EndQuorumResponse& response);

  // core_lead.cc
  ErrorCode check_leader_request(LeaderEpoch epoch, const ReplicaKey& from) const;
  void fetch(uint64_t token, const FetchRequest& request);
  void fetch_snapshot(uint64_t token, const FetchSnapshotRequest& request);
  FetchResponse fetched(const FetchRequest& request) const;
  bool waits(const FetchRequest& request) const;
  void complete_fetches();
  void write(std::vector<uint8_t> batch);
  void on_leader_progress(bool moved);

  // core_voters.cc
  ChangeOutcome check_change(const Request& request) const;
  void change_voters(uint64_t token, const Request& request);
  void answer_change(VoterChange& change, ErrorCode error, std::string text);
  void append_change(VoterChange& change, const VoterSet& voters);
  void pursue_change();
  void pursue_add(VoterChange& change, const AddVoterRequest& request);
  void take(BrokerId from, const Sent& sent, const LevelsResponse& response);
  template <class R>
    requires std::derived_from<R, ChangeOutcome>
  void take(BrokerId, const Sent&, const R&) {}  // never asked by a replica

  // core_follow.cc
  void take(BrokerId from, const Sent& sent, const FetchResponse& response);
  void take(BrokerId from, const Sent& sent, const FetchSnapshotResponse& response);
  void ask_leader(Follower& role);
  void cut(OffsetAndEpoch leader_end);
  void start_snapshot(Follower& role, OffsetAndEpoch id);
  Result<std::vector<wire::BatchHeader>> check_batches(Bytes records) const;
  void append_fetched(Bytes records, std::span<const wire::BatchHeader> batches);
  void raise_high_watermark(Offset to);
  void apply_control(const std::vector<ControlRecord>& records);
  void voters_moved();
  void drop_snapshot(Follower& role);

  const Config config_;
  Random random_;
  QuorumState hard_;
  LogState log_;
  VoterHistory voters_;
  Offset high_watermark_;
  Role role_;
  std::vector<Endpoint> leader_endpoints_;
  std::map<BrokerId, Peer> peers_;
  std::optional<OffsetAndEpoch> loading_;  // a snapshot that is being put in place
  uint64_t persist_number_ = 0, persisted_ = 0;
  uint64_t write_number_ = 0;
  uint64_t send_id_ = 0;
  uint64_t role_changes_ = 0;
  std::deque<std::pair<uint64_t, Held>> held_;  // until that Persist is done
  bool stopping_ = false, halted_ = false;
  Now now_;
  Effects out_;
};

}  // namespace moldau::raft
