// The topics that there are, as the coordinator sees them: one state of the world, immutable. Made
// by the broker, for whoever assigns partitions.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace moldau::coordinator::group {

struct KnownTopic {
  std::string name;
  Uuid id;
  int32_t partitions = 0;
};

class KnownTopics {
 public:
  KnownTopics() = default;
  explicit KnownTopics(std::vector<KnownTopic> topics);
  const KnownTopic* find(std::string_view name) const;
  const KnownTopic* find(const Uuid& id) const;
  const std::vector<KnownTopic>& all() const { return topics_; }  // sorted by name

 private:
  std::vector<KnownTopic> topics_;
  std::vector<std::pair<Uuid, size_t>> by_id_;  // sorted
};

using TopicsRef = std::shared_ptr<const KnownTopics>;

}  // namespace moldau::coordinator::group
