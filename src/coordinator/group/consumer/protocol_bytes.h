// What consumers of the classic protocol say to each other inside of joins and assignments, as far
// as a coordinator has to understand it where both protocols meet.
#pragma once
#include <optional>

#include "coordinator/group/consumer/known_topics.h"
#include "coordinator/group/consumer/parts.h"

namespace moldau::coordinator::group {

struct Subscription {
  int16_t version = 0;
  std::vector<std::string> topics;  // sorted, each once
  std::optional<std::string> rack;
  Parts owned;  // of topics that there are
};
// Nothing: the bytes are none.
std::optional<Subscription> read_subscription(std::string_view bytes, const KnownTopics& topics);
// What of an assignment is there; nothing where the bytes are none.
Parts read_assignment(std::string_view bytes, const KnownTopics& topics);
std::string write_assignment(const Parts& parts, int16_t version, const KnownTopics& topics);

}  // namespace moldau::coordinator::group
