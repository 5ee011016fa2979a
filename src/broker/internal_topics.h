// The topics that the cluster keeps for itself: their names, and what they are made with.
#pragma once
#include <string_view>

#include "broker/topic_config.h"

namespace moldau::broker {

struct BrokerConfig;

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

bool is_internal(std::string_view topic);
// How many partitions a topic gets that nobody gave a number for.
int32_t partitions_of(const BrokerConfig& config, std::string_view topic);
// The settings of its own that it begins with.
ConfigMap configs_of(const BrokerConfig& config, std::string_view topic);

}  // namespace moldau::broker
