// DescribeConfigs: the settings of topics and of this broker, where each is from and what it is
// chosen from. Without Kafka's prose about them. Loggers, groups and subscriptions to metrics have
// no settings here yet: asking for them is INVALID_REQUEST.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "broker/api/config_resource.h"
#include "broker/api/handlers.h"
#include "broker/config_entries.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "wire/messages/describe_configs.h"

namespace moldau::broker {

using wire::DescribeConfigsRequest;
using wire::DescribeConfigsResponse;
using wire::ErrorCode;
using Asked = DescribeConfigsRequest::DescribeConfigsResource;
using Described = DescribeConfigsResponse::DescribeConfigsResult;
using Shown = DescribeConfigsResponse::DescribeConfigsResourceResult;

namespace {

wire::NullableString shown(Arena& arena, const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  return arena.copy(*value);
}

Shown show(Arena& arena, const ConfigEntry& entry, bool synonyms) {
  Shown out{.name = arena.copy(entry.name),
            .value = shown(arena, entry.value),
            .read_only = entry.read_only,
            .is_default = entry.source == ConfigSource::standard,
            .config_source = static_cast<int8_t>(entry.source),
            .is_sensitive = entry.secret,
            .config_type = type_number(entry.type),
            .documentation = std::nullopt};
  if (!synonyms) return out;
  auto list = arena.array<DescribeConfigsResponse::DescribeConfigsSynonym>(entry.synonyms.size());
  for (size_t i = 0; i < list.size(); i++) {
    const ConfigSynonym& synonym = entry.synonyms[i];
    list[i] = {.name = arena.copy(synonym.name),
               .value = shown(arena, synonym.value),
               .source = static_cast<int8_t>(synonym.source)};
  }
  out.synonyms = list;
  return out;
}

struct Description {
  ErrorCode error = ErrorCode::none;
  std::string text;
  std::vector<ConfigEntry> entries;
};

Description describe_topic(const Node& node, std::string_view name) {
  if (const char* fault = topic_name_fault(name))
    return {ErrorCode::invalid_topic_exception, topic_name_message(name, fault), {}};
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  const Topic* topic = topics->find(name);
  if (!topic) return {ErrorCode::unknown_topic_or_partition, {}, {}};
  return {ErrorCode::none, {}, topic_entries(node.config, topic->configs, node.shared_configs())};
}

// An empty name stands for what all brokers share.
Description describe_broker(const Node& node, std::string_view name) {
  if (name.empty()) return {ErrorCode::none, {}, shared_entries(node.shared_configs())};
  int32_t id = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc() || end != name.data() + name.size())
    return {ErrorCode::invalid_request,
            fmt::format("Broker id must be an integer, but it is: {}", name),
            {}};
  if (id != node.config.node_id.value)
    return {ErrorCode::invalid_request,
            fmt::format("Unexpected broker id, expected {} or empty string, but received {}",
                        node.config.node_id.value, id),
            {}};
  return {ErrorCode::none, {}, broker_entries(node.config, node.shared_configs())};
}

Description describe(const Node& node, const Asked& asked) {
  if (asked.resource_type == kTopicResource) return describe_topic(node, asked.resource_name);
  if (asked.resource_type == kBrokerResource) return describe_broker(node, asked.resource_name);
  return {ErrorCode::invalid_request,
          "This most likely occurs because of a request being malformed by the client library or "
          "the message was sent to an incompatible broker. See the broker logs for more details.",
          {}};
}

bool wanted(const Asked& asked, const std::string& name) {
  if (asked.configuration_keys.is_null() || asked.configuration_keys.empty()) return true;
  return std::ranges::find(asked.configuration_keys, name) != asked.configuration_keys.end();
}

}  // namespace

Answer describe_configs(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::DescribeConfigsRequest>(request->body, request->version,
                                                          request->arena));
  Arena& arena = request->arena;
  std::span<Described> results = arena.array<Described>(body.resources.size());
  for (size_t i = 0; i < results.size(); i++) {
    const Asked& asked = body.resources[i];
    Description found = describe(node, asked);
    std::erase_if(found.entries,
                  [&](const ConfigEntry& entry) { return !wanted(asked, entry.name); });
    std::span<Shown> configs = arena.array<Shown>(found.entries.size());
    for (size_t c = 0; c < configs.size(); c++)
      configs[c] = show(arena, found.entries[c], body.include_synonyms);
    results[i] = {.error_code = code(found.error),
                  .error_message = arena.copy(found.text),
                  .resource_type = asked.resource_type,
                  .resource_name = asked.resource_name,
                  .configs = configs};
  }
  DescribeConfigsResponse answer{.results = results};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
