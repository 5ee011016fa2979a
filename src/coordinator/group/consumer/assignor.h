// Who gets which partitions: the assignors of the server, pure. Both give what Kafka 4.3.1's of the
// same name give: range one range of each topic to each of its readers, in the order of their
// names, whatever they had before; uniform as many to each as can be, and as few moves as can be.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coordinator/group/consumer/known_topics.h"
#include "coordinator/group/consumer/parts.h"

namespace moldau::coordinator::group {

struct Assignee {
  std::string member;
  std::optional<std::string> instance;
  std::set<Uuid> topics;  // that it reads and that are there
  Parts had;              // what it was to get until now
};

// One for each, in the order of `members`.
std::vector<Parts> assign_ranges(const std::vector<Assignee>& members, const KnownTopics& topics);
std::vector<Parts> assign_uniformly(const std::vector<Assignee>& members,
                                    const KnownTopics& topics);

// Nothing: no assignor has that name.
using Assignor = std::vector<Parts> (*)(const std::vector<Assignee>&, const KnownTopics&);
Assignor assignor_named(std::string_view name);

// The order in which Java's hash maps hand out keys: what Kafka's assignors go by where any order
// would do. Positions into the list.
std::vector<size_t> java_order(const std::vector<uint32_t>& hashes);
uint32_t java_hash(std::string_view text);
uint32_t java_hash(const Uuid& id);

}  // namespace moldau::coordinator::group
