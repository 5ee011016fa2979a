#include "coordinator/group/consumer/known_topics.h"

#include <algorithm>

namespace moldau::coordinator::group {

KnownTopics::KnownTopics(std::vector<KnownTopic> topics) : topics_(std::move(topics)) {
  std::ranges::sort(topics_, {}, &KnownTopic::name);
  for (size_t i = 0; i < topics_.size(); i++) by_id_.emplace_back(topics_[i].id, i);
  std::ranges::sort(by_id_);
}

const KnownTopic* KnownTopics::find(std::string_view name) const {
  auto it = std::ranges::lower_bound(topics_, name, {}, &KnownTopic::name);
  return it != topics_.end() && it->name == name ? &*it : nullptr;
}

const KnownTopic* KnownTopics::find(const Uuid& id) const {
  auto it = std::ranges::lower_bound(by_id_, id, {}, &std::pair<Uuid, size_t>::first);
  return it != by_id_.end() && it->first == id ? &topics_[it->second] : nullptr;
}

}  // namespace moldau::coordinator::group
