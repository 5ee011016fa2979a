// OffsetForLeaderEpoch: where an epoch of a partition's log ends, for consumers that look whether
// the log was cut behind their back.
#include "wire/messages/offset_for_leader_epoch.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "replica/driver.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::OffsetForLeaderEpochRequest;
using wire::OffsetForLeaderEpochResponse;
using Asked = OffsetForLeaderEpochRequest::OffsetForLeaderPartition;
using End = OffsetForLeaderEpochResponse::EpochEndOffset;
using TopicEnds = OffsetForLeaderEpochResponse::OffsetForLeaderTopicResult;

namespace {

End find_end(const Node& node, std::string_view topic, const Asked& asked) {
  End answer{.partition = asked.partition};
  Partitions::Ref partition = node.partitions.find(topic, asked.partition);
  if (!partition) {
    answer.error_code = code(node.partitions.absent(topic, asked.partition));
    return answer;
  }
  int32_t now = partition->watermarks().leader_epoch.value;
  if (asked.current_leader_epoch >= 0 && asked.current_leader_epoch != now) {
    answer.error_code = code(asked.current_leader_epoch < now ? ErrorCode::fenced_leader_epoch
                                                              : ErrorCode::unknown_leader_epoch);
    return answer;
  }
  if (asked.leader_epoch < 0) return answer;
  std::optional<log::EpochEnd> end = partition->epoch_end(LeaderEpoch(asked.leader_epoch));
  if (!end) return answer;
  answer.leader_epoch = end->epoch.value;
  answer.end_offset = end->end.value;
  return answer;
}

}  // namespace

Answer offset_for_leader_epoch(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::OffsetForLeaderEpochRequest>(request->body, request->version,
                                                               request->arena));
  std::span<TopicEnds> topics = request->arena.array<TopicEnds>(body.topics.size());
  for (size_t t = 0; t < topics.size(); t++) {
    const auto& asked = body.topics[t];
    std::span<End> ends = request->arena.array<End>(asked.partitions.size());
    for (size_t i = 0; i < ends.size(); i++)
      ends[i] = find_end(node, asked.topic, asked.partitions[i]);
    topics[t] = {.topic = asked.topic, .partitions = ends};
  }
  OffsetForLeaderEpochResponse answer{.topics = topics};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
