#include "coordinator/group/consumer/stored.h"

#include <algorithm>

namespace moldau::coordinator::group {

const ConsumerMember* ConsumerGroup::find(std::string_view member) const {
  auto it = members.find(member);
  return it == members.end() ? nullptr : &it->second;
}

const CurrentAssignment& ConsumerGroup::current(std::string_view member) const {
  static const CurrentAssignment kNone;
  auto it = currents.find(member);
  return it == currents.end() ? kNone : it->second;
}

const Parts& ConsumerGroup::target(std::string_view member) const {
  static const Parts kNone;
  auto it = targets.find(member);
  return it == targets.end() ? kNone : it->second;
}

const std::string* ConsumerGroup::static_member(std::string_view instance) const {
  auto it = statics.find(instance);
  return it == statics.end() ? nullptr : &it->second;
}

std::set<std::string, std::less<>> ConsumerGroup::topics_of(const ConsumerMember& member) const {
  std::set<std::string, std::less<>> out(member.topics.begin(), member.topics.end());
  auto resolved = regexes.find(member.regex);
  if (!member.regex.empty() && resolved != regexes.end())
    out.insert(resolved->second.topics.begin(), resolved->second.topics.end());
  return out;
}

bool ConsumerGroup::reads(std::string_view topic) const {
  auto named = [&](const auto& m) {
    return std::ranges::binary_search(m.second.topics, topic, std::less<>());
  };
  auto matched = [&](const auto& r) {
    return std::ranges::binary_search(r.second.topics, topic, std::less<>());
  };
  return std::ranges::any_of(members, named) || std::ranges::any_of(regexes, matched);
}

bool ConsumerGroup::gone() const {
  return !epoch_record && !target_record && !old_topics && members.empty() && currents.empty() &&
         targets.empty() && regexes.empty();
}

std::string_view ConsumerGroup::state_name() const {
  if (members.empty()) return "Empty";
  if (epoch() > target_epoch()) return "Assigning";
  bool all_there = std::ranges::all_of(members, [&](const auto& m) {
    const CurrentAssignment& now = current(m.first);
    return now.state == MemberState::stable && now.epoch == target_epoch();
  });
  return all_there ? "Stable" : "Reconciling";
}

void ConsumerGroup::apply(const ConsumerMemberRecord& record) {
  auto old = members.find(record.member);
  if (old != members.end() && old->second.instance) {
    auto known = statics.find(*old->second.instance);
    if (known != statics.end() && known->second == record.member) statics.erase(known);
  }
  if (!record.value) {
    if (old != members.end()) members.erase(old);
    return;
  }
  members.insert_or_assign(record.member, *record.value);
  if (record.value->instance) statics.insert_or_assign(*record.value->instance, record.member);
}

void ConsumerGroup::apply(const TargetMemberRecord& record) {
  if (record.value)
    targets.insert_or_assign(record.member, *record.value);
  else
    targets.erase(record.member);
}

void ConsumerGroup::apply(const RegexRecord& record) {
  if (record.value)
    regexes.insert_or_assign(record.regex, *record.value);
  else
    regexes.erase(record.regex);
}

void ConsumerGroup::apply(const CurrentRecord& record) {
  auto old = currents.find(record.member);
  if (old != currents.end()) {
    disown(record.member, old->second.assigned);
    disown(record.member, old->second.pending);
  }
  if (!record.value) {
    if (old != currents.end()) currents.erase(old);
    return;
  }
  own(record.member, record.value->epoch, record.value->assigned);
  own(record.member, record.value->epoch, record.value->pending);
  currents.insert_or_assign(record.member, *record.value);
}

void ConsumerGroup::own(const std::string& member, int32_t epoch, const EpochParts& parts) {
  for (const auto& [topic, partitions] : parts)
    for (const auto& [partition, since] : partitions) owners[{topic, partition}] = {member, epoch};
}

// What another one has taken meanwhile stays his.
void ConsumerGroup::disown(const std::string& member, const EpochParts& parts) {
  for (const auto& [topic, partitions] : parts)
    for (const auto& [partition, since] : partitions) {
      auto it = owners.find({topic, partition});
      if (it != owners.end() && it->second.member == member) owners.erase(it);
    }
}

}  // namespace moldau::coordinator::group
