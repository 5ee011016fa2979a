// From one generation to the next: who is waited for, how long, and what follows.
#include <algorithm>

#include "coordinator/group/core.h"

namespace moldau::coordinator::group {

void GroupCore::rebalance_or_complete(Step& s) {
  if (s.group.phase == Phase::preparing)
    complete_if_all_joined(s);
  else
    prepare(s);
}

// Everybody is to join again.
void GroupCore::prepare(Step& s) {
  Group& group = s.group;
  if (group.phase == Phase::completing) cancel_syncs(s, ErrorCode::rebalance_in_progress);
  group.initial = group.phase == Phase::empty;
  group.phase = Phase::preparing;
  group.unsynced.clear();
  timers_.cancel({Due::sync, s.name, ""});
  TimerKey due{Due::join, s.name, ""};
  if (group.initial) {
    // The others of a group that starts are probably on their way: one rebalance instead of many.
    Duration delay = config_.initial_rebalance_delay;
    group.more_came = false;
    group.initial_left = std::max(group.rebalance_timeout() - delay, Duration());
    timers_.set(due, s.moment.now + delay);
    return;
  }
  timers_.set(due, s.moment.now + group.rebalance_timeout());
  complete_if_all_joined(s);
}

void GroupCore::complete_if_all_joined(Step& s) {
  if (s.group.phase == Phase::preparing && !s.group.initial && s.group.all_joined())
    complete_join(s);
}

void GroupCore::on_join_due(Step& s) {
  Group& group = s.group;
  if (group.phase != Phase::preparing) return;
  if (!group.initial || !group.more_came || group.initial_left == Duration())
    return complete_join(s);
  group.more_came = false;
  Duration delay = std::min(config_.initial_rebalance_delay, group.initial_left);
  group.initial_left = std::max(group.initial_left - delay, Duration());
  timers_.set({Due::join, s.name, ""}, s.moment.now + delay);
}

// Those who have not joined in time are out, but for static ones: they may be away for as long as
// their session lasts.
void GroupCore::remove_absent(Step& s) {
  std::vector<std::string> absent;
  for (const auto& [id, member] : s.group.members)
    if (!member.joining && !member.instance) absent.push_back(id);
  for (const std::string& id : absent) remove_member(s, id);
}

// False: nobody who has joined could lead.
bool GroupCore::elect(Group& group) {
  Member* leader = group.leader ? group.find(*group.leader) : nullptr;
  if (leader && leader->joining) return true;
  auto next = std::ranges::find_if(group.members,
                                   [](const auto& m) { return m.second.joining.has_value(); });
  if (next == group.members.end()) return false;
  group.leader = next->first;
  return true;
}

void GroupCore::complete_join(Step& s) {
  Group& group = s.group;
  timers_.cancel({Due::join, s.name, ""});
  group.initial = false;
  remove_absent(s);
  if (!group.members.empty() && !elect(group)) {
    // Only static members that are away: they are waited for.
    timers_.set({Due::join, s.name, ""}, s.moment.now + group.rebalance_timeout());
    return;
  }
  begin_generation(s);
}

void GroupCore::begin_generation(Step& s) {
  Group& group = s.group;
  group.generation++;
  if (group.members.empty()) {
    group.phase = Phase::empty;
    group.protocol.reset();
    group.leader.reset();
    group.topics.reset();
    put_group(s, {});
    return;
  }
  group.protocol = group.vote();
  group.phase = Phase::completing;
  group.read_topics();
  group.unsynced.clear();
  for (auto& [id, member] : group.members) {
    JoinAnswer answer = generation_of(group, id);
    if (group.is_leader(id)) answer.members = group.joined();
    answer_join(member, std::move(answer));
    member.is_new = false;
    alive(s, member);
    group.unsynced.insert(id);
  }
  timers_.set({Due::sync, s.name, ""}, s.moment.now + group.rebalance_timeout());
}

// Some never came for their part: without them, again.
void GroupCore::on_sync_due(Step& s) {
  Group& group = s.group;
  if (group.phase != Phase::completing && group.phase != Phase::stable) return;
  std::vector<std::string> silent(group.unsynced.begin(), group.unsynced.end());
  if (silent.empty()) return;
  for (const std::string& id : silent) remove_member(s, id);
  prepare(s);
}

void GroupCore::on_session_due(Step& s, const std::string& id) {
  Group& group = s.group;
  if (group.promised.erase(id) > 0) {
    complete_if_all_joined(s);
    drop_if_gone(s.name);
    return;
  }
  Member* member = group.find(id);
  if (!member) return;
  // Who waits for us is not silent.
  bool waits = member->joining || member->syncing;
  if (waits && !member->is_new) return;
  remove_member(s, id);
  after_removal(s);
}

void GroupCore::remove_member(Step& s, const std::string& id) {
  Group& group = s.group;
  Member* member = group.find(id);
  if (!member) return;
  answer_join(*member, {.error = ErrorCode::unknown_member_id});
  if (member->syncing)
    effects_.syncs.push_back({*member->syncing, {.error = ErrorCode::unknown_member_id}});
  timers_.cancel({Due::session, s.name, id});
  if (member->instance) group.statics.erase(*member->instance);
  group.unsynced.erase(id);
  group.members.erase(id);
  if (!group.is_leader(id)) return;
  group.leader.reset();
  if (!group.members.empty()) group.leader = group.members.begin()->first;
}

// Their partitions are free for the others.
void GroupCore::after_removal(Step& s) {
  Phase phase = s.group.phase;
  if (phase == Phase::stable || phase == Phase::completing)
    prepare(s);
  else
    complete_if_all_joined(s);
}

void GroupCore::cancel_syncs(Step& s, ErrorCode error) {
  for (auto& [id, member] : s.group.members) {
    if (!member.syncing) continue;
    effects_.syncs.push_back({*member.syncing, {.error = error}});
    member.syncing.reset();
    alive(s, member);
  }
}

}  // namespace moldau::coordinator::group
