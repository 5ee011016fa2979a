// What replicas say to each other, as values: the wire's messages of one partition without their
// versions and arrays (raft/wire_form.h). An answer's `top` is the error of the request as a whole,
// `error` that of the partition.
#pragma once
#include <variant>

#include "base/time.h"
#include "raft/voters.h"
#include "wire/error_code.h"

namespace moldau::raft {

using wire::ErrorCode;
using ClusterId = std::optional<std::string>;  // nothing: not checked

// What every answer of the quorum's own requests says.
struct Outcome {
  ErrorCode top = ErrorCode::none;
  ErrorCode error = ErrorCode::none;
  LeaderAndEpoch leader;  // as the answering replica knows it
  std::vector<Endpoint> leader_endpoints;
};

struct VoteRequest {
  ClusterId cluster;
  ReplicaKey voter;    // who is asked; id -1 and no directory: not said
  ReplicaKey replica;  // who asks
  LeaderEpoch epoch;   // pre-vote: that it is in; else that it wants to lead
  OffsetAndEpoch end;  // of its log
  bool pre_vote = false;
};
struct VoteResponse : Outcome {
  bool granted = false;
};

struct BeginQuorumRequest {
  ClusterId cluster;
  ReplicaKey voter;
  LeaderAndEpoch leader;
  std::vector<Endpoint> endpoints;  // of the leader
};
struct BeginQuorumResponse : Outcome {};

struct EndQuorumRequest {
  ClusterId cluster;
  LeaderAndEpoch leader;
  std::vector<ReplicaKey> candidates;  // best first
  std::vector<Endpoint> endpoints;
};
struct EndQuorumResponse : Outcome {};

struct FetchRequest {
  ClusterId cluster;
  ReplicaKey replica;
  LeaderEpoch epoch;   // as the follower knows it
  OffsetAndEpoch end;  // of its log; all before it is on its stable storage
  Duration max_wait;
  int32_t max_bytes = 0;
  std::optional<Offset> high_watermark;  // what the follower knows (KIP-1166)
};
struct FetchResponse : Outcome {
  Offset high_watermark{-1};
  Offset log_start{-1};
  std::optional<OffsetAndEpoch> diverging;
  std::optional<OffsetAndEpoch> snapshot;
  // An answer to be given has no bytes yet: the driver reads them at this offset, as many as
  // max_bytes says, at least one batch.
  std::optional<Offset> read_at;
  int32_t max_bytes = 0;
  std::vector<uint8_t> records;  // received
};

struct FetchSnapshotRequest {
  ClusterId cluster;
  ReplicaKey replica;
  LeaderEpoch epoch;
  OffsetAndEpoch snapshot;
  int64_t position = 0;
  int32_t max_bytes = 0;
};
struct FetchSnapshotResponse : Outcome {
  OffsetAndEpoch snapshot;
  int64_t size = 0;
  int64_t position = 0;
  int32_t max_bytes = 0;       // to be given: 0: nothing; else the driver reads as many
  std::vector<uint8_t> bytes;  // received
};

// --- Changes of the voters (KIP-853). Their answers have an error as a whole, and a text. ---

struct AddVoterRequest {
  ClusterId cluster;
  Duration timeout;
  Voter voter;  // the leader asks it for its levels of kraft.version
  bool ack_when_committed = true;
};
struct RemoveVoterRequest {
  ClusterId cluster;
  ReplicaKey voter;
};
// A voter says where it listens and which levels it knows.
struct UpdateVoterRequest {
  ClusterId cluster;
  LeaderEpoch epoch;
  Voter voter;
};
struct ChangeOutcome : Outcome {
  std::string text;
};
struct AddVoterResponse : ChangeOutcome {};
struct RemoveVoterResponse : ChangeOutcome {};
struct UpdateVoterResponse : ChangeOutcome {};

// ApiVersions, of which only the levels of kraft.version count here.
struct LevelsRequest {};
struct LevelsResponse : Outcome {
  int16_t min_kraft_version = 0, max_kraft_version = 0;
};

using Request = std::variant<VoteRequest, BeginQuorumRequest, EndQuorumRequest, FetchRequest,
                             FetchSnapshotRequest, AddVoterRequest, RemoveVoterRequest,
                             UpdateVoterRequest, LevelsRequest>;
using Response = std::variant<VoteResponse, BeginQuorumResponse, EndQuorumResponse, FetchResponse,
                              FetchSnapshotResponse, AddVoterResponse, RemoveVoterResponse,
                              UpdateVoterResponse, LevelsResponse>;

}  // namespace moldau::raft
