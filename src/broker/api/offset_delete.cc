// OffsetDelete: forgets what a group has committed for partitions that it no longer reads.
#include "wire/messages/offset_delete.h"

#include "broker/api/groups.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

namespace group = coordinator::group;
using wire::ErrorCode;
using wire::OffsetDeleteRequest;
using wire::OffsetDeleteResponse;
using TopicAnswer = OffsetDeleteResponse::OffsetDeleteResponseTopic;
using PartitionAnswer = OffsetDeleteResponse::OffsetDeleteResponsePartition;

Answer offset_delete(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<OffsetDeleteRequest>(request->body, request->version, request->arena));
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  std::span<TopicAnswer> answers = request->arena.array<TopicAnswer>(body.topics.size());
  std::vector<group::OffsetPlace> places;
  std::vector<PartitionAnswer*> waiting;
  for (size_t i = 0; i < answers.size(); i++) {
    const auto& asked = body.topics[i];
    const Topic* topic = topics->find(asked.name);
    auto partitions = request->arena.array<PartitionAnswer>(asked.partitions.size());
    answers[i] = {.name = asked.name, .partitions = partitions};
    for (size_t j = 0; j < partitions.size(); j++) {
      int32_t index = asked.partitions[j].partition_index;
      partitions[j].partition_index = index;
      if (topic && index >= 0 && index < topic->partitions) {
        places.push_back({topic->name, index});
        waiting.push_back(&partitions[j]);
      } else {
        partitions[j].error_code = code(ErrorCode::unknown_topic_or_partition);
      }
    }
  }
  std::string name = owned(body.group_id);
  group::DeleteOffsetsAnswer deleted =
      co_await node.groups.delete_offsets(std::move(name), std::move(places));
  OffsetDeleteResponse answer{.error_code = code(deleted.error)};
  if (deleted.error == ErrorCode::none) {
    for (size_t i = 0; i < waiting.size(); i++) waiting[i]->error_code = code(deleted.places[i]);
    answer.topics = answers;
  }
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
