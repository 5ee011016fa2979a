// CreateTopics: makes topics on this broker, with settings of their own.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "broker/api/handlers.h"
#include "broker/api/refusal.h"
#include "broker/config_entries.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "host/entropy.h"
#include "wire/messages/create_topics.h"

namespace moldau::broker {

using wire::CreateTopicsRequest;
using wire::CreateTopicsResponse;
using wire::ErrorCode;
using Wanted = CreateTopicsRequest::CreatableTopic;
using Made = CreateTopicsResponse::CreatableTopicResult;

namespace {

Refusal check_name(const Topics& topics, std::string_view name) {
  if (const char* fault = topic_name_fault(name))
    return {ErrorCode::invalid_topic_exception, topic_name_message(name, fault)};
  if (topics.find(name))
    return {ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", name)};
  if (const Topic* other = colliding_topic(topics, name))
    return {ErrorCode::invalid_topic_exception,
            fmt::format("Topic '{}' collides with existing topic: {}", name, other->name)};
  return {};
}

// Of a setting that is named twice the last word counts.
ConfigMap configs_of(const Wanted& wanted) {
  ConfigMap configs;
  for (const auto& config : wanted.configs)
    configs.insert_or_assign(std::string(config.name), std::string(config.value.value_or("")));
  return configs;
}

Refusal check_configs(const Wanted& wanted) {
  std::vector<std::string_view> nulls;
  for (const auto& config : wanted.configs)
    if (!config.value) nulls.push_back(config.name);
  if (!nulls.empty())
    return {ErrorCode::invalid_config,
            fmt::format("Null value not supported for topic configs: {}", fmt::join(nulls, ","))};
  ConfigFault fault = topic_config_fault(configs_of(wanted));
  return {fault.error, std::move(fault.text)};
}

Refusal check_counts(const Wanted& wanted) {
  if (wanted.num_partitions == 0 || wanted.num_partitions < -1)
    return {ErrorCode::invalid_partitions,
            "Number of partitions was set to an invalid non-positive value."};
  if (wanted.replication_factor == 0 || wanted.replication_factor < -1)
    return {ErrorCode::invalid_replication_factor,
            "Replication factor must be larger than 0, or -1 to use the default value."};
  if (wanted.replication_factor > 1)
    return {ErrorCode::invalid_replication_factor,
            fmt::format("Unable to replicate the partition {0} time(s): The target replication "
                        "factor of {0} cannot be "
                        "reached because only 1 broker(s) are registered or some brokers have all "
                        "their log directories "
                        "cordoned.",
                        wanted.replication_factor)};
  return {};
}

Refusal check_assignments(const Wanted& wanted, int32_t self) {
  if (wanted.replication_factor != -1)
    return {
        ErrorCode::invalid_request,
        "A manual partition assignment was specified, but replication factor was not set to -1."};
  if (wanted.num_partitions != -1)
    return {ErrorCode::invalid_request,
            "A manual partition assignment was specified, but numPartitions was not set to -1."};
  std::vector<int32_t> indexes;
  for (const auto& assignment : wanted.assignments) {
    Refusal refusal = check_replicas(assignment.broker_ids, self);
    if (refusal.error != ErrorCode::none) return refusal;
    indexes.push_back(assignment.partition_index);
  }
  std::ranges::sort(indexes);
  for (size_t i = 0; i < indexes.size(); i++)
    if (indexes[i] != static_cast<int32_t>(i))
      return {ErrorCode::invalid_replica_assignment,
              "partitions should be a consecutive 0-based integer sequence"};
  return {};
}

// Kafka's controller makes at most so many partitions in one step.
Refusal check_total(const Node& node, const CreateTopicsRequest& body) {
  constexpr int64_t kMost = 10'000;
  int64_t total = 0;
  for (const Wanted& wanted : body.topics) {
    if (!wanted.assignments.empty())
      total += static_cast<int64_t>(wanted.assignments.size());
    else if (wanted.num_partitions == -1)
      total += node.config.num_partitions;
    else
      total += std::max(wanted.num_partitions, 0);
  }
  if (total <= kMost) return {};
  return {ErrorCode::policy_violation, "Excessively large number of partitions per request."};
}

Refusal check(const Node& node, const Wanted& wanted) {
  Refusal refusal = check_name(*node.catalog.topics(), wanted.name);
  if (refusal.error == ErrorCode::none) refusal = check_configs(wanted);
  if (refusal.error != ErrorCode::none) return refusal;
  return wanted.assignments.empty() ? check_counts(wanted)
                                    : check_assignments(wanted, node.config.node_id.value);
}

// What the topic goes by. The values of its own are shown as they were written.
std::span<CreateTopicsResponse::CreatableTopicConfigs> show_configs(Arena& arena, const Node& node,
                                                                    const ConfigMap& own) {
  std::vector<ConfigEntry> all = topic_entries(node.config, own, node.shared_configs());
  auto shown = arena.array<CreateTopicsResponse::CreatableTopicConfigs>(all.size());
  for (size_t i = 0; i < all.size(); i++) {
    auto mine = own.find(all[i].name);
    const TopicKey& key = *find_topic_key(all[i].name);
    ConfigSource source = ConfigSource::standard;
    if (broker_says(node.config, key)) source = ConfigSource::static_broker;
    if (all[i].source == ConfigSource::all_brokers) source = ConfigSource::all_brokers;
    if (mine != own.end()) source = ConfigSource::topic;
    shown[i].name = arena.copy(all[i].name);
    std::optional<std::string> value = all[i].value;
    if (mine != own.end()) value = mine->second;
    if (value) shown[i].value = arena.copy(*value);
    shown[i].config_source = static_cast<int8_t>(source);
  }
  return shown;
}

// Makes it, unless the request as a whole is refused.
host::Task<Made> create(Request& request, Node& node, const CreateTopicsRequest& body,
                        const Wanted& wanted, Refusal refusal) {
  Made made{.name = wanted.name, .error_message = std::nullopt};
  if (refusal.error == ErrorCode::none) refusal = check(node, wanted);
  int32_t count = wanted.num_partitions > 0 ? wanted.num_partitions : node.config.num_partitions;
  if (!wanted.assignments.empty()) count = static_cast<int32_t>(wanted.assignments.size());
  if (refusal.error == ErrorCode::none && body.timeout_ms <= 0)
    refusal.error = ErrorCode::request_timed_out;
  made.topic_id = node.env.entropy.uuid();  // of a topic that would be made
  if (refusal.error == ErrorCode::none && !body.validate_only) {
    std::string name(wanted.name);
    ConfigMap configs = configs_of(wanted);
    Result<Topic> topic = co_await node.create_topic(name, count, configs);
    if (topic)
      made.topic_id = topic->id;
    else
      refusal = {to_kafka(topic.error()), topic.error().text()};
  }
  made.error_code = code(refusal.error);
  if (!refusal.text.empty()) made.error_message = request.arena.copy(refusal.text);
  if (refusal.error != ErrorCode::none) {
    made.topic_id = {};
    co_return made;
  }
  ConfigMap own = configs_of(wanted);
  made.configs = show_configs(request.arena, node, own);
  made.num_partitions = count;
  made.replication_factor = 1;
  co_return made;
}

}  // namespace

Answer create_topics(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::CreateTopicsRequest>(request->body, request->version, request->arena));
  std::map<std::string_view, int> mentions;
  for (const Wanted& wanted : body.topics) mentions[wanted.name]++;
  Refusal all = check_total(node, body);
  std::vector<Made> results;
  for (const Wanted& wanted : body.topics) {
    int times = std::exchange(mentions[wanted.name], 0);
    if (times == 0) continue;  // answered
    Refusal refusal = all;
    if (times > 1) refusal = {ErrorCode::invalid_request, "Duplicate topic name."};
    Made made = co_await create(*request, node, body, wanted, refusal);
    results.push_back(made);
  }
  CreateTopicsResponse answer{.topics = std::span<Made>(results)};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
