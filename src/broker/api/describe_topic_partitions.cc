// DescribeTopicPartitions (KIP-966): topics in the order of their names, as many partitions as fit
// on a page, and a cursor for the next page. With one replica nobody is an eligible leader beside
// the leader.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/api/partition_state.h"
#include "broker/errors.h"
#include "broker/internal_topics.h"
#include "broker/node.h"
#include "wire/messages/describe_topic_partitions.h"

namespace moldau::broker {

using wire::DescribeTopicPartitionsRequest;
using wire::DescribeTopicPartitionsResponse;
using wire::ErrorCode;
using TopicAnswer = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic;
using PartitionAnswer = DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition;
using Cursor = DescribeTopicPartitionsResponse::Cursor;

namespace {

// The names to describe, from the cursor's on. `all` keeps what the names are part of.
std::set<std::string_view> names_from(const DescribeTopicPartitionsRequest& body,
                                      const Topics& all) {
  std::set<std::string_view> names;
  std::string_view first = body.cursor ? body.cursor->topic_name : "";
  if (body.topics.empty()) {
    for (const Topic& topic : all.all())
      if (topic.name >= first) names.insert(topic.name);
  }
  for (const auto& topic : body.topics)
    if (topic.name >= first) names.insert(topic.name);
  return names;
}

// A cursor has to be about one of the topics that are named.
bool bad_cursor(const DescribeTopicPartitionsRequest& body,
                const std::set<std::string_view>& names) {
  if (!body.cursor) return false;
  bool named = body.topics.empty() || names.contains(body.cursor->topic_name);
  return !named || body.cursor->partition_index < 0;
}

TopicAnswer refuse(std::string_view name) {
  TopicAnswer answer{.error_code = code(ErrorCode::unknown_topic_or_partition),
                     .name = name,
                     .topic_authorized_operations = kTopicOperations};
  if (topic_name_fault(name)) answer.error_code = code(ErrorCode::invalid_topic_exception);
  if (name.empty()) return {.error_code = code(ErrorCode::unknown_server_error), .name = name};
  return answer;
}

struct Page {
  const Node& node;
  Arena& arena;
  int32_t room;  // partitions
  std::vector<TopicAnswer> topics;
  Cursor* next = nullptr;

  void end_at(std::string_view name, int32_t partition) {
    next = &arena.array<Cursor>(1)[0];
    next->topic_name = name;
    next->partition_index = partition;
  }
  PartitionAnswer describe(const Topic& topic, int32_t index) const {
    std::span<int32_t> self = arena.array<int32_t>(1);
    self[0] = node.config.node_id.value;
    PartitionState state = partition_state(node, topic, index);
    PartitionAnswer answer{.error_code = code(state.error),
                           .partition_index = index,
                           .leader_id = state.leader,
                           .leader_epoch = state.leader_epoch,
                           .replica_nodes = self,
                           .isr_nodes = self,
                           .eligible_leader_replicas = wire::Array<int32_t>(),
                           .last_known_elr = wire::Array<int32_t>()};
    if (state.offline) answer.offline_replicas = self;
    return answer;
  }
  void add(const Topic& topic, int32_t first) {
    int32_t count = std::clamp(topic.partitions - first, 0, room);
    std::span<PartitionAnswer> out = arena.array<PartitionAnswer>(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; i++) out[static_cast<size_t>(i)] = describe(topic, first + i);
    std::string_view name = arena.copy(topic.name);
    topics.push_back({.name = name,
                      .topic_id = topic.id,
                      .is_internal = is_internal(topic.name),
                      .partitions = out,
                      .topic_authorized_operations = kTopicOperations});
    room -= count;
    if (first + count < topic.partitions) end_at(name, first + count);
  }
};

void fill(Page& page, const Topics& all, const std::set<std::string_view>& names,
          const DescribeTopicPartitionsRequest::Cursor* cursor) {
  for (std::string_view name : names) {
    if (page.next) return;
    if (page.room == 0) return page.end_at(page.arena.copy(name), 0);
    const Topic* topic = all.find(name);
    bool here = cursor && cursor->topic_name == name;
    if (topic)
      page.add(*topic, here ? cursor->partition_index : 0);
    else
      page.topics.push_back(refuse(name));
  }
}

std::vector<TopicAnswer> refuse_all(const DescribeTopicPartitionsRequest& body) {
  std::vector<TopicAnswer> out;
  for (const auto& topic : body.topics)
    out.push_back({.error_code = code(ErrorCode::invalid_request), .name = topic.name});
  return out;
}

}  // namespace

Answer describe_topic_partitions(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<DescribeTopicPartitionsRequest>(request->body, request->version,
                                                            request->arena));
  std::shared_ptr<const Topics> all = node.catalog.topics();
  std::set<std::string_view> names = names_from(body, *all);
  int32_t limit = std::min(body.response_partition_limit, node.config.max_described_partitions);
  Page page{node, request->arena, std::max(limit, 1), {}};
  if (bad_cursor(body, names))
    page.topics = refuse_all(body);
  else
    fill(page, *all, names, body.cursor);
  DescribeTopicPartitionsResponse answer{.topics = std::span<TopicAnswer>(page.topics),
                                         .next_cursor = page.next};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
