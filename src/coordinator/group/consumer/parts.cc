#include "coordinator/group/consumer/parts.h"

#include <algorithm>

namespace moldau::coordinator::group {

Parts without_epochs(const EpochParts& parts) {
  Parts out;
  for (const auto& [topic, partitions] : parts)
    for (const auto& [partition, epoch] : partitions) out[topic].insert(partition);
  return out;
}

bool contains(const Parts& parts, const Uuid& topic, int32_t partition) {
  auto it = parts.find(topic);
  return it != parts.end() && it->second.contains(partition);
}

const int32_t* epoch_of(const EpochParts& parts, const Uuid& topic, int32_t partition) {
  auto it = parts.find(topic);
  if (it == parts.end()) return nullptr;
  auto found = it->second.find(partition);
  return found == it->second.end() ? nullptr : &found->second;
}

bool is_subset(const Parts& some, const EpochParts& all) {
  return std::ranges::all_of(some, [&](const auto& topic) {
    return std::ranges::all_of(topic.second,
                               [&](int32_t p) { return epoch_of(all, topic.first, p) != nullptr; });
  });
}

bool intersect(const Parts& one, const EpochParts& other) {
  return std::ranges::any_of(one, [&](const auto& topic) {
    return std::ranges::any_of(
        topic.second, [&](int32_t p) { return epoch_of(other, topic.first, p) != nullptr; });
  });
}

size_t count(const Parts& parts) {
  size_t n = 0;
  for (const auto& [topic, partitions] : parts) n += partitions.size();
  return n;
}

}  // namespace moldau::coordinator::group
