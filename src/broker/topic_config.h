// A topic's own settings: whether they may be, how they are changed, and what its partitions go by
// with them. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config.h"
#include "broker/topic_keys.h"
#include "wire/error_code.h"

namespace moldau::broker {

using ConfigMap = std::map<std::string, std::string>;  // by Kafka's names, as they were written

// Why a request about settings is not followed; none: it is.
struct ConfigFault {
  wire::ErrorCode error = wire::ErrorCode::none;
  std::string text;  // Kafka's words
};

// Of all the settings of one topic together.
ConfigFault topic_config_fault(const ConfigMap& own);

struct ConfigChange {
  enum class Kind : uint8_t { set, remove, append, subtract };
  std::string name;
  Kind kind = Kind::set;
  std::optional<std::string> value;
};
// Of a topic that has `own`: changes them, or leaves them as they are and says why. A list that is
// not there yet begins as the broker's.
ConfigFault change_topic_config(const BrokerConfig& broker,
                                const std::vector<ConfigChange>& changes, ConfigMap& own);

// What the partitions of a topic go by.
struct TopicPolicy {
  TopicDefaults rules;
  int32_t max_message_bytes = 0;
  log::LogConfig log;
};
TopicPolicy topic_policy(const BrokerConfig& broker, const ConfigMap& own);

// Where a value is from, by Kafka's numbers.
enum class ConfigSource : int8_t { topic = 1, all_brokers = 3, static_broker = 4, standard = 5 };

// What the broker says where the topic does not, in the topic's unit; nothing: null.
std::optional<std::string> broker_value(const BrokerConfig& broker, const TopicKey& key);
// Whether the operator wrote one of its synonyms.
bool broker_says(const BrokerConfig& broker, const TopicKey& key);

}  // namespace moldau::broker
