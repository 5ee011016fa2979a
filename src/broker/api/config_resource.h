// Kafka's numbers for what has settings. Used by the handlers of configurations.
#pragma once
#include <cstdint>

namespace moldau::broker {

enum ConfigResource : int8_t {
  kTopicResource = 2,
  kBrokerResource = 4,
  kLoggerResource = 8,
  kMetricsResource = 16,
  kGroupResource = 32
};

}  // namespace moldau::broker
