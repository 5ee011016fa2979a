#include "broker/internal_topics.h"

#include <string>

#include "broker/config.h"

namespace moldau::broker {

bool is_internal(std::string_view topic) {
  return topic == kOffsetsTopic || topic == "__transaction_state" || topic == "__share_group_state";
}

int32_t partitions_of(const BrokerConfig& config, std::string_view topic) {
  return topic == kOffsetsTopic ? config.offsets_topic.partitions : config.num_partitions;
}

ConfigMap configs_of(const BrokerConfig& config, std::string_view topic) {
  if (topic != kOffsetsTopic) return {};
  // Less than a MiB is for tests; a topic may say it only by another name.
  bool small = config.offsets_topic.segment_bytes < 1 << 20;
  return {{"cleanup.policy", "compact"},
          {"compression.type", "producer"},
          {small ? "internal.segment.bytes" : "segment.bytes",
           std::to_string(config.offsets_topic.segment_bytes)}};
}

}  // namespace moldau::broker
