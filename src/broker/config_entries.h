// The settings of a topic or of the broker as clients are shown them: CreateTopics,
// DescribeConfigs.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "broker/broker_keys.h"
#include "broker/topic_config.h"

namespace moldau::broker {

struct ConfigSynonym {
  std::string name;
  std::optional<std::string> value;
  ConfigSource source = ConfigSource::standard;
};
struct ConfigEntry {
  std::string name;
  std::optional<std::string> value;  // nothing: it has none, or it is a secret
  bool read_only = false;
  ConfigSource source = ConfigSource::standard;
  bool secret = false;
  std::vector<ConfigSynonym> synonyms;  // what it is chosen from, the first one counts
  KeyType type = KeyType::text;
};

// By name; internal ones only if they are set. shared: what the cluster says for all brokers.
std::vector<ConfigEntry> topic_entries(const BrokerConfig& broker, const ConfigMap& own,
                                       const ConfigMap& shared);
// Whether it was written or follows from how the broker was started. No key can be changed while it
// runs yet: all are read-only.
std::vector<ConfigEntry> broker_entries(const BrokerConfig& broker, const ConfigMap& shared);
// What the cluster says for all brokers, by itself.
std::vector<ConfigEntry> shared_entries(const ConfigMap& shared);

// Kafka's number for a type.
int8_t type_number(KeyType type);

}  // namespace moldau::broker
