#include "metadata/controller/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace moldau::metadata {

using wire::ErrorCode;

namespace {

bool sets_min_isr(const ChangeConfigs& wanted) {
  return std::ranges::any_of(wanted.changes,
                             [](const ConfigChangeTo& one) { return one.name == kMinIsr; });
}

bool is_set_to(const Image& image, const ConfigResource& resource, const ConfigChangeTo& wanted) {
  auto at = image.configs->find(resource);
  if (at == image.configs->end()) return !wanted.value;
  auto value = at->second.find(wanted.name);
  if (value == at->second.end()) return !wanted.value;
  return wanted.value == value->second;
}

constexpr std::string_view kUser = "user", kClient = "client-id", kIp = "ip";
constexpr std::string_view kRates[] = {"producer_byte_rate", "consumer_byte_rate",
                                       "request_percentage", "controller_mutation_rate"};
constexpr std::string_view kConnections = "connection_creation_rate";

Verdict bad(std::string text) { return {ErrorCode::invalid_request, std::move(text)}; }

Verdict check_entity(const QuotaEntity& entity) {
  if (entity.empty()) return bad("Invalid empty client quota entity");
  for (const auto& [type, name] : entity) {
    if (type != kUser && type != kClient && type != kIp)
      return bad(fmt::format("Unhandled client quota entity type: {}", type));
    if (name && name->empty()) return bad(fmt::format("Empty {} not supported", type));
  }
  if (entity.contains(std::string(kIp)) && entity.size() > 1)
    return bad("Invalid entity combination, IP entity cannot be combined with User or ClientId");
  return {};
}

Verdict check_quota(bool ip, const std::string& key, std::optional<double> value) {
  bool known = ip ? key == kConnections : std::ranges::find(kRates, key) != std::end(kRates);
  if (!known) return bad(fmt::format("Invalid configuration key {}", key));
  if (!value) return {};
  if (!(*value > 0) || std::isinf(*value))
    return bad(fmt::format("Quota {} must be greater than 0", key));
  bool whole = key == "producer_byte_rate" || key == "consumer_byte_rate" || ip;
  constexpr double kMost = 9223372036854775807.0;
  if (whole && (std::floor(*value) != *value || *value > kMost))
    return bad(fmt::format("{} must be an integral value.", key));
  return {};
}

}  // namespace

Decision<Verdict> decide(const View& view, const ChangeConfigs& wanted) {
  Decision<Verdict> out;
  bool topic = wanted.resource.type == kTopicResource;
  if (topic && !view.image.topics->find(wanted.resource.name)) {
    out.reply = {ErrorCode::unknown_topic_or_partition,
                 fmt::format("The topic '{}' does not exist.", wanted.resource.name)};
    return out;
  }
  for (const ConfigChangeTo& one : wanted.changes)
    if (!is_set_to(view.image, wanted.resource, one))
      out.records.push_back(config_record(wanted.resource, one.name, one.value));
  // Who was eligible under the old number need not be under the new one.
  bool elr = RecordLevel(view.image).elr;
  if (out.records.empty() || !elr || !sets_min_isr(wanted)) return out;
  out.records.push_back(clear_elr_record(topic ? wanted.resource.name : ""));
  return out;
}

Decision<Verdict> decide(const View& view, const ChangeQuotas& wanted) {
  Decision<Verdict> out;
  out.reply = check_entity(wanted.entity);
  bool ip = wanted.entity.contains(std::string(kIp));
  for (const auto& [key, value] : wanted.values) {
    if (!out.reply.good()) break;
    out.reply = check_quota(ip, key, value);
  }
  if (!out.reply.good()) return out;
  auto at = view.image.quotas->find(wanted.entity);
  for (const auto& [key, value] : wanted.values) {
    std::optional<double> now;
    if (at != view.image.quotas->end())
      if (auto found = at->second.find(key); found != at->second.end()) now = found->second;
    if (now != value) out.records.push_back(quota_record(wanted.entity, key, value));
  }
  return out;
}

Decision<ProducerIdsAllocated> decide(const View& view, const AllocateProducerIds& wanted) {
  Decision<ProducerIdsAllocated> out;
  Verdict& verdict = out.reply;
  verdict = check_broker(view.image, wanted.broker, wanted.epoch);
  if (!verdict.good()) return out;
  int64_t first = std::max<int64_t>(view.image.next_producer_id, 0);
  if (first > INT64_MAX - kProducerIdBlock) {
    verdict = {ErrorCode::unknown_server_error, "Exhausted all producerIds"};
    return out;
  }
  out.reply.first = first;
  out.reply.count = kProducerIdBlock;
  out.records.push_back(producer_ids_record(wanted.broker, wanted.epoch, first + kProducerIdBlock));
  return out;
}

}  // namespace moldau::metadata
