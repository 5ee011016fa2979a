// OffsetCommit: how far a group has read. Version 0, which stored offsets elsewhere in its time,
// commits as one without a group. From version 10 on topics go by id.
#include "wire/messages/offset_commit.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::ErrorCode;
using wire::OffsetCommitRequest;
using wire::OffsetCommitResponse;
using TopicAnswer = OffsetCommitResponse::OffsetCommitResponseTopic;
using PartitionAnswer = OffsetCommitResponse::OffsetCommitResponsePartition;

namespace {

constexpr int16_t kFirstWithTopicIds = 10, kFirstOfNewProtocol = 9;

// What is committed, and where its code goes.
struct Committing {
  group::CommitRequest request;
  std::vector<PartitionAnswer*> answers;
};

void add_topic(const OffsetCommitRequest::OffsetCommitRequestTopic& asked, const Topic* topic,
               std::span<PartitionAnswer> answers, ErrorCode unknown, Committing& out) {
  for (size_t i = 0; i < answers.size(); i++) {
    const auto& p = asked.partitions[i];
    answers[i] = {.partition_index = p.partition_index};
    bool there = topic && p.partition_index >= 0 && p.partition_index < topic->partitions;
    if (!there) {
      ErrorCode error = topic ? ErrorCode::unknown_topic_or_partition : unknown;
      answers[i].error_code = code(error);
      continue;
    }
    group::CommittedOffset& offset = out.request.offsets.emplace_back();
    offset.topic = topic->name;
    offset.topic_id = topic->id;
    offset.partition = p.partition_index;
    offset.offset = p.committed_offset;
    offset.leader_epoch = p.committed_leader_epoch;
    offset.metadata = owned(p.committed_metadata.value_or(""));
    if (p.commit_timestamp >= 0) offset.commit_millis = p.commit_timestamp;
    out.answers.push_back(&answers[i]);
  }
}

}  // namespace

Answer offset_commit(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<OffsetCommitRequest>(request->body, request->version, request->arena));
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  bool by_id = request->version >= kFirstWithTopicIds;
  ErrorCode unknown = by_id ? ErrorCode::unknown_topic_id : ErrorCode::unknown_topic_or_partition;
  Committing committing;
  committing.request.who = {.group = owned(body.group_id),
                            .member = owned(body.member_id),
                            .instance = owned(body.group_instance_id),
                            .generation = body.generation_id_or_member_epoch};
  committing.request.new_protocol_version = request->version >= kFirstOfNewProtocol;
  if (body.retention_time_ms >= 0) committing.request.retention_millis = body.retention_time_ms;
  std::span<TopicAnswer> answers = request->arena.array<TopicAnswer>(body.topics.size());
  for (size_t i = 0; i < answers.size(); i++) {
    const auto& asked = body.topics[i];
    const Topic* topic = by_id ? topics->find(asked.topic_id) : topics->find(asked.name);
    auto partitions = request->arena.array<PartitionAnswer>(asked.partitions.size());
    answers[i] = {.name = asked.name, .topic_id = asked.topic_id, .partitions = partitions};
    add_topic(asked, topic, partitions, unknown, committing);
  }
  if (!committing.answers.empty()) {
    std::vector<ErrorCode> codes = co_await node.groups.commit(std::move(committing.request));
    for (size_t i = 0; i < codes.size(); i++) committing.answers[i]->error_code = code(codes[i]);
  }
  OffsetCommitResponse answer{.topics = answers};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
