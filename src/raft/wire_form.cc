#include "raft/wire_form.h"

namespace moldau::raft {
namespace {

// The partition of a message that is about __cluster_metadata-0 alone; else null.
template <class Topic>
const auto* only(const wire::Array<Topic>& topics) {
  bool one = topics.size() == 1 && topics[0].partitions.size() == 1 &&
             topics[0].topic_name == kMetadataTopic && topics[0].partitions[0].partition_index == 0;
  return one ? &topics[0].partitions[0] : nullptr;
}

// The topic and the partition of a new message.
template <class Topic>
auto add_topic(wire::Array<Topic>& topics, Arena& arena) {
  auto topic = arena.array<Topic>(1);
  auto partition = arena.array<std::remove_cvref_t<decltype(topic[0].partitions[0])>>(1);
  topic[0].partitions = partition;
  topics = topic;
  return std::pair(topic.data(), partition.data());
}
template <class Topic>
auto& add_only(wire::Array<Topic>& topics, Arena& arena) {
  auto [topic, partition] = add_topic(topics, arena);
  topic->topic_name = kMetadataTopic;
  return *partition;
}

wire::NullableString cluster_of(const ClusterId& cluster) {
  return cluster ? wire::NullableString(*cluster) : std::nullopt;
}
ClusterId cluster_of(const wire::NullableString& cluster) {
  return cluster ? ClusterId(std::string(*cluster)) : std::nullopt;
}

template <class Out>
wire::Array<Out> endpoints_of(const std::vector<Endpoint>& endpoints, Arena& arena) {
  auto out = arena.array<Out>(endpoints.size());
  for (size_t i = 0; i < out.size(); i++) {
    out[i].name = endpoints[i].name;
    out[i].host = endpoints[i].host;
    out[i].port = endpoints[i].port;
  }
  return out;
}
template <class In>
std::vector<Endpoint> endpoints_of(const wire::Array<In>& endpoints) {
  std::vector<Endpoint> out;
  for (const In& e : endpoints) out.push_back({std::string(e.name), std::string(e.host), e.port});
  return out;
}

// Where the leader of an answer listens: the first endpoint, without its name.
template <class Node>
void put_leader(const Outcome& outcome, wire::Array<Node>& nodes, Arena& arena) {
  if (outcome.leader.leader.value < 0 || outcome.leader_endpoints.empty()) return;
  auto node = arena.array<Node>(1);
  node[0].node_id = outcome.leader.leader.value;
  node[0].host = outcome.leader_endpoints[0].host;
  node[0].port = outcome.leader_endpoints[0].port;
  nodes = node;
}
template <class Node>
void get_leader(const wire::Array<Node>& nodes, Outcome& outcome) {
  for (const Node& node : nodes)
    if (node.node_id == outcome.leader.leader.value)
      outcome.leader_endpoints = {{"", std::string(node.host), static_cast<uint16_t>(node.port)}};
}

// What the answers to Vote, BeginQuorumEpoch and EndQuorumEpoch begin with. Null if the error is
// that of the request as a whole.
template <class Message>
auto* put_outcome(const Outcome& outcome, Message& message, Arena& arena) {
  message.error_code = static_cast<int16_t>(outcome.top);
  using Partition = std::remove_reference_t<decltype(add_only(message.topics, arena))>;
  if (outcome.top != ErrorCode::none) return static_cast<Partition*>(nullptr);
  Partition& partition = add_only(message.topics, arena);
  partition.error_code = static_cast<int16_t>(outcome.error);
  partition.leader_id = outcome.leader.leader.value;
  partition.leader_epoch = outcome.leader.epoch.value;
  put_leader(outcome, message.node_endpoints, arena);
  return &partition;
}
template <class Out, class Message>
std::optional<Out> get_outcome(const Message& message) {
  Out out;
  out.top = static_cast<ErrorCode>(message.error_code);
  if (out.top != ErrorCode::none) return out;
  const auto* partition = only(message.topics);
  if (!partition) return std::nullopt;
  out.error = static_cast<ErrorCode>(partition->error_code);
  out.leader = {BrokerId(partition->leader_id), LeaderEpoch(partition->leader_epoch)};
  get_leader(message.node_endpoints, out);
  return out;
}

}  // namespace

// --- Vote ---

wire::VoteRequest to_wire(const VoteRequest& request, Arena& arena) {
  wire::VoteRequest out;
  out.cluster_id = cluster_of(request.cluster);
  out.voter_id = request.voter.id.value;
  auto& partition = add_only(out.topics, arena);
  partition.replica_epoch = request.epoch.value;
  partition.replica_id = request.replica.id.value;
  partition.replica_directory_id = request.replica.directory;
  partition.voter_directory_id = request.voter.directory;
  partition.last_offset_epoch = request.end.epoch.value;
  partition.last_offset = request.end.offset.value;
  partition.pre_vote = request.pre_vote;
  return out;
}

std::optional<VoteRequest> from_wire(const wire::VoteRequest& in) {
  const auto* partition = only(in.topics);
  if (!partition) return std::nullopt;
  return VoteRequest{cluster_of(in.cluster_id),
                     {BrokerId(in.voter_id), partition->voter_directory_id},
                     {BrokerId(partition->replica_id), partition->replica_directory_id},
                     LeaderEpoch(partition->replica_epoch),
                     {Offset(partition->last_offset), LeaderEpoch(partition->last_offset_epoch)},
                     partition->pre_vote};
}

wire::VoteResponse to_wire(const VoteResponse& response, Arena& arena) {
  wire::VoteResponse out;
  if (auto* partition = put_outcome(response, out, arena))
    partition->vote_granted = response.granted;
  return out;
}

std::optional<VoteResponse> from_wire(const wire::VoteResponse& in) {
  std::optional<VoteResponse> out = get_outcome<VoteResponse>(in);
  if (out && out->top == ErrorCode::none) out->granted = only(in.topics)->vote_granted;
  return out;
}

// --- BeginQuorumEpoch, EndQuorumEpoch ---

wire::BeginQuorumEpochRequest to_wire(const BeginQuorumRequest& request, Arena& arena) {
  wire::BeginQuorumEpochRequest out;
  out.cluster_id = cluster_of(request.cluster);
  out.voter_id = request.voter.id.value;
  auto& partition = add_only(out.topics, arena);
  partition.voter_directory_id = request.voter.directory;
  partition.leader_id = request.leader.leader.value;
  partition.leader_epoch = request.leader.epoch.value;
  using Out = wire::BeginQuorumEpochRequest::LeaderEndpoint;
  out.leader_endpoints = endpoints_of<Out>(request.endpoints, arena);
  return out;
}

std::optional<BeginQuorumRequest> from_wire(const wire::BeginQuorumEpochRequest& in) {
  const auto* partition = only(in.topics);
  if (!partition) return std::nullopt;
  return BeginQuorumRequest{cluster_of(in.cluster_id),
                            {BrokerId(in.voter_id), partition->voter_directory_id},
                            {BrokerId(partition->leader_id), LeaderEpoch(partition->leader_epoch)},
                            endpoints_of(in.leader_endpoints)};
}

wire::BeginQuorumEpochResponse to_wire(const BeginQuorumResponse& response, Arena& arena) {
  wire::BeginQuorumEpochResponse out;
  put_outcome(response, out, arena);
  return out;
}

std::optional<BeginQuorumResponse> from_wire(const wire::BeginQuorumEpochResponse& in) {
  return get_outcome<BeginQuorumResponse>(in);
}

wire::EndQuorumEpochRequest to_wire(const EndQuorumRequest& request, Arena& arena) {
  wire::EndQuorumEpochRequest out;
  out.cluster_id = cluster_of(request.cluster);
  auto& partition = add_only(out.topics, arena);
  partition.leader_id = request.leader.leader.value;
  partition.leader_epoch = request.leader.epoch.value;
  auto ids = arena.array<int32_t>(request.candidates.size());
  auto keys = arena.array<wire::EndQuorumEpochRequest::ReplicaInfo>(request.candidates.size());
  for (size_t i = 0; i < ids.size(); i++) {
    ids[i] = keys[i].candidate_id = request.candidates[i].id.value;
    keys[i].candidate_directory_id = request.candidates[i].directory;
  }
  partition.preferred_successors = ids;
  partition.preferred_candidates = keys;
  using Out = wire::EndQuorumEpochRequest::LeaderEndpoint;
  out.leader_endpoints = endpoints_of<Out>(request.endpoints, arena);
  return out;
}

std::optional<EndQuorumRequest> from_wire(const wire::EndQuorumEpochRequest& in) {
  const auto* partition = only(in.topics);
  if (!partition) return std::nullopt;
  EndQuorumRequest out{cluster_of(in.cluster_id),
                       {BrokerId(partition->leader_id), LeaderEpoch(partition->leader_epoch)},
                       {},
                       endpoints_of(in.leader_endpoints)};
  for (const auto& key : partition->preferred_candidates)
    out.candidates.push_back({BrokerId(key.candidate_id), key.candidate_directory_id});
  // Version 0 has ids only.
  if (out.candidates.empty())
    for (int32_t id : partition->preferred_successors) out.candidates.push_back({BrokerId(id), {}});
  return out;
}

wire::EndQuorumEpochResponse to_wire(const EndQuorumResponse& response, Arena& arena) {
  wire::EndQuorumEpochResponse out;
  put_outcome(response, out, arena);
  return out;
}

std::optional<EndQuorumResponse> from_wire(const wire::EndQuorumEpochResponse& in) {
  return get_outcome<EndQuorumResponse>(in);
}

// --- Fetch ---

wire::FetchRequest to_wire(const FetchRequest& request, int16_t version, Arena& arena) {
  wire::FetchRequest out;
  out.cluster_id = cluster_of(request.cluster);
  if (version < 15)
    out.replica_id = request.replica.id.value;
  else
    out.replica_state.replica_id = request.replica.id.value;
  out.max_wait_ms = static_cast<int32_t>(request.max_wait.millis());
  out.max_bytes = request.max_bytes;
  auto [topic, partition] = add_topic(out.topics, arena);
  topic->topic = kMetadataTopic;
  topic->topic_id = kMetadataTopicId;
  partition->current_leader_epoch = request.epoch.value;
  partition->fetch_offset = request.end.offset.value;
  partition->last_fetched_epoch = request.end.epoch.value;
  partition->replica_directory_id = request.replica.directory;
  if (request.high_watermark) partition->high_watermark = request.high_watermark->value;
  return out;
}

std::optional<FetchRequest> from_wire(const wire::FetchRequest& in) {
  if (in.topics.size() != 1 || in.topics[0].partitions.size() != 1) return std::nullopt;
  const auto& topic = in.topics[0];
  const auto& partition = topic.partitions[0];
  bool ours = topic.topic == kMetadataTopic || topic.topic_id == kMetadataTopicId;
  if (!ours || partition.partition != 0) return std::nullopt;
  int32_t id = in.replica_state.replica_id >= 0 ? in.replica_state.replica_id : in.replica_id;
  FetchRequest out{cluster_of(in.cluster_id),
                   {BrokerId(id), partition.replica_directory_id},
                   LeaderEpoch(partition.current_leader_epoch),
                   {Offset(partition.fetch_offset), LeaderEpoch(partition.last_fetched_epoch)},
                   milliseconds(in.max_wait_ms),
                   in.max_bytes,
                   std::nullopt};
  constexpr int64_t kUnknown = wire::FetchRequest::FetchPartition().high_watermark;
  if (partition.high_watermark != kUnknown) out.high_watermark = Offset(partition.high_watermark);
  return out;
}

wire::FetchResponse to_wire(const FetchResponse& response, const wire::Records& records,
                            Arena& arena) {
  wire::FetchResponse out;
  out.error_code = static_cast<int16_t>(response.top);
  if (response.top != ErrorCode::none) return out;
  auto [topic, partition] = add_topic(out.responses, arena);
  topic->topic = kMetadataTopic;
  topic->topic_id = kMetadataTopicId;
  partition->error_code = static_cast<int16_t>(response.error);
  partition->high_watermark = response.high_watermark.value;
  partition->log_start_offset = response.log_start.value;
  partition->current_leader.leader_id = response.leader.leader.value;
  partition->current_leader.leader_epoch = response.leader.epoch.value;
  if (response.diverging) {
    partition->diverging_epoch.epoch = response.diverging->epoch.value;
    partition->diverging_epoch.end_offset = response.diverging->offset.value;
  }
  if (response.snapshot) {
    partition->snapshot_id.epoch = response.snapshot->epoch.value;
    partition->snapshot_id.end_offset = response.snapshot->offset.value;
  }
  partition->records = records;
  put_leader(response, out.node_endpoints, arena);
  return out;
}

std::optional<FetchResponse> from_wire(const wire::FetchResponse& in) {
  FetchResponse out;
  out.top = static_cast<ErrorCode>(in.error_code);
  if (out.top != ErrorCode::none) return out;
  if (in.responses.size() != 1 || in.responses[0].partitions.size() != 1) return std::nullopt;
  const auto& partition = in.responses[0].partitions[0];
  out.error = static_cast<ErrorCode>(partition.error_code);
  out.leader = {BrokerId(partition.current_leader.leader_id),
                LeaderEpoch(partition.current_leader.leader_epoch)};
  out.high_watermark = Offset(partition.high_watermark);
  out.log_start = Offset(partition.log_start_offset);
  const auto& diverging = partition.diverging_epoch;
  if (diverging.epoch >= 0 || diverging.end_offset >= 0)
    out.diverging = OffsetAndEpoch{Offset(diverging.end_offset), LeaderEpoch(diverging.epoch)};
  const auto& snapshot = partition.snapshot_id;
  if (snapshot.epoch >= 0 || snapshot.end_offset >= 0)
    out.snapshot = OffsetAndEpoch{Offset(snapshot.end_offset), LeaderEpoch(snapshot.epoch)};
  out.records.assign(partition.records.bytes.begin(), partition.records.bytes.end());
  get_leader(in.node_endpoints, out);
  return out;
}

// --- FetchSnapshot ---

wire::FetchSnapshotRequest to_wire(const FetchSnapshotRequest& request, Arena& arena) {
  wire::FetchSnapshotRequest out;
  out.cluster_id = cluster_of(request.cluster);
  out.replica_id = request.replica.id.value;
  out.max_bytes = request.max_bytes;
  auto [topic, partition] = add_topic(out.topics, arena);
  topic->name = kMetadataTopic;
  partition->current_leader_epoch = request.epoch.value;
  partition->snapshot_id.end_offset = request.snapshot.offset.value;
  partition->snapshot_id.epoch = request.snapshot.epoch.value;
  partition->position = request.position;
  partition->replica_directory_id = request.replica.directory;
  return out;
}

std::optional<FetchSnapshotRequest> from_wire(const wire::FetchSnapshotRequest& in) {
  bool one = in.topics.size() == 1 && in.topics[0].partitions.size() == 1;
  if (!one || in.topics[0].name != kMetadataTopic) return std::nullopt;
  const auto& partition = in.topics[0].partitions[0];
  if (partition.partition != 0) return std::nullopt;
  return FetchSnapshotRequest{
      cluster_of(in.cluster_id),
      {BrokerId(in.replica_id), partition.replica_directory_id},
      LeaderEpoch(partition.current_leader_epoch),
      {Offset(partition.snapshot_id.end_offset), LeaderEpoch(partition.snapshot_id.epoch)},
      partition.position,
      in.max_bytes};
}

wire::FetchSnapshotResponse to_wire(const FetchSnapshotResponse& response,
                                    const wire::Records& records, Arena& arena) {
  wire::FetchSnapshotResponse out;
  out.error_code = static_cast<int16_t>(response.top);
  if (response.top != ErrorCode::none) return out;
  auto [topic, partition] = add_topic(out.topics, arena);
  topic->name = kMetadataTopic;
  partition->error_code = static_cast<int16_t>(response.error);
  partition->snapshot_id.end_offset = response.snapshot.offset.value;
  partition->snapshot_id.epoch = response.snapshot.epoch.value;
  partition->current_leader.leader_id = response.leader.leader.value;
  partition->current_leader.leader_epoch = response.leader.epoch.value;
  partition->size = response.size;
  partition->position = response.position;
  partition->unaligned_records = records;
  put_leader(response, out.node_endpoints, arena);
  return out;
}

std::optional<FetchSnapshotResponse> from_wire(const wire::FetchSnapshotResponse& in) {
  FetchSnapshotResponse out;
  out.top = static_cast<ErrorCode>(in.error_code);
  if (out.top != ErrorCode::none) return out;
  if (in.topics.size() != 1 || in.topics[0].partitions.size() != 1) return std::nullopt;
  const auto& partition = in.topics[0].partitions[0];
  out.error = static_cast<ErrorCode>(partition.error_code);
  out.leader = {BrokerId(partition.current_leader.leader_id),
                LeaderEpoch(partition.current_leader.leader_epoch)};
  out.snapshot = {Offset(partition.snapshot_id.end_offset),
                  LeaderEpoch(partition.snapshot_id.epoch)};
  out.size = partition.size;
  out.position = partition.position;
  Bytes bytes = partition.unaligned_records.bytes;
  out.bytes.assign(bytes.begin(), bytes.end());
  get_leader(in.node_endpoints, out);
  return out;
}

// --- Changes of the voters ---

wire::AddRaftVoterRequest to_wire(const AddVoterRequest& request, Arena& arena) {
  wire::AddRaftVoterRequest out;
  out.cluster_id = cluster_of(request.cluster);
  out.timeout_ms = static_cast<int32_t>(request.timeout.millis());
  out.voter_id = request.voter.key.id.value;
  out.voter_directory_id = request.voter.key.directory;
  out.listeners = endpoints_of<wire::AddRaftVoterRequest::Listener>(request.voter.endpoints, arena);
  out.ack_when_committed = request.ack_when_committed;
  return out;
}

AddVoterRequest from_wire(const wire::AddRaftVoterRequest& in) {
  Voter voter{{BrokerId(in.voter_id), in.voter_directory_id}, endpoints_of(in.listeners), 0, 0};
  return {cluster_of(in.cluster_id), milliseconds(in.timeout_ms), std::move(voter),
          in.ack_when_committed};
}

wire::RemoveRaftVoterRequest to_wire(const RemoveVoterRequest& request) {
  wire::RemoveRaftVoterRequest out;
  out.cluster_id = cluster_of(request.cluster);
  out.voter_id = request.voter.id.value;
  out.voter_directory_id = request.voter.directory;
  return out;
}

RemoveVoterRequest from_wire(const wire::RemoveRaftVoterRequest& in) {
  return {cluster_of(in.cluster_id), {BrokerId(in.voter_id), in.voter_directory_id}};
}

wire::UpdateRaftVoterRequest to_wire(const UpdateVoterRequest& request, Arena& arena) {
  wire::UpdateRaftVoterRequest out;
  out.cluster_id = cluster_of(request.cluster);
  out.current_leader_epoch = request.epoch.value;
  out.voter_id = request.voter.key.id.value;
  out.voter_directory_id = request.voter.key.directory;
  out.listeners =
      endpoints_of<wire::UpdateRaftVoterRequest::Listener>(request.voter.endpoints, arena);
  out.k_raft_version_feature.min_supported_version = request.voter.min_kraft_version;
  out.k_raft_version_feature.max_supported_version = request.voter.max_kraft_version;
  return out;
}

UpdateVoterRequest from_wire(const wire::UpdateRaftVoterRequest& in) {
  Voter voter{{BrokerId(in.voter_id), in.voter_directory_id},
              endpoints_of(in.listeners),
              in.k_raft_version_feature.min_supported_version,
              in.k_raft_version_feature.max_supported_version};
  return {cluster_of(in.cluster_id), LeaderEpoch(in.current_leader_epoch), std::move(voter)};
}

wire::AddRaftVoterResponse to_wire(const AddVoterResponse& response) {
  wire::AddRaftVoterResponse out;
  out.error_code = static_cast<int16_t>(response.top);
  out.error_message = response.text;
  return out;
}

wire::RemoveRaftVoterResponse to_wire(const RemoveVoterResponse& response) {
  wire::RemoveRaftVoterResponse out;
  out.error_code = static_cast<int16_t>(response.top);
  out.error_message = response.text;
  return out;
}

wire::UpdateRaftVoterResponse to_wire(const UpdateVoterResponse& response) {
  wire::UpdateRaftVoterResponse out;
  out.error_code = static_cast<int16_t>(response.top);
  out.current_leader.leader_id = response.leader.leader.value;
  out.current_leader.leader_epoch = response.leader.epoch.value;
  if (!response.leader_endpoints.empty()) {
    out.current_leader.host = response.leader_endpoints[0].host;
    out.current_leader.port = response.leader_endpoints[0].port;
  }
  return out;
}

UpdateVoterResponse from_wire(const wire::UpdateRaftVoterResponse& in) {
  UpdateVoterResponse out;
  out.top = static_cast<ErrorCode>(in.error_code);
  const auto& leader = in.current_leader;
  out.leader = {BrokerId(leader.leader_id), LeaderEpoch(leader.leader_epoch)};
  if (!leader.host.empty())
    out.leader_endpoints = {{"", std::string(leader.host), static_cast<uint16_t>(leader.port)}};
  return out;
}

LevelsResponse from_wire(const wire::ApiVersionsResponse& in) {
  LevelsResponse out;
  out.top = static_cast<ErrorCode>(in.error_code);
  for (const auto& feature : in.supported_features) {
    if (feature.name != "kraft.version") continue;
    out.min_kraft_version = feature.min_version;
    out.max_kraft_version = feature.max_version;
  }
  return out;
}

}  // namespace moldau::raft
