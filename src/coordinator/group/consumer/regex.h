// Subscriptions by expression: RE2's syntax, which Kafka's clients write, and all of a topic's
// name.
#pragma once
#include <optional>

#include "coordinator/group/consumer/known_topics.h"

namespace moldau::coordinator::group {

// In Kafka's words; nothing: it is a good one.
std::optional<std::string> regex_fault(std::string_view expression);
// Sorted. The expression is a good one.
std::vector<std::string> topics_matching(std::string_view expression, const KnownTopics& topics);

}  // namespace moldau::coordinator::group
