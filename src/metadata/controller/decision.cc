#include "metadata/controller/decision.h"

#include <fmt/format.h>

#include <charconv>

namespace moldau::metadata {

namespace {

const std::string* find(const Configs& all, const ConfigResource& resource,
                        const std::string& name) {
  auto at = all.find(resource);
  if (at == all.end()) return nullptr;
  auto value = at->second.find(name);
  return value == at->second.end() ? nullptr : &value->second;
}

}  // namespace

Verdict check_broker(const Image& image, BrokerId broker, std::optional<int64_t> epoch) {
  auto at = image.brokers->find(broker);
  if (at == image.brokers->end())
    return {wire::ErrorCode::broker_id_not_registered,
            fmt::format("Broker ID {} is not currently registered", broker)};
  if (epoch && at->second.epoch != *epoch)
    return {
        wire::ErrorCode::stale_broker_epoch,
        fmt::format("Expected broker epoch {}, but got broker epoch {}", at->second.epoch, *epoch)};
  return {};
}

bool is_active(const Image& image, int32_t broker) {
  auto at = image.brokers->find(BrokerId(broker));
  return at != image.brokers->end() && !at->second.fenced && !at->second.in_controlled_shutdown;
}

std::optional<std::string> effective_topic_config(const View& view, std::string_view topic,
                                                  const std::string& name) {
  const ConfigResource places[] = {{kTopicResource, std::string(topic)},
                                   {kBrokerResource, fmt::format("{}", view.settings.node)},
                                   {kBrokerResource, ""}};
  for (const ConfigResource& place : places)
    if (const std::string* value = find(*view.image.configs, place, name)) return *value;
  return std::nullopt;
}

int32_t min_insync_replicas(const View& view, std::string_view topic) {
  std::optional<std::string> text = effective_topic_config(view, topic, kMinIsr);
  int32_t value = view.settings.min_insync_replicas;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

bool unclean_election_allowed(const View& view, std::string_view topic) {
  std::optional<std::string> text =
      effective_topic_config(view, topic, "unclean.leader.election.enable");
  return text ? *text == "true" : view.settings.unclean_leader_election;
}

}  // namespace moldau::metadata
