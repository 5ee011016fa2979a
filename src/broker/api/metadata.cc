// Metadata: this broker, its topics, and topics made on request (auto.create.topics.enable). A
// topic that is made here is answered at once with its leader; Kafka answers
// UNKNOWN_TOPIC_OR_PARTITION and lets the client ask again.
#include <algorithm>
#include <set>

#include "broker/api/handlers.h"
#include "broker/api/partition_state.h"
#include "broker/errors.h"
#include "broker/internal_topics.h"
#include "broker/node.h"
#include "replica/driver.h"
#include "wire/messages/metadata.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::MetadataRequest;
using wire::MetadataResponse;
using TopicAnswer = MetadataResponse::MetadataResponseTopic;

namespace {

constexpr int32_t kClusterOperations = 8096;  // as kTopicOperations

TopicAnswer describe(Request& request, const Node& node, const Topic& topic) {
  using Partition = MetadataResponse::MetadataResponsePartition;
  std::span<Partition> partitions =
      request.arena.array<Partition>(static_cast<size_t>(topic.partitions));
  std::span<int32_t> self = request.arena.array<int32_t>(1);
  self[0] = node.config.node_id.value;
  for (size_t i = 0; i < partitions.size(); i++) {
    PartitionState state = partition_state(node, topic, static_cast<int32_t>(i));
    partitions[i] = {.error_code = code(state.error),
                     .partition_index = static_cast<int32_t>(i),
                     .leader_id = state.leader,
                     .leader_epoch = state.leader_epoch,
                     .replica_nodes = self,
                     .isr_nodes = self};
    if (state.offline) partitions[i].offline_replicas = self;
  }
  return {.name = request.arena.copy(topic.name),
          .topic_id = topic.id,
          .is_internal = is_internal(topic.name),
          .partitions = partitions};
}

TopicAnswer missing(std::optional<std::string_view> name, const Uuid& id, ErrorCode error) {
  return {.error_code = code(error), .name = name, .topic_id = id};
}

host::Task<TopicAnswer> by_name(Request& request, Node& node, std::string_view name,
                                bool may_create) {
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  if (const Topic* topic = topics->find(name)) co_return describe(request, node, *topic);
  if (topic_name_fault(name)) co_return missing(name, {}, ErrorCode::invalid_topic_exception);
  if (!may_create) co_return missing(name, {}, ErrorCode::unknown_topic_or_partition);
  // Kafka's controller refuses that one, and the client hears of it as of a topic that is still
  // being made.
  if (colliding_topic(*topics, name))
    co_return missing(name, {}, ErrorCode::unknown_topic_or_partition);
  std::string owned(name);
  int32_t count = partitions_of(node.config, name);
  ConfigMap usual = configs_of(node.config, name);
  Result<Topic> made = co_await node.create_topic(owned, count, usual);
  if (made) co_return describe(request, node, *made);
  // Somebody else was faster: its partitions may still be opening, so the client asks again.
  if (made.error().code() == Errc::already_exists)
    co_return missing(name, {}, ErrorCode::unknown_topic_or_partition);
  co_return missing(name, {}, to_kafka(made.error()));
}

TopicAnswer by_id(Request& request, Node& node,
                  const MetadataRequest::MetadataRequestTopic& wanted) {
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  if (const Topic* topic = topics->find(wanted.topic_id)) return describe(request, node, *topic);
  return missing(std::nullopt, wanted.topic_id, ErrorCode::unknown_topic_id);
}

// All topics that were asked for, each once.
host::Task<std::vector<TopicAnswer>> answer_topics(Request& request, Node& node,
                                                   const MetadataRequest& body) {
  std::vector<TopicAnswer> out;
  bool all = body.topics.is_null() || (request.version == 0 && body.topics.empty());
  if (all) {
    std::shared_ptr<const Topics> topics = node.catalog.topics();
    for (const Topic& topic : topics->all()) out.push_back(describe(request, node, topic));
    co_return out;
  }
  std::set<std::pair<std::optional<std::string_view>, Uuid>> seen;
  bool may_create =
      node.config.auto_create_topics && (request.version < 4 || body.allow_auto_topic_creation);
  for (const auto& wanted : body.topics) {
    TopicAnswer answer;
    if (!wanted.topic_id.is_zero())
      answer = by_id(request, node, wanted);
    else
      answer = co_await by_name(request, node, wanted.name.value_or(""), may_create);
    if (seen.emplace(answer.name, answer.topic_id).second) out.push_back(answer);
  }
  co_return out;
}

// Ids and null names are understood from version 12 on.
ErrorCode fault(const MetadataRequest& body, int16_t version) {
  for (const auto& topic : body.topics) {
    if (version < 12 && (!topic.name || !topic.topic_id.is_zero()))
      return ErrorCode::invalid_request;
    if (!topic.name && topic.topic_id.is_zero()) return ErrorCode::unknown_server_error;
  }
  return ErrorCode::none;
}

}  // namespace

Answer metadata(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::MetadataRequest>(request->body, request->version, request->arena));
  MetadataResponse::MetadataResponseBroker self{.node_id = node.config.node_id.value,
                                                .port = node.advertised_port()};
  std::string host = node.advertised_host();
  self.host = host;
  ErrorCode error = fault(body, request->version);
  std::vector<TopicAnswer> topics;
  if (error == ErrorCode::none) {
    topics = co_await answer_topics(*request, node, body);
  } else {
    for (const auto& topic : body.topics) {
      std::optional<std::string_view> name = topic.name;
      topics.push_back(missing(name.value_or(""), topic.topic_id, error));
    }
  }
  if (body.include_topic_authorized_operations)
    for (TopicAnswer& topic : topics) topic.topic_authorized_operations = kTopicOperations;
  MetadataResponse answer{.brokers = std::span(&self, 1),
                          .cluster_id = node.cluster_id,
                          .controller_id = self.node_id,
                          .topics = std::span<TopicAnswer>(topics)};
  if (body.include_cluster_authorized_operations)
    answer.cluster_authorized_operations = kClusterOperations;
  if (error == ErrorCode::unknown_server_error) answer.error_code = code(error);
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
