// ConsumerGroupHeartbeat: a member of the consumer group protocol (KIP-848) joins, leaves, says
// what it reads and has, and is told what it is to have.
#include "wire/messages/consumer_group_heartbeat.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::ConsumerGroupHeartbeatRequest;
using wire::ConsumerGroupHeartbeatResponse;
using wire::ErrorCode;

namespace {

constexpr int16_t kFirstWithOwnId = 1;

group::ConsumerHeartbeat read(const Request& request, const ConsumerGroupHeartbeatRequest& body) {
  group::ConsumerHeartbeat out{.group = owned(body.group_id),
                               .member = owned(body.member_id),
                               .epoch = body.member_epoch,
                               .instance = owned(body.instance_id),
                               .rack = owned(body.rack_id),
                               .rebalance_millis = body.rebalance_timeout_ms,
                               .topics = std::nullopt,
                               .regex = owned(body.subscribed_topic_regex),
                               .assignor = owned(body.server_assignor),
                               .owned = std::nullopt,
                               .client_id = owned(request.client_id),
                               .client_host = request.client_host,
                               .makes_own_id = request.version >= kFirstWithOwnId};
  if (!body.subscribed_topic_names.is_null())
    out.topics.emplace(body.subscribed_topic_names.begin(), body.subscribed_topic_names.end());
  if (body.topic_partitions.is_null()) return out;
  out.owned.emplace();
  for (const auto& topic : body.topic_partitions)
    (*out.owned)[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  return out;
}

std::span<ConsumerGroupHeartbeatResponse::TopicPartitions> written(Arena& arena,
                                                                   const group::Parts& parts) {
  auto out = arena.array<ConsumerGroupHeartbeatResponse::TopicPartitions>(parts.size());
  size_t i = 0;
  for (const auto& [topic, partitions] : parts) {
    auto numbers = arena.array<int32_t>(partitions.size());
    std::ranges::copy(partitions, numbers.begin());
    out[i++] = {.topic_id = topic, .partitions = numbers};
  }
  return out;
}

}  // namespace

Answer consumer_group_heartbeat(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<ConsumerGroupHeartbeatRequest>(request->body, request->version,
                                                           request->arena));
  if (!node.config.groups.group.consumer.enabled)
    co_return reply(*request, ConsumerGroupHeartbeatResponse{
                                  .error_code = code(ErrorCode::unsupported_version)});
  group::ConsumerHeartbeat said = read(*request, body);
  group::ConsumerAnswer heard = co_await node.groups.consumer_heartbeat(std::move(said));
  ConsumerGroupHeartbeatResponse answer{.error_code = code(heard.refusal.error)};
  if (!heard.refusal.message.empty()) answer.error_message = heard.refusal.message;
  if (heard.refusal) co_return reply(*request, answer);
  answer.member_id = std::string_view(heard.member);
  answer.member_epoch = heard.epoch;
  answer.heartbeat_interval_ms = heard.interval_millis;
  ConsumerGroupHeartbeatResponse::Assignment assignment;
  if (heard.assignment) {
    assignment.topic_partitions = written(request->arena, *heard.assignment);
    answer.assignment = &assignment;
  }
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
