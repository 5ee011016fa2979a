// What a setting takes: its type, its domain, and whether a text is a value of it. Shared by the
// tables of the broker's settings (broker_keys.h) and of the topics' (topic_keys.h).
#pragma once
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace moldau::broker {

enum class KeyType : uint8_t { boolean, i16, i32, i64, f64, text, list, password, java_class };

struct KeyDomain {
  enum class Kind : uint8_t {
    any,
    range,      // least to most
    level,      // 1 to most, or -1
    choice,     // one of `choices`, or a list of some of them
    any_case,   // the same, upper or lower case
    not_empty,  // a text that is not empty, or a list that is not
    not_null,
    replicas  // "*", or a list of <partition>:<broker>
  };
  Kind kind = Kind::any;
  double least = 0, most = 0;
  std::string_view choices;  // with commas
};

constexpr const char* kRequired = "(required)";
constexpr KeyDomain kNotEmpty{KeyDomain::Kind::not_empty, 0, 0, {}};
constexpr KeyDomain kNotNull{KeyDomain::Kind::not_null, 0, 0, {}};
constexpr KeyDomain kReplicas{KeyDomain::Kind::replicas, 0, 0, {}};
constexpr KeyDomain range(double least, double most) {
  return {KeyDomain::Kind::range, least, most, {}};
}
constexpr KeyDomain from(double least) {
  return range(least, std::numeric_limits<double>::infinity());
}
constexpr KeyDomain level(double most) { return {KeyDomain::Kind::level, -1, most, {}}; }
constexpr KeyDomain choice(std::string_view choices) {
  return {KeyDomain::Kind::choice, 0, 0, choices};
}
constexpr KeyDomain any_case(std::string_view choices) {
  return {KeyDomain::Kind::any_case, 0, 0, choices};
}

// "BOOLEAN" and so on, as Kafka's messages have it.
const char* type_name(KeyType type);

// Whether the text is a value of that type in that domain. Errors: invalid; the text says what it
// takes ("a number from 1 to 10"), not which key.
Result<void> check_value(KeyType type, const KeyDomain& domain, std::string_view text);

// The same in the words that Kafka answers a client with; empty: it is a value.
std::string value_fault(std::string_view name, KeyType type, const KeyDomain& domain,
                        std::string_view text);

// Without the space around it.
std::string_view trimmed(std::string_view text);
// What stands between the commas, without the space around it and without what is empty.
std::vector<std::string> list_words(std::string_view text);

// A value that is one, as Kafka shows it: without the space around numbers and words of a list.
std::string shown_value(KeyType type, std::string_view text);

}  // namespace moldau::broker
