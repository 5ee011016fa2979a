// DeleteRecords: what lies below an offset is not shown any more, also after a crash; the files go
// with the next look at retention. Without followers the low watermark is where the log begins, and
// there is nothing to wait for. No topic is internal yet.
#include <map>
#include <string_view>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "replica/driver.h"
#include "wire/messages/delete_records.h"

namespace moldau::broker {

using wire::DeleteRecordsRequest;
using wire::DeleteRecordsResponse;
using wire::ErrorCode;
using Asked = DeleteRecordsRequest::DeleteRecordsPartition;
using Done = DeleteRecordsResponse::DeleteRecordsPartitionResult;
using TopicDone = DeleteRecordsResponse::DeleteRecordsTopicResult;

namespace {

constexpr int64_t kHighWatermark = -1;
constexpr int64_t kNoWatermark = -1;

// Each topic that has partitions and each of those once; of what is named twice the last word
// counts.
using Wanted = std::map<std::string_view, std::map<int32_t, Asked>>;
Wanted once_each(const DeleteRecordsRequest& body) {
  Wanted all;
  for (const auto& topic : body.topics)
    for (const Asked& asked : topic.partitions) all[topic.name][asked.partition_index] = asked;
  return all;
}

Done refuse(const Asked& asked, ErrorCode error) {
  return {.partition_index = asked.partition_index,
          .low_watermark = kNoWatermark,
          .error_code = code(error)};
}

host::Task<Done> delete_below(Node& node, std::string_view topic, const Asked& asked) {
  Partitions::Ref partition = node.partitions.find(topic, asked.partition_index);
  if (!partition) co_return refuse(asked, node.partitions.absent(topic, asked.partition_index));
  const log::LogConfig& policy = partition->log().config();
  if (policy.clean.compact && !policy.retention.delete_old)
    co_return refuse(asked, ErrorCode::policy_violation);
  std::optional<Offset> to;
  if (asked.offset != kHighWatermark) to = Offset(asked.offset);
  if (to && *to < Offset(0)) co_return refuse(asked, ErrorCode::offset_out_of_range);
  Result<Offset> start = co_await partition->delete_records(node.env, to);
  if (!start) co_return refuse(asked, to_kafka(start.error()));
  co_return Done{.partition_index = asked.partition_index, .low_watermark = start->value};
}

}  // namespace

Answer delete_records(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::DeleteRecordsRequest>(request->body, request->version, request->arena));
  Wanted wanted = once_each(body);
  std::span<TopicDone> topics = request->arena.array<TopicDone>(wanted.size());
  size_t t = 0;
  for (const auto& [name, partitions] : wanted) {
    std::span<Done> done = request->arena.array<Done>(partitions.size());
    size_t i = 0;
    for (const auto& [index, asked] : partitions)
      done[i++] = co_await delete_below(node, name, asked);
    topics[t++] = {.name = name, .partitions = done};
  }
  DeleteRecordsResponse answer{.topics = topics};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
