#include "coordinator/group/consumer/reconcile.h"

#include <algorithm>

#include "base/bug.h"

namespace moldau::coordinator::group {

namespace {

// Who has not said what he owns may own anything.
bool may_own(const Reconciling& in, const EpochParts& parts) {
  if (parts.empty()) return false;
  return !in.owned || intersect(*in.owned, parts);
}

// It reads some topics no longer: it is told so at once, whatever else goes on.
CurrentAssignment without_unread(const Reconciling& in, const CurrentAssignment& now) {
  CurrentAssignment next = now;
  EpochParts unread;
  for (const auto& [topic, partitions] : now.assigned)
    if (!in.topics.contains(topic)) unread[topic] = partitions;
  if (unread.empty()) return next;
  for (const auto& [topic, partitions] : unread) {
    next.assigned.erase(topic);
    next.pending[topic].insert(partitions.begin(), partitions.end());
  }
  next.previous = now.epoch;
  if (may_own(in, unread))
    next.state = MemberState::unrevoked;
  else if (now.state != MemberState::unrevoked)
    next.pending.clear();
  return next;
}

CurrentAssignment advance(const Reconciling& in, const CurrentAssignment& now) {
  const ConsumerGroup& group = in.group;
  CurrentAssignment next{.epoch = now.epoch,
                         .previous = now.epoch,
                         .state = MemberState::stable,
                         .assigned = {},
                         .pending = {}};
  const Parts& target = group.target(in.member);
  for (const auto& [topic, partitions] : now.assigned)
    for (const auto& [partition, epoch] : partitions) {
      bool stays = in.topics.contains(topic) && contains(target, topic, partition);
      (stays ? next.assigned : next.pending)[topic][partition] = epoch;
    }
  if (may_own(in, next.pending) && !planted(Bug::consumer_skips_revocation)) {
    next.state = MemberState::unrevoked;
    return next;
  }
  next.pending.clear();
  next.epoch = group.target_epoch();
  for (const auto& [topic, partitions] : target) {
    if (!in.topics.contains(topic)) continue;
    for (int32_t partition : partitions) {
      if (epoch_of(now.assigned, topic, partition)) continue;
      auto owner = group.owners.find({topic, partition});
      bool taken = owner != group.owners.end() && owner->second.member != in.member;
      if (taken && !planted(Bug::consumer_takes_unreleased))
        next.state = MemberState::unreleased;
      else
        next.assigned[topic][partition] = next.epoch;
    }
  }
  return next;
}

}  // namespace

std::optional<CurrentAssignment> reconcile(const Reconciling& in) {
  const CurrentAssignment& now = in.group.current(in.member);
  switch (now.state) {
    case MemberState::unrevoked:
      if (may_own(in, now.pending)) return without_unread(in, now);
      return advance(in, now);
    case MemberState::stable:
      if (now.epoch == in.group.target_epoch()) return without_unread(in, now);
      return advance(in, now);
    case MemberState::unreleased:
      return advance(in, now);
    case MemberState::unknown:
      break;
  }
  if (!in.owned || !in.owned->empty()) return std::nullopt;
  return advance(in, now);
}

bool waits_for_others(const ConsumerGroup& group, const std::string& member) {
  const CurrentAssignment& now = group.current(member);
  for (const auto& [topic, partitions] : group.target(member))
    for (int32_t partition : partitions)
      if (!epoch_of(now.assigned, topic, partition) && group.owners.contains({topic, partition}))
        return true;
  return false;
}

}  // namespace moldau::coordinator::group
