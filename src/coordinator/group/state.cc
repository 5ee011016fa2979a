#include "coordinator/group/state.h"

#include <algorithm>

namespace moldau::coordinator::group {

const StoredMember* StoredGroup::find(std::string_view member) const {
  auto it = std::ranges::find(members, member, &StoredMember::id);
  return it == members.end() ? nullptr : &*it;
}

const Kept* State::find(std::string_view group) const {
  auto it = groups_.find(group);
  return it == groups_.end() ? nullptr : &it->second;
}

const StoredGroup* State::stored(std::string_view group) const {
  const Kept* kept = find(group);
  return kept && kept->group ? &*kept->group : nullptr;
}

const ConsumerGroup* State::consumer(std::string_view group) const {
  const Kept* kept = find(group);
  return kept && kept->consumer ? &*kept->consumer : nullptr;
}

const StoredOffset* State::offset(std::string_view group, std::string_view topic,
                                  int32_t partition) const {
  const Kept* kept = find(group);
  if (!kept) return nullptr;
  auto of_topic = kept->offsets.find(topic);
  if (of_topic == kept->offsets.end()) return nullptr;
  auto it = of_topic->second.find(partition);
  return it == of_topic->second.end() ? nullptr : &it->second;
}

bool State::pending(std::string_view group, std::string_view topic, int32_t partition) const {
  if (transactions_.empty()) return false;
  Place place(group, topic, partition);
  return std::ranges::any_of(transactions_,
                             [&](const auto& open) { return open.second.contains(place); });
}

bool State::pending(std::string_view group) const {
  return std::ranges::any_of(transactions_, [&](const auto& open) {
    return std::ranges::any_of(open.second,
                               [&](const auto& one) { return std::get<0>(one.first) == group; });
  });
}

template <class R>
void State::apply_consumer(const R& record, bool tombstone) {
  auto it = groups_.find(record.group);
  if (tombstone && (it == groups_.end() || !it->second.consumer)) return;
  if (it == groups_.end()) it = groups_.try_emplace(record.group).first;
  if (!it->second.consumer) it->second.consumer.emplace();
  it->second.consumer->apply(record);
  if (!tombstone || !it->second.consumer->gone()) return;
  it->second.consumer.reset();
  drop_if_empty(record.group);
}

void State::apply(const Record& record, int64_t producer) {
  const auto* of_offset = std::get_if<OffsetRecord>(&record);
  if (!of_offset) {
    std::visit(
        [&](const auto& one) {
          using R = std::decay_t<decltype(one)>;
          if constexpr (std::is_same_v<R, GroupRecord>)
            apply_group(one);
          else if constexpr (std::is_same_v<R, OldTopicsRecord>)
            apply_consumer(one, !one.there);
          else if constexpr (!std::is_same_v<R, OffsetRecord>)
            apply_consumer(one, !one.value.has_value());
        },
        record);
    return;
  }
  const OffsetRecord& offset = *of_offset;
  Place place(offset.group, offset.topic, offset.partition);
  if (producer >= 0) {
    transactions_[producer][place] = {offset.value, false};
    return;
  }
  for (auto& [open, places] : transactions_)
    if (auto it = places.find(place); it != places.end()) it->second.overtaken = true;
  apply_offset(offset);
}

void State::end_transaction(int64_t producer, bool commit) {
  auto it = transactions_.find(producer);
  if (it == transactions_.end()) return;
  auto open = std::move(it->second);
  transactions_.erase(it);
  if (!commit) return;
  for (auto& [place, undecided] : open) {
    const auto& [group, topic, partition] = place;
    if (!undecided.overtaken) apply_offset({group, topic, partition, std::move(undecided.value)});
  }
}

void State::apply_offset(const OffsetRecord& record) {
  if (record.value) {
    PartitionOffsets& topic = groups_[record.group].offsets[record.topic];
    offsets_ += topic.insert_or_assign(record.partition, *record.value).second;
    return;
  }
  auto kept = groups_.find(record.group);
  if (kept == groups_.end()) return;
  auto topic = kept->second.offsets.find(record.topic);
  if (topic == kept->second.offsets.end()) return;
  offsets_ -= topic->second.erase(record.partition);
  if (topic->second.empty()) kept->second.offsets.erase(topic);
  drop_if_empty(record.group);
}

void State::apply_group(const GroupRecord& record) {
  if (record.value) {
    groups_[record.group].group = record.value;
    return;
  }
  auto kept = groups_.find(record.group);
  if (kept == groups_.end()) return;
  kept->second.group.reset();
  drop_if_empty(record.group);
}

void State::drop_if_empty(std::string_view group) {
  auto it = groups_.find(group);
  if (it == groups_.end()) return;
  const Kept& kept = it->second;
  if (!kept.group && !kept.consumer && kept.offsets.empty()) groups_.erase(it);
}

}  // namespace moldau::coordinator::group
