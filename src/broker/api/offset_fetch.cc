// OffsetFetch: what was committed, of one group or (from version 8 on) of several; of some
// partitions, or of all that have something. From version 10 on topics go by id.
#include "wire/messages/offset_fetch.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::ErrorCode;
using wire::OffsetFetchRequest;
using wire::OffsetFetchResponse;
using OneTopic = OffsetFetchResponse::OffsetFetchResponseTopics;
using OnePartition = OffsetFetchResponse::OffsetFetchResponsePartitions;
using OneGroup = OffsetFetchResponse::OffsetFetchResponseGroup;

namespace {

constexpr int64_t kNone = -1;
constexpr int16_t kFirstWithGroups = 8, kFirstWithTopicIds = 10, kFirstWithError = 2;

// What is asked of one group, whatever the version. Views the request.
struct AskedTopic {
  std::string_view name;
  Uuid id;
  std::span<const int32_t> partitions;
};
struct AskedGroup {
  std::string_view name;
  bool all = false;
  bool require_stable = false;
  std::optional<std::string> member;  // of the consumer protocol, with its epoch
  int32_t epoch = -1;
  std::vector<AskedTopic> topics;
};

OnePartition refuse(int32_t index, ErrorCode error) {
  return {.partition_index = index, .committed_offset = kNone, .error_code = code(error)};
}

OnePartition look_up(Arena& arena, const group::State& state, const AskedGroup& asked,
                     std::string_view topic, int32_t index) {
  if (asked.require_stable && state.pending(asked.name, topic, index))
    return refuse(index, ErrorCode::unstable_offset_commit);
  const group::StoredOffset* offset = state.offset(asked.name, topic, index);
  if (!offset) return refuse(index, ErrorCode::none);
  return {.partition_index = index,
          .committed_offset = offset->offset,
          .committed_leader_epoch = offset->leader_epoch,
          .metadata = arena.copy(offset->metadata)};
}

OneTopic look_up(Arena& arena, const group::State* state, const AskedGroup& asked,
                 const AskedTopic& topic, ErrorCode error) {
  auto partitions = arena.array<OnePartition>(topic.partitions.size());
  for (size_t i = 0; i < partitions.size(); i++)
    partitions[i] = state && error == ErrorCode::none
                        ? look_up(arena, *state, asked, topic.name, topic.partitions[i])
                        : refuse(topic.partitions[i], error);
  return {.name = topic.name, .topic_id = topic.id, .partitions = partitions};
}

// Everything that the group has. Without an id a topic cannot be told in a version with ids.
std::span<OneTopic> look_up_all(Arena& arena, const group::State& state, const AskedGroup& asked,
                                const Topics& known, int16_t version) {
  const group::Kept* kept = state.find(asked.name);
  std::vector<OneTopic> out;
  if (kept) {
    for (const auto& [name, offsets] : kept->offsets) {
      const Topic* topic = known.find(name);
      if (!topic && version >= kFirstWithTopicIds) continue;
      auto partitions = arena.array<OnePartition>(offsets.size());
      size_t i = 0;
      for (const auto& [index, offset] : offsets)
        partitions[i++] = look_up(arena, state, asked, name, index);
      out.push_back({.name = arena.copy(name),
                     .topic_id = topic ? topic->id : Uuid(),
                     .partitions = partitions});
    }
  }
  auto topics = arena.array<OneTopic>(out.size());
  std::ranges::copy(out, topics.begin());
  return topics;
}

host::Task<OneGroup> answer_group(Node& node, Request& request, const AskedGroup& asked) {
  std::string name(asked.name);
  coordinator::Driver::View view = co_await node.groups.view(name);
  Arena& arena = request.arena;
  OneGroup answer{.group_id = asked.name, .error_code = code(view.error)};
  const group::State* state = view.core ? &view.core->state() : nullptr;
  std::shared_ptr<const Topics> known = node.catalog.topics();
  ErrorCode refused =
      view.core ? view.core->check_fetch(name, asked.member, asked.epoch) : ErrorCode::none;
  if (refused != ErrorCode::none) {
    answer.error_code = code(refused);
    co_return answer;
  }
  if (asked.all) {
    if (state) answer.topics = look_up_all(arena, *state, asked, *known, request.version);
    co_return answer;
  }
  if (!state && request.version >= kFirstWithGroups) co_return answer;
  auto topics = arena.array<OneTopic>(asked.topics.size());
  for (size_t i = 0; i < topics.size(); i++) {
    AskedTopic topic = asked.topics[i];
    ErrorCode error = view.error;
    if (request.version >= kFirstWithTopicIds) {
      const Topic* found = known->find(topic.id);
      if (found)
        topic.name = arena.copy(found->name);
      else
        error = ErrorCode::unknown_topic_id;
    }
    topics[i] = look_up(arena, state, asked, topic, error);
  }
  answer.topics = topics;
  co_return answer;
}

AskedGroup read_old(const OffsetFetchRequest& body) {
  AskedGroup out{.name = body.group_id,
                 .all = body.topics.is_null(),
                 .require_stable = body.require_stable,
                 .member = std::nullopt,
                 .epoch = -1,
                 .topics = {}};
  for (const auto& topic : body.topics)
    out.topics.push_back(
        {topic.name, Uuid(), {topic.partition_indexes.begin(), topic.partition_indexes.end()}});
  return out;
}

// Up to version 7: the same, for one group and without the list around it.
OffsetFetchResponse old_answer(Request& request, const OneGroup& one) {
  using OldTopic = OffsetFetchResponse::OffsetFetchResponseTopic;
  using OldPartition = OffsetFetchResponse::OffsetFetchResponsePartition;
  auto topics = request.arena.array<OldTopic>(one.topics.size());
  for (size_t i = 0; i < topics.size(); i++) {
    auto partitions = request.arena.array<OldPartition>(one.topics[i].partitions.size());
    for (size_t j = 0; j < partitions.size(); j++) {
      const OnePartition& p = one.topics[i].partitions[j];
      partitions[j] = {.partition_index = p.partition_index,
                       .committed_offset = p.committed_offset,
                       .committed_leader_epoch = p.committed_leader_epoch,
                       .metadata = p.metadata,
                       .error_code = p.error_code};
    }
    topics[i] = {.name = one.topics[i].name, .partitions = partitions};
  }
  OffsetFetchResponse answer{.topics = topics};
  if (request.version >= kFirstWithError) answer.error_code = one.error_code;
  return answer;
}

}  // namespace

Answer offset_fetch(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<OffsetFetchRequest>(request->body, request->version, request->arena));
  if (request->version < kFirstWithGroups) {
    AskedGroup asked = read_old(body);
    OneGroup one = co_await answer_group(node, *request, asked);
    co_return reply(*request, old_answer(*request, one));
  }
  auto groups = request->arena.array<OneGroup>(body.groups.size());
  for (size_t i = 0; i < groups.size(); i++) {
    const auto& wanted = body.groups[i];
    AskedGroup asked{.name = wanted.group_id,
                     .all = wanted.topics.is_null(),
                     .require_stable = body.require_stable,
                     .member = owned(wanted.member_id),
                     .epoch = wanted.member_epoch,
                     .topics = {}};
    for (const auto& topic : wanted.topics)
      asked.topics.push_back({topic.name,
                              topic.topic_id,
                              {topic.partition_indexes.begin(), topic.partition_indexes.end()}});
    groups[i] = co_await answer_group(node, *request, asked);
  }
  OffsetFetchResponse answer{.groups = groups};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
