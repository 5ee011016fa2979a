// DeleteRecords: what lies below an offset is not shown any more, also after a crash; the files go
// with the next look at retention. Without followers the low watermark is where the log begins, and
// there is nothing to wait for.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/internal_topics.h"
#include "broker/node.h"
#include "log/log_dir.h"
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

Done refuse(int32_t partition, ErrorCode error) {
  return {.partition_index = partition, .low_watermark = kNoWatermark, .error_code = code(error)};
}

// A partition that begins later by now, but no file says so yet.
struct Raised {
  Partitions::Ref partition;
  Done& done;
};

Done raise_start(Node& node, std::string_view topic, const Asked& asked, Partitions::Ref& out) {
  Partitions::Ref partition = node.partitions.find(topic, asked.partition_index);
  if (!partition)
    return refuse(asked.partition_index, node.partitions.absent(topic, asked.partition_index));
  if (is_internal(topic)) return refuse(asked.partition_index, ErrorCode::invalid_topic_exception);
  const log::LogConfig policy = partition->log().config();
  if (policy.clean.compact && !policy.retention.delete_old)
    return refuse(asked.partition_index, ErrorCode::policy_violation);
  std::optional<Offset> to;
  if (asked.offset != kHighWatermark) to = Offset(asked.offset);
  if (to && *to < Offset(0)) return refuse(asked.partition_index, ErrorCode::offset_out_of_range);
  Result<void> raised = partition->raise_start(to);
  if (!raised) return refuse(asked.partition_index, to_kafka(raised.error()));
  out = std::move(partition);
  return {.partition_index = asked.partition_index};
}

// Once for each data directory, however many partitions it has.
host::Task<void> save_starts(Node& node, std::vector<Raised>& all) {
  std::map<std::string, std::vector<Raised*>> by_dir;
  for (Raised& one : all) by_dir[one.partition->log().data_directory().path()].push_back(&one);
  for (auto& [path, raised] : by_dir) {
    log::LogDir& dir = raised.front()->partition->log().data_directory();
    Result<void> saved = co_await dir.save_points(node.env);
    if (!saved && saved.error().code() == Errc::io) dir.fail(saved.error());
    for (Raised* one : raised) {
      if (saved)
        one->done.low_watermark = one->partition->log().offsets().start.value;
      else
        one->done = refuse(one->done.partition_index, to_kafka(saved.error()));
    }
  }
}

}  // namespace

Answer delete_records(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::DeleteRecordsRequest>(request->body, request->version, request->arena));
  Wanted wanted = once_each(body);
  std::vector<Raised> raised;
  std::span<TopicDone> topics = request->arena.array<TopicDone>(wanted.size());
  size_t t = 0;
  for (const auto& [name, partitions] : wanted) {
    std::span<Done> done = request->arena.array<Done>(partitions.size());
    size_t i = 0;
    for (const auto& [index, asked] : partitions) {
      Partitions::Ref partition;
      done[i] = raise_start(node, name, asked, partition);
      if (partition) raised.push_back({std::move(partition), done[i]});
      i++;
    }
    topics[t++] = {.name = name, .partitions = done};
  }
  co_await save_starts(node, raised);
  DeleteRecordsResponse answer{.topics = topics};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
