// What members do in a generation: sync, heartbeat, leave.
#include <algorithm>

#include "base/bug.h"
#include "coordinator/group/core.h"

namespace moldau::coordinator::group {

void GroupCore::wake_at(const Step& s, const Member& member, Duration after) {
  timers_.set({Due::session, s.name, member.id}, s.moment.now + after);
}
void GroupCore::alive(Step& s, const Member& member) { wake_at(s, member, member.session_timeout); }

ErrorCode GroupCore::check_sync(const Group& group, const SyncRequest& request) const {
  ErrorCode error = group.check(request.who.member, request.who.instance);
  if (error != ErrorCode::none) return error;
  if (request.who.generation != group.generation && !planted(Bug::group_sync_stale))
    return ErrorCode::illegal_generation;
  bool other_type = request.protocol_type && *request.protocol_type != group.protocol_type;
  bool other = request.protocol && group.protocol && *request.protocol != *group.protocol;
  if (other_type || other) return ErrorCode::inconsistent_group_protocol;
  if (group.phase == Phase::preparing) return ErrorCode::rebalance_in_progress;
  return group.phase == Phase::empty ? ErrorCode::unknown_member_id : ErrorCode::none;
}

void GroupCore::sync(Token token, const SyncRequest& request, Moment moment) {
  if (consumers_.find(request.who.group)) return consumers_.sync(token, request, moment);
  Group* group = find(request.who.group);
  ErrorCode error = ErrorCode::unknown_member_id;
  if (request.who.group.empty())
    error = ErrorCode::invalid_group_id;
  else if (group)
    error = check_sync(*group, request);
  if (error != ErrorCode::none) {
    effects_.syncs.push_back({token, {.error = error}});
    return;
  }
  Step s{request.who.group, *group, moment};
  Member& member = *group->find(request.who.member);
  group->unsynced.erase(member.id);
  if (group->unsynced.empty()) timers_.cancel({Due::sync, s.name, ""});
  if (group->phase == Phase::stable) {
    alive(s, member);
    effects_.syncs.push_back({token, assignment_of(s, member.id), true});
    return;
  }
  if (member.syncing)  // an older request, overtaken by this one
    effects_.syncs.push_back({*member.syncing, {.error = ErrorCode::rebalance_in_progress}});
  member.syncing = token;
  if (group->is_leader(member.id)) complete_sync(s, request.assignments);
}

SyncAnswer GroupCore::assignment_of(const Step& s, const std::string& member) const {
  SyncAnswer answer{.protocol_type = s.group.protocol_type, .protocol = s.group.protocol};
  const StoredGroup* stored = state_.stored(s.name);
  const StoredMember* part = stored ? stored->find(member) : nullptr;
  if (part) answer.assignment = part->assignment;
  return answer;
}

void GroupCore::complete_sync(Step& s, const std::vector<Assignment>& assignments) {
  Group& group = s.group;
  if (!put_group(s, assignments)) {
    cancel_syncs(s, ErrorCode::unknown_server_error);  // larger than a record may be
    return prepare(s);
  }
  group.phase = Phase::stable;
  for (auto& [id, member] : group.members) {
    if (!member.syncing) continue;
    effects_.syncs.push_back({*member.syncing, assignment_of(s, id), true});
    member.syncing.reset();
    alive(s, member);
  }
}

ErrorCode GroupCore::heartbeat(const Speaker& who, Moment moment) {
  if (who.group.empty()) return ErrorCode::invalid_group_id;
  if (consumers_.find(who.group)) return consumers_.heartbeat(who, moment);
  Group* group = find(who.group);
  if (!group) return ErrorCode::unknown_member_id;
  ErrorCode error = group->check(who.member, who.instance);
  if (error != ErrorCode::none) return error;
  if (who.generation != group->generation) return ErrorCode::illegal_generation;
  Step s{who.group, *group, moment};
  alive(s, *group->find(who.member));
  return group->phase == Phase::preparing ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

ErrorCode GroupCore::leave_one(Step& s, const LeavingMember& leaving, bool& removed) {
  Group& group = s.group;
  std::string id = leaving.member;
  if (id.empty() && leaving.instance) {
    // An administrator takes a static member out, whatever its id.
    auto known = group.statics.find(*leaving.instance);
    if (known == group.statics.end()) return ErrorCode::unknown_member_id;
    id = known->second;
  } else if (group.promised.contains(id)) {
    if (leaving.instance) return ErrorCode::unknown_server_error;
    group.promised.erase(id);
    timers_.cancel({Due::session, s.name, id});
    removed = true;
    return ErrorCode::none;
  } else {
    ErrorCode error = group.check(id, leaving.instance);
    if (error != ErrorCode::none) return error;
  }
  remove_member(s, id);
  removed = true;
  return ErrorCode::none;
}

LeaveAnswer GroupCore::leave(const std::string& name, const std::vector<LeavingMember>& members,
                             Moment moment) {
  if (name.empty()) return {ErrorCode::invalid_group_id, {}};
  if (consumers_.find(name)) {
    LeaveAnswer left = consumers_.leave(name, members, moment);
    settle_released(moment);
    return left;
  }
  LeaveAnswer answer;
  Group* group = find(name);
  if (!group) {
    answer.members.assign(members.size(), ErrorCode::unknown_member_id);
    return answer;
  }
  Step s{name, *group, moment};
  size_t before = group->members.size();
  bool removed = false;
  for (const LeavingMember& one : members) answer.members.push_back(leave_one(s, one, removed));
  if (!removed) return answer;
  if (group->members.size() != before)
    after_removal(s);
  else
    complete_if_all_joined(s);
  return answer;
}

}  // namespace moldau::coordinator::group
