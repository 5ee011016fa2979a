#include "broker/internal_topics.h"

#include "broker/config.h"

namespace moldau::broker {

bool is_internal(std::string_view topic) {
  return topic == kOffsetsTopic || topic == "__transaction_state" || topic == "__share_group_state";
}

int32_t partitions_of(const BrokerConfig& config, std::string_view topic) {
  return topic == kOffsetsTopic ? config.offsets_topic.partitions : config.num_partitions;
}

log::LogConfig log_config_of(const BrokerConfig& config, std::string_view topic) {
  log::LogConfig out = config.log;
  if (topic != kOffsetsTopic) return out;
  out.clean.compact = true;
  out.retention.delete_old = false;
  out.segment_bytes = out.clean.segment_bytes = config.offsets_topic.segment_bytes;
  return out;
}

}  // namespace moldau::broker
