// Every setting of Apache Kafka 4.3.1's server.properties, as Kafka declares it, and what we do
// with it. ./dev compat config compares the table with Kafka's. Feeds the reading of
// configurations, documentation, DescribeConfigs.
#pragma once
#include <span>
#include <string_view>

#include "broker/config_key.h"

namespace moldau::broker {

// When a running broker may get another value (DescribeConfigs: "read-only" and so on).
enum class UpdateMode : uint8_t { read_only, per_broker, cluster_wide };

enum class KeyUse : uint8_t {
  honoured,
  later,    // Kafka honours it, we do not yet: another value than the default is mentioned
  nothing,  // it configures threads, purgatories or a JVM that we do not have: mentioned once
  refused   // going on without it would be wrong: another value than the default ends the start
};

struct BrokerKey {
  std::string_view name;
  KeyType type;
  const char* standard;  // the default; nullptr: null; kRequired: there is none
  KeyDomain domain;
  UpdateMode update;
  KeyUse use;
  bool internal = false;  // not shown to clients
  bool required() const { return standard && std::string_view(standard) == "(required)"; }
};

std::span<const BrokerKey> broker_keys();  // by name
const BrokerKey* find_broker_key(std::string_view name);

inline Result<void> check_value(const BrokerKey& key, std::string_view text) {
  return check_value(key.type, key.domain, text);
}

}  // namespace moldau::broker
