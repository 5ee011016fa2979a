#include "coordinator/group/consumer/uniform_mixed.h"

#include <algorithm>
#include <deque>

namespace moldau::coordinator::group {

namespace {

// Everybody keeps what he had and may still have; what nobody has goes to the reader with the
// least, topics with the fewest readers first. Then partitions move, from who has most along a
// chain of members to who has at least two less, until there is no such chain: as even as it can
// be. The chain is the shortest one, so few partitions move.
class Levelling {
 public:
  Levelling(const std::vector<Assignee>& members, const KnownTopics& topics)
      : members_(members), topics_(topics), out_(members.size()), sizes_(members.size(), 0) {}

  std::vector<Parts> run() {
    for (size_t i = 0; i < members_.size(); i++)
      for (const Uuid& topic : members_[i].topics) readers_[topic].push_back(i);
    keep();
    hand_out();
    while (level_once()) continue;
    return std::move(out_);
  }

 private:
  void keep() {
    for (size_t i = 0; i < members_.size(); i++)
      for (const auto& [id, partitions] : members_[i].had) {
        const KnownTopic* topic = topics_.find(id);
        if (!topic || !members_[i].topics.contains(id)) continue;
        for (int32_t p : partitions)
          if (p < topic->partitions && taken_.insert({id, p}).second) give(i, id, p);
      }
  }

  void hand_out() {
    std::vector<Uuid> order;
    for (const auto& [id, readers] : readers_) order.push_back(id);
    std::ranges::sort(order, {},
                      [&](const Uuid& id) { return std::pair(readers_[id].size(), id); });
    for (const Uuid& id : order) {
      const KnownTopic* topic = topics_.find(id);
      if (!topic) continue;
      for (int32_t p = 0; p < topic->partitions; p++) {
        if (!taken_.insert({id, p}).second) continue;
        const std::vector<size_t>& readers = readers_[id];
        size_t least = *std::ranges::min_element(readers, {}, [&](size_t i) { return sizes_[i]; });
        give(least, id, p);
      }
    }
  }

  void give(size_t i, const Uuid& topic, int32_t partition) {
    out_[i][topic].insert(partition);
    sizes_[i]++;
  }

  // From where to where, and a topic of which one partition can go that way.
  struct Step {
    size_t from = SIZE_MAX;
    Uuid topic;
  };

  // The shortest chain from this member to one with at least two less, taken.
  bool relieve(size_t first) {
    std::vector<Step> came(members_.size());
    std::set<Uuid> seen;
    std::deque<size_t> open{first};
    came[first].from = first;
    while (!open.empty()) {
      size_t at = open.front();
      open.pop_front();
      if (sizes_[at] + 2 <= sizes_[first]) {
        move_along(came, first, at);
        return true;
      }
      for (const auto& [topic, partitions] : out_[at]) {
        if (!seen.insert(topic).second) continue;  // its readers have all been reached
        for (size_t next : readers_[topic]) {
          if (came[next].from != SIZE_MAX) continue;
          came[next] = {at, topic};
          open.push_back(next);
        }
      }
    }
    return false;
  }

  void move_along(const std::vector<Step>& came, size_t first, size_t last) {
    for (size_t to = last; to != first; to = came[to].from) {
      const Step& step = came[to];
      auto from = out_[step.from].find(step.topic);
      int32_t partition = *std::prev(from->second.end());
      from->second.erase(partition);
      if (from->second.empty()) out_[step.from].erase(from);
      out_[to][step.topic].insert(partition);
    }
    sizes_[first]--;
    sizes_[last]++;
  }

  bool level_once() {
    std::vector<size_t> order(members_.size());
    for (size_t i = 0; i < order.size(); i++) order[i] = i;
    std::ranges::sort(order, std::greater<>(), [&](size_t i) { return std::pair(sizes_[i], i); });
    return std::ranges::any_of(order, [&](size_t i) { return relieve(i); });
  }

  const std::vector<Assignee>& members_;
  const KnownTopics& topics_;
  std::map<Uuid, std::vector<size_t>> readers_;
  std::vector<Parts> out_;
  std::vector<size_t> sizes_;
  std::set<std::pair<Uuid, int32_t>> taken_;
};

}  // namespace

std::vector<Parts> assign_mixed(const std::vector<Assignee>& members, const KnownTopics& topics) {
  return Levelling(members, topics).run();
}

}  // namespace moldau::coordinator::group
