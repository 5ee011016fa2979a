#include "metadata/image.h"

namespace moldau::metadata {

namespace {

constexpr int16_t kLowestVersion = 7;  // 3.3-IV3

bool same_topics(const Topics& a, const Topics& b) {
  if (a.by_name != b.by_name) return false;
  for (const auto& [id, topic] : a.by_id) {
    auto other = b.by_id.find(id);
    if (other == b.by_id.end() || *topic != *other->second) return false;
  }
  return true;
}

}  // namespace

const Topic* Topics::find(const Uuid& id) const {
  auto at = by_id.find(id);
  return at == by_id.end() ? nullptr : at->second.get();
}

const Topic* Topics::find(std::string_view name) const {
  auto at = by_name.find(name);
  return at == by_name.end() ? nullptr : find(at->second);
}

int16_t Image::metadata_version() const {
  auto found = features->find("metadata.version");
  return found == features->end() ? kLowestVersion : found->second;
}

bool same_content(const Image& a, const Image& b) {
  return *a.features == *b.features && *a.brokers == *b.brokers &&
         *a.controllers == *b.controllers && same_topics(*a.topics, *b.topics) &&
         *a.configs == *b.configs && *a.quotas == *b.quotas && *a.scram == *b.scram &&
         *a.tokens == *b.tokens && *a.acls == *b.acls && a.next_producer_id == b.next_producer_id;
}

}  // namespace moldau::metadata
