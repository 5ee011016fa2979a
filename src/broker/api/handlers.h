// One handler an API, each in the file of its name.
#pragma once
#include "broker/request.h"

namespace moldau::broker {

struct Node;

Answer api_versions(Node& node, RequestPtr request);
Answer metadata(Node& node, RequestPtr request);
Answer create_topics(Node& node, RequestPtr request);
Answer delete_topics(Node& node, RequestPtr request);
Answer delete_records(Node& node, RequestPtr request);
Answer produce(Node& node, RequestPtr request);
Answer fetch(Node& node, RequestPtr request);
Answer list_offsets(Node& node, RequestPtr request);
Answer find_coordinator(Node& node, RequestPtr request);
Answer init_producer_id(Node& node, RequestPtr request);
Answer join_group(Node& node, RequestPtr request);
Answer sync_group(Node& node, RequestPtr request);
Answer heartbeat(Node& node, RequestPtr request);
Answer leave_group(Node& node, RequestPtr request);
Answer offset_commit(Node& node, RequestPtr request);
Answer offset_fetch(Node& node, RequestPtr request);
Answer offset_delete(Node& node, RequestPtr request);
Answer list_groups(Node& node, RequestPtr request);
Answer describe_groups(Node& node, RequestPtr request);
Answer delete_groups(Node& node, RequestPtr request);
Answer describe_quorum(Node& node, RequestPtr request);
Answer update_features(Node& node, RequestPtr request);
Answer unregister_broker(Node& node, RequestPtr request);
Answer consumer_group_heartbeat(Node& node, RequestPtr request);
Answer consumer_group_describe(Node& node, RequestPtr request);
Answer describe_cluster(Node& node, RequestPtr request);
Answer offset_for_leader_epoch(Node& node, RequestPtr request);
Answer describe_configs(Node& node, RequestPtr request);
Answer alter_configs(Node& node, RequestPtr request);
Answer incremental_alter_configs(Node& node, RequestPtr request);
Answer list_config_resources(Node& node, RequestPtr request);
Answer describe_log_dirs(Node& node, RequestPtr request);
Answer describe_producers(Node& node, RequestPtr request);
Answer describe_topic_partitions(Node& node, RequestPtr request);
Answer create_partitions(Node& node, RequestPtr request);

// The answer to an ApiVersions request of a version that we do not know: version 0, error 35, and
// our range (KIP-511).
net::Outgoing api_versions_unsupported(Request& request);

// Which versions we advertise, and which of those we answer. (Kafka 4.3.1 advertises Produce from 0
// because librdkafka up to 2.11 sends compressed batches only then, and closes the connection on 0
// to 2; we answer those as 3.9 did.)
struct Served {
  wire::ApiKey key;
  int16_t min_advertised;
  int16_t min_served;
  int16_t max;
  Answer (*handle)(Node&, RequestPtr);
  bool hidden = false;  // answered, and not advertised
};
std::span<const Served> served_apis();

}  // namespace moldau::broker
