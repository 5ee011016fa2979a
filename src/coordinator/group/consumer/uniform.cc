// The uniform assignor where all members read the same topics: everybody keeps of what he had as
// much as is his share, and what is left over fills up those who lack. Where they read different
// ones: uniform_mixed.cc.
#include <algorithm>

#include "coordinator/group/consumer/assignor.h"
#include "coordinator/group/consumer/uniform_mixed.h"

namespace moldau::coordinator::group {

namespace {

using Place = std::pair<Uuid, int32_t>;

template <class Keys>
std::vector<typename Keys::value_type> in_java_order(const Keys& keys) {
  std::vector<typename Keys::value_type> list(keys.begin(), keys.end());
  std::vector<uint32_t> hashes;
  for (const auto& key : list) {
    if constexpr (std::is_same_v<typename Keys::value_type, Uuid>)
      hashes.push_back(java_hash(key));
    else
      hashes.push_back(static_cast<uint32_t>(key));
  }
  std::vector<typename Keys::value_type> out;
  for (size_t i : java_order(hashes)) out.push_back(list[i]);
  return out;
}

class Sharing {
 public:
  Sharing(const std::vector<Assignee>& members, const KnownTopics& topics)
      : members_(members), topics_(topics), out_(members.size()) {}

  std::vector<Parts> run() {
    count_out();
    std::vector<uint32_t> hashes;
    for (const Assignee& m : members_) hashes.push_back(java_hash(m.member));
    std::vector<size_t> order = java_order(hashes);
    for (size_t i : order) keep(i);
    // The last ones of those who lack get the partitions that do not come out even.
    auto next = free_.begin();
    for (size_t at = 0; at < lacking_.size(); at++) {
      auto [i, lacks] = lacking_[at];
      if (at + extra_ >= lacking_.size()) lacks++;
      for (; lacks > 0 && next != free_.end(); lacks--, ++next)
        out_[i][next->first].insert(next->second);
    }
    return std::move(out_);
  }

 private:
  // What there is, what of it nobody had, and what is everybody's share.
  void count_out() {
    std::set<Place> had;
    for (const Assignee& m : members_)
      for (const auto& [topic, partitions] : m.had)
        for (int32_t p : partitions) had.insert({topic, p});
    size_t total = 0;
    for (const Uuid& id : in_java_order(members_.front().topics)) {
      const KnownTopic* topic = topics_.find(id);
      if (!topic) continue;
      total += static_cast<size_t>(topic->partitions);
      for (int32_t p = 0; p < topic->partitions; p++)
        if (!had.contains({id, p})) free_.emplace_back(id, p);
    }
    share_ = total / members_.size();
    extra_ = total % members_.size();
  }

  void keep(size_t i) {
    bool may_have_more = extra_ > 0;
    size_t left = share_ + (may_have_more ? 1 : 0);
    std::set<Uuid> had;
    for (const auto& [topic, partitions] : members_[i].had) had.insert(topic);
    for (const Uuid& topic : in_java_order(had)) {
      const KnownTopic* known = topics_.find(topic);
      if (!known || !members_[i].topics.contains(topic)) continue;
      for (int32_t p : in_java_order(members_[i].had.at(topic))) {
        if (p >= known->partitions) continue;
        if (left > 0) {
          left--;
          out_[i][topic].insert(p);
        } else {
          free_.emplace_back(topic, p);
        }
      }
    }
    if (left > 0)
      lacking_.emplace_back(i, left - (may_have_more ? 1 : 0));
    else if (may_have_more)
      extra_--;
    else if (share_ == 0)
      lacking_.emplace_back(i, 0);
  }

  const std::vector<Assignee>& members_;
  const KnownTopics& topics_;
  std::vector<Parts> out_;
  size_t share_ = 0;
  size_t extra_ = 0;  // so many members get one more than their share
  std::vector<Place> free_;
  std::vector<std::pair<size_t, size_t>> lacking_;
};

}  // namespace

std::vector<Parts> assign_uniformly(const std::vector<Assignee>& members,
                                    const KnownTopics& topics) {
  if (members.empty()) return {};
  bool same = std::ranges::all_of(
      members, [&](const Assignee& m) { return m.topics == members.front().topics; });
  return same ? Sharing(members, topics).run() : assign_mixed(members, topics);
}

}  // namespace moldau::coordinator::group
