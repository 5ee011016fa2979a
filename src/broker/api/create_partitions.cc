// CreatePartitions: more partitions for topics that there are. Their number only grows.
#include <fmt/format.h>

#include <map>

#include "broker/api/handlers.h"
#include "broker/api/refusal.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "wire/messages/create_partitions.h"

namespace moldau::broker {

using wire::CreatePartitionsRequest;
using wire::CreatePartitionsResponse;
using wire::ErrorCode;
using Wanted = CreatePartitionsRequest::CreatePartitionsTopic;
using Made = CreatePartitionsResponse::CreatePartitionsTopicResult;

namespace {

// New ones of a topic in one request: what a few bytes may ask for is bounded. (Apache Kafka 4.3.1
// has no bound: of two millions it makes the first ten thousand, and fails.)
constexpr int32_t kMost = 100'000;

Refusal check_assignments(const Wanted& wanted, int32_t added, int32_t self) {
  if (wanted.assignments.is_null()) return {};
  if (wanted.assignments.size() != static_cast<size_t>(added))
    return {ErrorCode::invalid_replica_assignment,
            fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) "
                        "were specified.",
                        added, wanted.assignments.size())};
  for (const auto& assignment : wanted.assignments) {
    Refusal refusal = check_replicas(assignment.broker_ids, self);
    if (refusal.error != ErrorCode::none) return refusal;
  }
  return {};
}

Refusal check(const Node& node, const Topic* topic, const Wanted& wanted) {
  if (!topic) return {ErrorCode::unknown_topic_or_partition, {}};
  if (wanted.count == topic->partitions)
    return {ErrorCode::invalid_partitions,
            fmt::format("Topic already has {} partition(s).", topic->partitions)};
  if (wanted.count < topic->partitions)
    return {ErrorCode::invalid_partitions,
            fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                        wanted.name, topic->partitions, wanted.count)};
  int32_t added = wanted.count - topic->partitions;
  Refusal refusal = check_assignments(wanted, added, node.config.node_id.value);
  if (refusal.error == ErrorCode::none && added > kMost)
    return {ErrorCode::policy_violation, "Excessively large number of partitions per request."};
  return refusal;
}

host::Task<Refusal> grow(Node& node, const Wanted& wanted, bool validate_only) {
  for (;;) {
    std::shared_ptr<const Topics> topics = node.catalog.topics();
    const Topic* topic = topics->find(wanted.name);
    Refusal refusal = check(node, topic, wanted);
    if (refusal.error != ErrorCode::none || validate_only) co_return refusal;
    Topic before = *topic;
    int32_t count = wanted.count;
    Result<void> grown = co_await node.add_partitions(before, count);
    if (grown) co_return Refusal{};
    if (grown.error().code() == Errc::already_exists) continue;  // it is another one by now
    co_return Refusal{to_kafka(grown.error()), grown.error().text()};
  }
}

}  // namespace

Answer create_partitions(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<CreatePartitionsRequest>(request->body, request->version, request->arena));
  std::map<std::string_view, int> mentions;
  for (const Wanted& wanted : body.topics) mentions[wanted.name]++;
  std::vector<Made> results;
  for (const Wanted& wanted : body.topics) {
    int times = std::exchange(mentions[wanted.name], 0);
    if (times == 0) continue;  // answered
    Refusal refusal;
    if (times > 1)
      refusal = {ErrorCode::invalid_request, "Duplicate topic name."};
    else if (body.timeout_ms <= 0)
      refusal.error = ErrorCode::request_timed_out;
    else
      refusal = co_await grow(node, wanted, body.validate_only);
    Made& made = results.emplace_back();
    made.name = wanted.name;
    made.error_code = code(refusal.error);
    if (!refusal.text.empty()) made.error_message = request->arena.copy(refusal.text);
  }
  CreatePartitionsResponse answer{.results = std::span<Made>(results)};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
