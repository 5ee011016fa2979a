// ConsumerGroupDescribe: groups of the consumer protocol with their epochs and members.
#include "wire/messages/consumer_group_describe.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::ConsumerGroupDescribeRequest;
using wire::ConsumerGroupDescribeResponse;
using Described = ConsumerGroupDescribeResponse::DescribedGroup;
using DescribedMember = ConsumerGroupDescribeResponse::Member;

namespace {

constexpr int8_t kClassicMember = 0, kConsumerMember = 1;

wire::NullableString copied(Arena& arena, const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return arena.copy(*text);
}

// A topic that is gone meanwhile is left out: it has no name any more.
ConsumerGroupDescribeResponse::Assignment named(Arena& arena, const group::Parts& parts,
                                                const Topics& known) {
  std::vector<ConsumerGroupDescribeResponse::TopicPartitions> out;
  for (const auto& [id, partitions] : parts) {
    const Topic* topic = known.find(id);
    if (!topic) continue;
    auto numbers = arena.array<int32_t>(partitions.size());
    std::ranges::copy(partitions, numbers.begin());
    out.push_back({.topic_id = id, .topic_name = arena.copy(topic->name), .partitions = numbers});
  }
  auto topics = arena.array<ConsumerGroupDescribeResponse::TopicPartitions>(out.size());
  std::ranges::copy(out, topics.begin());
  return {.topic_partitions = topics};
}

Described present(Arena& arena, const group::DescribedConsumers& found, const Topics& known) {
  auto members = arena.array<DescribedMember>(found.members.size());
  for (size_t i = 0; i < members.size(); i++) {
    const group::DescribedConsumer& one = found.members[i];
    auto topics = arena.array<std::string_view>(one.said.topics.size());
    for (size_t j = 0; j < topics.size(); j++) topics[j] = arena.copy(one.said.topics[j]);
    members[i] = {.member_id = arena.copy(one.id),
                  .instance_id = copied(arena, one.said.instance),
                  .rack_id = copied(arena, one.said.rack),
                  .member_epoch = one.epoch,
                  .client_id = arena.copy(one.said.client_id),
                  .client_host = arena.copy(one.said.client_host),
                  .subscribed_topic_names = topics,
                  .subscribed_topic_regex = arena.copy(one.said.regex),
                  .assignment = named(arena, one.assignment, known),
                  .target_assignment = named(arena, one.target, known),
                  .member_type = one.said.classic ? kClassicMember : kConsumerMember};
  }
  return {.group_state = arena.copy(found.state),
          .group_epoch = found.epoch,
          .assignment_epoch = found.target_epoch,
          .assignor_name = arena.copy(found.assignor),
          .members = members};
}

host::Task<Described> describe(Node& node, Request& request, std::string_view name) {
  std::string owned_name(name);
  coordinator::Driver::View view = co_await node.groups.view(owned_name);
  if (!view.core) co_return Described{.error_code = code(view.error), .group_id = name};
  group::DescribedConsumers found = view.core->describe_consumers(name);
  if (!found.refusal) {
    std::shared_ptr<const Topics> known = node.catalog.topics();
    Described out = present(request.arena, found, *known);
    out.group_id = name;
    co_return out;
  }
  Described refused{.error_code = code(found.refusal.error), .group_id = name};
  if (!found.refusal.message.empty())
    refused.error_message = request.arena.copy(found.refusal.message);
  co_return refused;
}

}  // namespace

Answer consumer_group_describe(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<ConsumerGroupDescribeRequest>(request->body, request->version,
                                                          request->arena));
  auto groups = request->arena.array<Described>(body.group_ids.size());
  for (size_t i = 0; i < groups.size(); i++) {
    std::string_view name = body.group_ids[i];
    groups[i] = co_await describe(node, *request, name);
    bool tell = body.include_authorized_operations && groups[i].error_code == 0;
    if (tell) groups[i].authorized_operations = kGroupOperations;
  }
  ConsumerGroupDescribeResponse answer{.groups = groups};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
