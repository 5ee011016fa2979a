#include "broker/catalog.h"

#include <fmt/format.h>

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

namespace {
constexpr const char* kEmpty = "the empty string is not allowed";
constexpr const char* kDots = "is not allowed";
constexpr const char* kLong = "is longer than the max allowed length 249";
constexpr const char* kCharacters =
    "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
constexpr size_t kMaxName = 249;  // a directory name holds it, a dash, the partition and a suffix

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}
}  // namespace

const char* topic_name_fault(std::string_view name) {
  if (name.empty()) return kEmpty;
  if (name == "." || name == "..") return kDots;
  if (name.size() > kMaxName) return kLong;
  return std::ranges::all_of(name, name_character) ? nullptr : kCharacters;
}

std::string topic_name_message(std::string_view name, const char* fault) {
  if (name.empty()) return fmt::format("Topic name is invalid: {}", fault);
  return fmt::format("Topic name is invalid: {}'{}' {}", fault == kLong ? "the length of " : "",
                     name, fault);
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
