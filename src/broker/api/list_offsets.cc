// ListOffsets: the offset at a place of the log or at a timestamp. Tiered storage is not there: its
// special timestamps find nothing, as on a Kafka without it.
#include <algorithm>
#include <map>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "replica/driver.h"
#include "wire/messages/list_offsets.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::ListOffsetsRequest;
using wire::ListOffsetsResponse;
using PartitionAnswer = ListOffsetsResponse::ListOffsetsPartitionResponse;
using TopicAnswer = ListOffsetsResponse::ListOffsetsTopicResponse;
using Asked = ListOffsetsRequest::ListOffsetsPartition;

namespace {

// Special timestamps, and the version that each came with.
enum Special : int64_t {
  kLatest = -1,
  kEarliest = -2,
  kMaxTimestamp = -3,
  kEarliestLocal = -4,
  kLastTiered = -5,
  kEarliestPending = -6
};

bool understood(int64_t timestamp, int16_t version) {
  switch (timestamp) {
    case kLatest:
    case kEarliest:
      return true;
    case kMaxTimestamp:
      return version >= 7;
    case kEarliestLocal:
      return version >= 8;
    case kLastTiered:
      return version >= 9;
    case kEarliestPending:
      return version >= 11;
    default:
      return timestamp >= 0;
  }
}

// Fills timestamp and offset; leaves -1 where there is nothing. What is shown lies below the last
// stable offset if only what is committed is wanted.
host::Task<Result<void>> look_up(Node& node, replica::Partition& partition, int64_t asked,
                                 bool committed_only, PartitionAnswer& answer) {
  replica::Watermarks marks = partition.watermarks();
  auto set = [&](Offset offset, int64_t timestamp) {
    answer.offset = offset.value;
    answer.timestamp = timestamp;
    answer.leader_epoch = marks.leader_epoch.value;
  };
  Offset end = committed_only ? marks.last_stable : marks.high_watermark;
  if (asked == kLatest) set(end, -1);
  if (asked == kEarliest || asked == kEarliestLocal) set(marks.log_start, -1);
  if (asked < 0 && asked != kMaxTimestamp) co_return Result<void>();
  Result<std::optional<log::TimestampOffset>> found;
  WallTime since{asked};
  if (asked == kMaxTimestamp)
    found = co_await partition.max_timestamp(node.env);
  else
    found = co_await partition.find_timestamp(node.env, since);
  if (!found) co_return std::move(found.error());
  bool visible = found->has_value() && (*found)->offset < end;
  if (visible) set((*found)->offset, (*found)->timestamp.millis);
  co_return Result<void>();
}

PartitionAnswer refuse(const Asked& asked, ErrorCode error) {
  return {.partition_index = asked.partition_index, .error_code = code(error), .leader_epoch = -1};
}

host::Task<PartitionAnswer> answer_one(Node& node, const Request& request, std::string_view topic,
                                       const Asked& asked, bool committed_only) {
  Partitions::Ref partition = node.partitions.find(topic, asked.partition_index);
  if (!partition) co_return refuse(asked, node.partitions.absent(topic, asked.partition_index));
  if (!understood(asked.timestamp, request.version))
    co_return refuse(asked, ErrorCode::unsupported_version);
  int32_t epoch = partition->watermarks().leader_epoch.value;
  if (asked.current_leader_epoch >= 0 && asked.current_leader_epoch != epoch)
    co_return refuse(asked, asked.current_leader_epoch < epoch ? ErrorCode::fenced_leader_epoch
                                                               : ErrorCode::unknown_leader_epoch);
  PartitionAnswer answer{.partition_index = asked.partition_index};
  Result<void> found = co_await look_up(node, *partition, asked.timestamp, committed_only, answer);
  if (!found) co_return refuse(asked, to_kafka(found.error()));
  co_return answer;
}

// Version 0: up to max_num_offsets offsets before a time, newest first. We know the two ends of the
// log.
void to_old_style(Arena& arena, const Asked& asked, Offset log_start, PartitionAnswer& answer) {
  if (answer.error_code != 0 || answer.offset < 0 || asked.max_num_offsets <= 0) return;
  bool both = asked.max_num_offsets > 1 && answer.offset != log_start.value;
  std::span<int64_t> offsets = arena.array<int64_t>(both ? 2 : 1);
  offsets[0] = answer.offset;
  if (both) offsets[1] = log_start.value;
  answer.old_style_offsets = offsets;
}

}  // namespace

Answer list_offsets(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::ListOffsetsRequest>(request->body, request->version, request->arena));
  std::span<TopicAnswer> topics = request->arena.array<TopicAnswer>(body.topics.size());
  bool committed_only = body.isolation_level == 1;
  bool bad_isolation = body.isolation_level < 0 || body.isolation_level > 1;
  for (size_t t = 0; t < topics.size(); t++) {
    const auto& asked = body.topics[t];
    std::map<int32_t, int> mentions;
    for (const Asked& partition : asked.partitions) mentions[partition.partition_index]++;
    std::vector<PartitionAnswer> answers;
    for (const Asked& partition : asked.partitions) {
      int times = std::exchange(mentions[partition.partition_index], 0);
      if (times == 0) continue;  // answered
      PartitionAnswer answer;
      if (bad_isolation)
        answer = refuse(partition, ErrorCode::unknown_server_error);
      else if (times > 1)
        answer = refuse(partition, ErrorCode::invalid_request);
      else
        answer = co_await answer_one(node, *request, asked.name, partition, committed_only);
      Partitions::Ref here = node.partitions.find(asked.name, partition.partition_index);
      if (request->version == 0 && here)
        to_old_style(request->arena, partition, here->watermarks().log_start, answer);
      answers.push_back(answer);
    }
    std::span<PartitionAnswer> kept = request->arena.array<PartitionAnswer>(answers.size());
    std::ranges::copy(answers, kept.begin());
    topics[t] = {.name = asked.name, .partitions = kept};
  }
  ListOffsetsResponse answer{.topics = topics};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
