#include <algorithm>
#include <numeric>

#include "coordinator/group/consumer/assignor.h"

namespace moldau::coordinator::group {

// A topic's readers in order, the first ones get one more where it does not come out even. Static
// members come first, by instance: so a restart moves nothing. With as many partitions in several
// topics the same numbers come together, which is what this one is for.
std::vector<Parts> assign_ranges(const std::vector<Assignee>& members, const KnownTopics& topics) {
  std::vector<size_t> order(members.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) {
    const Assignee &x = members[a], &y = members[b];
    if (x.instance && y.instance) return *x.instance < *y.instance;
    if (x.instance.has_value() != y.instance.has_value()) return x.instance.has_value();
    return x.member < y.member;
  });
  std::map<Uuid, std::vector<size_t>> readers;
  for (size_t i : order)
    for (const Uuid& topic : members[i].topics) readers[topic].push_back(i);
  std::vector<Parts> out(members.size());
  for (const auto& [id, of_topic] : readers) {
    const KnownTopic* topic = topics.find(id);
    if (!topic) continue;
    auto readers_count = static_cast<int32_t>(of_topic.size());
    int32_t each = topic->partitions / readers_count, more = topic->partitions % readers_count;
    int32_t next = 0;
    for (size_t i : of_topic) {
      int32_t end = next + each + (more-- > 0 ? 1 : 0);
      for (; next < end; next++) out[i][id].insert(next);
    }
  }
  return out;
}

Assignor assignor_named(std::string_view name) {
  if (name == "uniform") return &assign_uniformly;
  if (name == "range") return &assign_ranges;
  return nullptr;
}

}  // namespace moldau::coordinator::group
