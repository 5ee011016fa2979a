// IncrementalAlterConfigs and AlterConfigs: the settings of topics, each topic all or nothing, at
// once and for good when the answer leaves. Nothing of a broker can be changed while it runs yet:
// that is refused with Kafka's error for settings that cannot.
#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>

#include "broker/api/config_resource.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "wire/messages/alter_configs.h"
#include "wire/messages/incremental_alter_configs.h"

namespace moldau::broker {

using wire::ErrorCode;

namespace {

// What one resource is to become, of either API.
struct Alteration {
  int8_t type = 0;
  std::string name;
  std::vector<ConfigChange> changes;
  bool unknown_operation = false;
};

ConfigFault refused(std::string text) { return {ErrorCode::invalid_request, std::move(text)}; }

// What does not need a look at the resource.
ConfigFault check_form(const Alteration& wanted) {
  std::set<std::string> names;
  std::vector<std::string> nulls;
  for (const ConfigChange& change : wanted.changes) {
    if (!names.insert(change.name).second) return refused("Error due to duplicate config keys");
    if (!change.value && change.kind != ConfigChange::Kind::remove) nulls.push_back(change.name);
  }
  if (!nulls.empty())
    return refused(fmt::format("Null value not supported for : {}", fmt::join(nulls, ",")));
  if (wanted.unknown_operation) return {ErrorCode::unknown_server_error, {}};
  return {};
}

ConfigFault alter_broker(const Node& node, const Alteration& wanted) {
  int32_t id = 0;
  const std::string& name = wanted.name;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  bool number = error == std::errc() && end == name.data() + name.size();
  if (!name.empty() && !number)
    return refused(fmt::format("Node id must be an integer, but it is: {}", name));
  if (!name.empty() && id != node.config.node_id.value)
    return refused(fmt::format("Unexpected broker id, expected {}, but received {}",
                               node.config.node_id.value, id));
  std::vector<std::string> keys;
  for (const ConfigChange& change : wanted.changes) keys.push_back(change.name);
  if (keys.empty()) return {};
  return refused(
      fmt::format("Cannot update these configs dynamically: [{}]", fmt::join(keys, ", ")));
}

ConfigFault check_topic(const std::string& name) {
  if (name.empty()) return refused("Default topic resources are not allowed.");
  if (const char* fault = topic_name_fault(name))
    return {ErrorCode::invalid_topic_exception, topic_name_message(name, fault)};
  return {};
}

struct How {
  bool replace_all = false;
  bool validate_only = false;
};

host::Task<ConfigFault> alter(Node& node, Alteration wanted, How how) {
  ConfigFault fault = check_form(wanted);
  if (fault.error != ErrorCode::none) co_return fault;
  if (wanted.type == kBrokerResource) co_return alter_broker(node, wanted);
  if (wanted.type != kTopicResource)
    co_return refused(fmt::format("Unknown resource type {}", wanted.type));
  fault = check_topic(wanted.name);
  if (fault.error != ErrorCode::none) co_return fault;
  Result<ConfigFault> done =
      co_await node.alter_topic(wanted.name, wanted.changes, how.replace_all, how.validate_only);
  if (!done) co_return ConfigFault{to_kafka(done.error()), std::string(done.error().text())};
  co_return std::move(*done);
}

template <class Response>
using Outcome = std::remove_cvref_t<decltype(std::declval<Response>().responses[0])>;

// Each resource by itself; one that is named twice is not touched.
template <class Response>
host::Task<net::Outgoing> alter_all(Node& node, Request& request, std::vector<Alteration> all,
                                    How how) {
  std::map<std::pair<int8_t, std::string>, int> mentions;
  for (const Alteration& one : all) mentions[{one.type, one.name}]++;
  auto outcomes = request.arena.array<Outcome<Response>>(all.size());
  for (size_t i = 0; i < all.size(); i++) {
    const Alteration& one = all[i];
    ConfigFault fault = refused("Each resource must appear at most once.");
    bool once = mentions[{one.type, one.name}] == 1;
    if (once) fault = co_await alter(node, one, how);
    outcomes[i].error_code = code(fault.error);
    outcomes[i].error_message = std::nullopt;
    if (!fault.text.empty()) outcomes[i].error_message = request.arena.copy(fault.text);
    outcomes[i].resource_type = one.type;
    outcomes[i].resource_name = request.arena.copy(one.name);
  }
  Response response;
  response.responses = outcomes;
  co_return reply(request, response);
}

std::optional<std::string> owned(const wire::NullableString& text) {
  if (!text) return std::nullopt;
  return std::string(*text);
}

}  // namespace

Answer incremental_alter_configs(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::IncrementalAlterConfigsRequest>(request->body, request->version,
                                                                  request->arena));
  std::vector<Alteration> all;
  for (const auto& resource : body.resources) {
    Alteration one{.type = resource.resource_type, .name = std::string(resource.resource_name)};
    for (const auto& config : resource.configs) {
      int8_t operation = config.config_operation;
      one.unknown_operation = one.unknown_operation || operation < 0 || operation > 3;
      one.changes.push_back({.name = std::string(config.name),
                             .kind = static_cast<ConfigChange::Kind>(operation),
                             .value = owned(config.value)});
    }
    all.push_back(std::move(one));
  }
  How how{.validate_only = body.validate_only};
  co_return co_await alter_all<wire::IncrementalAlterConfigsResponse>(node, *request, all, how);
}

Answer alter_configs(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::AlterConfigsRequest>(request->body, request->version, request->arena));
  std::vector<Alteration> all;
  for (const auto& resource : body.resources) {
    Alteration one{.type = resource.resource_type, .name = std::string(resource.resource_name)};
    for (const auto& config : resource.configs)
      one.changes.push_back({.name = std::string(config.name), .value = owned(config.value)});
    all.push_back(std::move(one));
  }
  How how{.replace_all = true, .validate_only = body.validate_only};
  co_return co_await alter_all<wire::AlterConfigsResponse>(node, *request, all, how);
}

}  // namespace moldau::broker
