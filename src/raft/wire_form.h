// The values of messages.h as Kafka's messages, and back. Every message of the quorum has room for
// many topics and partitions; only __cluster_metadata-0 is in use. Pure.
//
// to_wire() borrows from the value and from the arena; both outlive the message. from_wire()
// copies. It gives nothing for a message about anything but that one partition: a request is then
// answered with INVALID_REQUEST as a whole, an answer counts as none.
#pragma once
#include "base/arena.h"
#include "raft/messages.h"
#include "wire/messages/add_raft_voter.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/begin_quorum_epoch.h"
#include "wire/messages/end_quorum_epoch.h"
#include "wire/messages/fetch.h"
#include "wire/messages/fetch_snapshot.h"
#include "wire/messages/remove_raft_voter.h"
#include "wire/messages/update_raft_voter.h"
#include "wire/messages/vote.h"

namespace moldau::raft {

constexpr std::string_view kMetadataTopic = "__cluster_metadata";
constexpr Uuid kMetadataTopicId{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

// A pre-vote in a version that has none would be a vote: it must not be sent (below version 2).
inline bool fits(const VoteRequest& request, int16_t version) {
  return !request.pre_vote || version >= 2;
}

wire::VoteRequest to_wire(const VoteRequest& request, Arena& arena);
wire::VoteResponse to_wire(const VoteResponse& response, Arena& arena);
wire::BeginQuorumEpochRequest to_wire(const BeginQuorumRequest& request, Arena& arena);
wire::BeginQuorumEpochResponse to_wire(const BeginQuorumResponse& response, Arena& arena);
wire::EndQuorumEpochRequest to_wire(const EndQuorumRequest& request, Arena& arena);
wire::EndQuorumEpochResponse to_wire(const EndQuorumResponse& response, Arena& arena);
// In versions from 15 on the replica stands elsewhere than before.
wire::FetchRequest to_wire(const FetchRequest& request, int16_t version, Arena& arena);
// records: as the driver has read them.
wire::FetchResponse to_wire(const FetchResponse& response, const wire::Records& records,
                            Arena& arena);
wire::FetchSnapshotRequest to_wire(const FetchSnapshotRequest& request, Arena& arena);
wire::FetchSnapshotResponse to_wire(const FetchSnapshotResponse& response,
                                    const wire::Records& records, Arena& arena);
wire::AddRaftVoterRequest to_wire(const AddVoterRequest& request, Arena& arena);
wire::AddRaftVoterResponse to_wire(const AddVoterResponse& response);
wire::RemoveRaftVoterRequest to_wire(const RemoveVoterRequest& request);
wire::RemoveRaftVoterResponse to_wire(const RemoveVoterResponse& response);
wire::UpdateRaftVoterRequest to_wire(const UpdateVoterRequest& request, Arena& arena);
wire::UpdateRaftVoterResponse to_wire(const UpdateVoterResponse& response);

std::optional<VoteRequest> from_wire(const wire::VoteRequest& in);
std::optional<VoteResponse> from_wire(const wire::VoteResponse& in);
std::optional<BeginQuorumRequest> from_wire(const wire::BeginQuorumEpochRequest& in);
std::optional<BeginQuorumResponse> from_wire(const wire::BeginQuorumEpochResponse& in);
std::optional<EndQuorumRequest> from_wire(const wire::EndQuorumEpochRequest& in);
std::optional<EndQuorumResponse> from_wire(const wire::EndQuorumEpochResponse& in);
std::optional<FetchRequest> from_wire(const wire::FetchRequest& in);
std::optional<FetchResponse> from_wire(const wire::FetchResponse& in);
std::optional<FetchSnapshotRequest> from_wire(const wire::FetchSnapshotRequest& in);
std::optional<FetchSnapshotResponse> from_wire(const wire::FetchSnapshotResponse& in);
AddVoterRequest from_wire(const wire::AddRaftVoterRequest& in);
RemoveVoterRequest from_wire(const wire::RemoveRaftVoterRequest& in);
UpdateVoterRequest from_wire(const wire::UpdateRaftVoterRequest& in);
UpdateVoterResponse from_wire(const wire::UpdateRaftVoterResponse& in);
// A node that does not name kraft.version knows level 0 only.
LevelsResponse from_wire(const wire::ApiVersionsResponse& in);

}  // namespace moldau::raft
