// When what is due, by what it is for: one time a key. Pure.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"

namespace moldau::coordinator::group {

template <class Key>
class Timers {
 public:
  void set(const Key& key, Instant at) {
    auto [it, fresh] = at_.try_emplace(key, at);
    if (!fresh) {
      due_.erase({it->second, key});
      it->second = at;
    }
    due_.insert({at, key});
  }
  void cancel(const Key& key) {
    auto it = at_.find(key);
    if (it == at_.end()) return;
    due_.erase({it->second, key});
    at_.erase(it);
  }
  bool is_set(const Key& key) const { return at_.contains(key); }
  // The earliest that is due, taken out.
  std::optional<Key> take(Instant now) {
    if (due_.empty() || due_.begin()->first > now) return std::nullopt;
    Key key = due_.begin()->second;
    cancel(key);
    return key;
  }
  Instant next() const { return due_.empty() ? kNever : due_.begin()->first; }
  size_t size() const { return at_.size(); }
  void clear() {
    at_.clear();
    due_.clear();
  }

 private:
  std::map<Key, Instant> at_;
  std::set<std::pair<Instant, Key>> due_;
};

}  // namespace moldau::coordinator::group
