// Every setting of Apache Kafka 4.3.1's server.properties, as Kafka declares it, and what we do
// with it. ./dev compat config compares the table with Kafka's. Feeds the reading of
// configurations, documentation, DescribeConfigs.
#pragma once
#include <span>
#include <string_view>

#include "base/result.h"

namespace moldau::broker {

enum class KeyType : uint8_t { boolean, i16, i32, i64, f64, text, list, password, java_class };

// When a running broker may get another value (DescribeConfigs: "read-only" and so on).
enum class UpdateMode : uint8_t { read_only, per_broker, cluster_wide };

enum class KeyUse : uint8_t {
  honoured,
  later,    // Kafka honours it, we do not yet: another value than the default is mentioned
  nothing,  // it configures threads, purgatories or a JVM that we do not have: mentioned once
  refused   // going on without it would be wrong: another value than the default ends the start
};

struct KeyDomain {
  enum class Kind : uint8_t {
    any,
    range,      // least to most
    level,      // 1 to most, or -1
    choice,     // one of `choices`, or a list of some of them
    any_case,   // the same, upper or lower case
    not_empty,  // a text that is not empty, or a list that is not
    not_null
  };
  Kind kind = Kind::any;
  double least = 0, most = 0;
  std::string_view choices;  // with commas
};

struct BrokerKey {
  std::string_view name;
  KeyType type;
  const char* standard;  // the default; nullptr: null; kRequired: there is none
  KeyDomain domain;
  UpdateMode update;
  KeyUse use;
  bool required() const { return standard && std::string_view(standard) == "(required)"; }
};

std::span<const BrokerKey> broker_keys();  // by name
const BrokerKey* find_broker_key(std::string_view name);

// Whether the text is a value of that type in that domain. Errors: invalid; the text says what it
// takes ("a number from 1 to 10"), not which key.
Result<void> check_value(const BrokerKey& key, std::string_view text);

}  // namespace moldau::broker
