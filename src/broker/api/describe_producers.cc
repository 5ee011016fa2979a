// DescribeProducers: the idempotent producers that a partition still knows, and their open
// transactions.
#include <fmt/format.h>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "replica/driver.h"
#include "wire/messages/describe_producers.h"

namespace moldau::broker {

using wire::DescribeProducersRequest;
using wire::DescribeProducersResponse;
using wire::ErrorCode;
using Described = DescribeProducersResponse::PartitionResponse;
using TopicAnswer = DescribeProducersResponse::TopicResponse;
using Producer = DescribeProducersResponse::ProducerState;

namespace {

constexpr int64_t kNone = -1;

// Of a topic none of whose partitions can be described.
struct Fault {
  ErrorCode error = ErrorCode::none;
  std::string text;
};

Fault fault_of(const Topics& topics, std::string_view name) {
  if (const char* fault = topic_name_fault(name))
    return {ErrorCode::invalid_topic_exception, topic_name_message(name, fault)};
  if (!topics.find(name))
    return {ErrorCode::unknown_topic_or_partition,
            "This server does not host this topic-partition."};
  return {};
}

wire::Array<Producer> producers_of(Arena& arena, const log::Log& log) {
  std::vector<log::ProducerEntry> all = log.producers();
  std::span<Producer> out = arena.array<Producer>(all.size());
  for (size_t i = 0; i < out.size(); i++)
    out[i] = {.producer_id = all[i].id.value,
              .producer_epoch = all[i].epoch.value,
              .last_sequence = all[i].last_sequence(),
              .last_timestamp = all[i].last_timestamp,
              .coordinator_epoch = all[i].coordinator_epoch,
              .current_txn_start_offset = all[i].open_since ? all[i].open_since->value : kNone};
  return out;
}

Described describe(const Node& node, Arena& arena, std::string_view topic, int32_t index) {
  Partitions::Ref partition = node.partitions.find(topic, index);
  if (!partition)
    return {.partition_index = index, .error_code = code(node.partitions.absent(topic, index))};
  return {.partition_index = index, .active_producers = producers_of(arena, partition->log())};
}

}  // namespace

Answer describe_producers(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<DescribeProducersRequest>(request->body, request->version, request->arena));
  Arena& arena = request->arena;
  std::shared_ptr<const Topics> known = node.catalog.topics();
  std::span<TopicAnswer> topics = arena.array<TopicAnswer>(body.topics.size());
  for (size_t t = 0; t < topics.size(); t++) {
    const auto& asked = body.topics[t];
    Fault fault = fault_of(*known, asked.name);
    std::span<Described> partitions = arena.array<Described>(asked.partition_indexes.size());
    for (size_t i = 0; i < partitions.size(); i++) {
      int32_t index = asked.partition_indexes[i];
      if (fault.error == ErrorCode::none)
        partitions[i] = describe(node, arena, asked.name, index);
      else
        partitions[i] = {.partition_index = index,
                         .error_code = code(fault.error),
                         .error_message = arena.copy(fault.text)};
    }
    topics[t] = {.name = asked.name, .partitions = partitions};
  }
  DescribeProducersResponse answer{.topics = topics};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
