#include "broker/catalog.h"

#include <algorithm>

namespace moldau::broker {

Topics::Topics(std::vector<Topic> topics) : topics_(std::move(topics)) {
  std::ranges::sort(topics_, {}, &Topic::name);
  for (size_t i = 0; i < topics_.size(); i++) by_id_.emplace_back(topics_[i].id, i);
  std::ranges::sort(by_id_);
}

const Topic* Topics::find(std::string_view name) const {
  auto it = std::ranges::lower_bound(topics_, name, {}, &Topic::name);
  return it != topics_.end() && it->name == name ? &*it : nullptr;
}

const Topic* Topics::find(const Uuid& id) const {
  auto it = std::ranges::lower_bound(by_id_, id, {}, &std::pair<Uuid, size_t>::first);
  return it != by_id_.end() && it->first == id ? &topics_[it->second] : nullptr;
}

const char* topic_name_fault(std::string_view name) {
  if (name.empty()) return "the topic name is empty";
  if (name == "." || name == "..") return "the topic name is '.' or '..'";
  if (name.size() > 249) return "the topic name is longer than 249 characters";
  for (char c : name) {
    bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!allowed) return "the topic name holds a character other than ASCII letters, digits, '.', '_' and '-'";
  }
  return nullptr;
}

const Topic* colliding_topic(const Topics& topics, std::string_view name) {
  auto unified = [](std::string_view text) {
    std::string out(text);
    std::ranges::replace(out, '.', '_');
    return out;
  };
  if (name.find_first_of("._") == std::string_view::npos) return nullptr;
  std::string wanted = unified(name);
  for (const Topic& topic : topics.all())
    if (topic.name != name && unified(topic.name) == wanted) return &topic;
  return nullptr;
}

}  // namespace moldau::broker
