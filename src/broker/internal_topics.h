// The topics that the cluster keeps for itself: their names, what they are made with, and by what
// rules their logs are kept, until topics have configurations of their own.
#pragma once
#include <string_view>

#include "log/log_core.h"

namespace moldau::broker {

struct BrokerConfig;

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

bool is_internal(std::string_view topic);
// How many partitions a topic gets that nobody gave a number for.
int32_t partitions_of(const BrokerConfig& config, std::string_view topic);
log::LogConfig log_config_of(const BrokerConfig& config, std::string_view topic);

}  // namespace moldau::broker
