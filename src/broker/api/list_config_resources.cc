// ListConfigResources: what there are settings of: this broker and all topics. Version 0 knows only
// subscriptions to metrics, which are not there yet; nor are loggers.
#include <algorithm>

#include "broker/api/config_resource.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "wire/messages/list_config_resources.h"

namespace moldau::broker {

using wire::ErrorCode;
using Resource = wire::ListConfigResourcesResponse::ConfigResource;

namespace {

constexpr int8_t kAll[] = {kTopicResource, kBrokerResource, kLoggerResource, kMetricsResource,
                           kGroupResource};

std::vector<Resource> resources_of(Request& request, const Node& node,
                                   std::span<const int8_t> types) {
  std::vector<Resource> found;
  auto wanted = [&](int8_t type) { return std::ranges::find(types, type) != types.end(); };
  std::string_view self = request.arena.copy(std::to_string(node.config.node_id.value));
  if (wanted(kBrokerResource))
    found.push_back({.resource_name = self, .resource_type = kBrokerResource});
  if (!wanted(kTopicResource)) return found;
  std::shared_ptr<const Topics> topics = node.catalog.topics();
  for (const Topic& topic : topics->all())
    found.push_back(
        {.resource_name = request.arena.copy(topic.name), .resource_type = kTopicResource});
  return found;
}

}  // namespace

Answer list_config_resources(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::ListConfigResourcesRequest>(request->body, request->version,
                                                              request->arena));
  std::vector<int8_t> types(body.resource_types.begin(), body.resource_types.end());
  if (request->version == 0)
    types = {kMetricsResource};
  else if (types.empty())
    types.assign(std::begin(kAll), std::end(kAll));
  bool known = std::ranges::all_of(
      types, [](int8_t type) { return std::ranges::find(kAll, type) != std::end(kAll); });
  wire::ListConfigResourcesResponse answer;
  std::vector<Resource> found;
  if (known)
    found = resources_of(*request, node, types);
  else
    answer.error_code = code(ErrorCode::unsupported_version);
  answer.config_resources = std::span<Resource>(found);
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
