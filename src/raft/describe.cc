#include "raft/describe.h"

#include "raft/wire_form.h"

namespace moldau::raft {
namespace {

using Out = wire::DescribeQuorumResponse;

Out::ReplicaState state_of(const ReplicaKey& key, const Progress* progress) {
  Out::ReplicaState out;
  out.replica_id = key.id.value;
  out.replica_directory_id = key.directory;
  out.log_end_offset = progress && progress->end ? progress->end->value : -1;
  out.last_fetch_timestamp = progress ? progress->last_fetch.millis : -1;
  out.last_caught_up_timestamp = progress ? progress->last_caught_up.millis : -1;
  return out;
}

void put_error(Out::PartitionData& out, ErrorCode error) {
  out.error_code = static_cast<int16_t>(error);
  // As Apache Kafka 4.3.1 words it, for clients that show it.
  out.error_message = error == ErrorCode::unknown_topic_or_partition
                          ? "This server does not host this topic-partition."
                          : wire::error_info(error).text;
}

void put_voters(const Core& core, const LeaderView& view, Now now, Arena& arena,
                Out::PartitionData& out) {
  auto voters = arena.array<Out::ReplicaState>(view.voters().size());
  for (size_t i = 0; i < voters.size(); i++) {
    const Voter& voter = view.voters().voters()[i];
    voters[i] = state_of(voter.key, view.find(voter.key));
    if (voter.key.id != core.leader().leader) continue;
    // The leader itself is always where it is.
    voters[i].log_end_offset = core.log().end().value;
    voters[i].last_fetch_timestamp = voters[i].last_caught_up_timestamp = now.wall.millis;
  }
  auto observers = arena.array<Out::ReplicaState>(view.observers().size());
  size_t at = 0;
  for (const auto& [key, progress] : view.observers()) observers[at++] = state_of(key, &progress);
  out.current_voters = voters;
  out.observers = observers;
}

void put_nodes(const VoterSet& voters, Arena& arena, Out& out) {
  auto nodes = arena.array<Out::Node>(voters.size());
  for (size_t i = 0; i < nodes.size(); i++) {
    const Voter& voter = voters.voters()[i];
    auto listeners = arena.array<Out::Listener>(voter.endpoints.size());
    for (size_t k = 0; k < listeners.size(); k++) {
      listeners[k].name = voter.endpoints[k].name;
      listeners[k].host = voter.endpoints[k].host;
      listeners[k].port = voter.endpoints[k].port;
    }
    nodes[i].node_id = voter.key.id.value;
    nodes[i].listeners = listeners;
  }
  out.nodes = nodes;
}

}  // namespace

wire::DescribeQuorumResponse describe_quorum(const Core& core, Now now,
                                             const wire::DescribeQuorumRequest& request,
                                             int16_t version, Arena& arena) {
  Out out;
  const LeaderView* view = core.leading();
  auto topics = arena.array<Out::TopicData>(request.topics.size());
  for (size_t i = 0; i < topics.size(); i++) {
    const auto& asked = request.topics[i];
    auto partitions = arena.array<Out::PartitionData>(asked.partitions.size());
    for (size_t k = 0; k < partitions.size(); k++) {
      partitions[k].partition_index = asked.partitions[k].partition_index;
      bool ours = asked.topic_name == kMetadataTopic && partitions[k].partition_index == 0;
      if (!ours) {
        put_error(partitions[k], ErrorCode::unknown_topic_or_partition);
      } else if (!view) {
        put_error(partitions[k], ErrorCode::not_leader_or_follower);
      } else {
        partitions[k].leader_id = core.leader().leader.value;
        partitions[k].leader_epoch = core.leader().epoch.value;
        partitions[k].high_watermark = core.high_watermark().value;
        put_voters(core, *view, now, arena, partitions[k]);
        if (version >= 2) put_nodes(view->voters(), arena, out);
      }
    }
    topics[i].topic_name = asked.topic_name;
    topics[i].partitions = partitions;
  }
  out.topics = topics;
  return out;
}

wire::DescribeClusterResponse describe_controllers(const Core& core,
                                                   const wire::DescribeClusterRequest& request,
                                                   Arena& arena) {
  constexpr int8_t kControllers = 2;
  wire::DescribeClusterResponse out;
  out.endpoint_type = kControllers;
  if (request.endpoint_type != kControllers) {
    out.error_code = static_cast<int16_t>(ErrorCode::mismatched_endpoint_type);
    out.error_message =
        "The request was sent to an endpoint of type CONTROLLER, but we wanted an endpoint of type "
        "BROKER";
    return out;
  }
  out.cluster_id = core.cluster_id();
  out.controller_id = core.leader().leader.value;
  std::span<const Voter> voters = core.voters().voters().voters();
  auto nodes = arena.array<wire::DescribeClusterResponse::DescribeClusterBroker>(voters.size());
  size_t known = 0;
  for (const Voter& voter : voters) {
    if (voter.endpoints.empty()) continue;
    nodes[known].broker_id = voter.key.id.value;
    nodes[known].host = voter.endpoints[0].host;
    nodes[known++].port = voter.endpoints[0].port;
  }
  out.brokers = nodes.first(known);
  return out;
}

}  // namespace moldau::raft
