#include "coordinator/group/core.h"

#include <algorithm>

namespace moldau::coordinator::group {

Group* GroupCore::find(std::string_view name) {
  auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : &it->second;
}
const Group* GroupCore::group(std::string_view name) const {
  auto it = groups_.find(name);
  return it == groups_.end() ? nullptr : &it->second;
}

// A group that the last run of a coordinator left behind: its members are given one session to be
// heard of again.
void GroupCore::restore(const std::string& name, const StoredGroup& stored, Moment moment) {
  Group& group = groups_[name];
  group.protocol_type = stored.protocol_type;
  group.generation = stored.generation;
  if (stored.members.empty()) return;
  group.phase = Phase::stable;
  group.protocol = stored.protocol.value_or("");
  for (const StoredMember& m : stored.members) {
    Member& member = group.members[m.id];
    member.id = m.id;
    member.instance = m.instance_id;
    member.client_id = m.client_id;
    member.client_host = m.client_host;
    member.session_timeout = milliseconds(m.session_millis);
    member.rebalance_timeout = milliseconds(m.rebalance_millis);
    member.protocols = {{*group.protocol, m.subscription}};
    if (m.instance_id) group.statics[*m.instance_id] = m.id;
  }
  group.leader = stored.leader.value_or("");
  if (!group.members.contains(*group.leader)) group.leader = group.members.begin()->first;
  group.read_topics();
  Step s{name, group, moment};
  for (const auto& [id, member] : group.members) wake_at(s, member, member.session_timeout);
  if (group.members.size() > config_.max_size) prepare(s);
}

void GroupCore::loaded(Moment moment) {
  for (const auto& [name, kept] : state_.groups()) {
    if (kept.consumer) continue;
    if (kept.group)
      restore(name, *kept.group, moment);
    else
      groups_.try_emplace(name);
  }
  consumers_.loaded(moment);
}

void GroupCore::unload(ErrorCode error) {
  for (auto& [name, group] : groups_) {
    for (auto& [id, member] : group.members) {
      if (member.joining) refuse_join(*member.joining, error, id);
      if (member.syncing) effects_.syncs.push_back({*member.syncing, {.error = error}});
    }
  }
  effects_.records.clear();
  groups_.clear();
  timers_.clear();
  consumers_.unload();
  state_ = State();
}

// The group as it is now, with these assignments.
bool GroupCore::put_group(Step& s, const std::vector<Assignment>& assignments) {
  const Group& group = s.group;
  std::map<std::string_view, const std::string*> parts;
  for (const Assignment& one : assignments) parts[one.member] = &one.bytes;
  StoredGroup stored{.protocol_type = group.protocol_type,
                     .generation = group.generation,
                     .protocol = group.protocol,
                     .leader = group.leader,
                     .since_millis = s.moment.wall.millis,
                     .members = {}};
  for (const auto& [id, member] : group.members) {
    const std::string* metadata = group.protocol ? member.metadata(*group.protocol) : nullptr;
    auto part = parts.find(id);
    stored.members.push_back(
        {.id = id,
         .instance_id = member.instance,
         .client_id = member.client_id,
         .client_host = member.client_host,
         .rebalance_millis = static_cast<int32_t>(member.rebalance_timeout.millis()),
         .session_millis = static_cast<int32_t>(member.session_timeout.millis()),
         .subscription = metadata ? *metadata : std::string(),
         .assignment = part == parts.end() ? std::string() : *part->second});
  }
  return put(GroupRecord{s.name, std::move(stored)});
}

// Nothing is left of it, neither kept nor in memory.
void GroupCore::drop_if_gone(const std::string& name) {
  Group* group = find(name);
  bool idle = group && group->members.empty() && group->promised.empty();
  if (idle && !state_.find(name)) groups_.erase(name);
}

void GroupCore::tick(Moment moment) {
  while (std::optional<TimerKey> key = timers_.take(moment.now)) {
    Group* group = find(key->group);
    if (!group) continue;
    Step s{key->group, *group, moment};
    switch (key->due) {
      case Due::session:
        on_session_due(s, key->member);
        break;
      case Due::join:
        on_join_due(s);
        break;
      case Due::sync:
        on_sync_due(s);
        break;
    }
  }
  consumers_.tick(moment);
  settle_released(moment);
}

}  // namespace moldau::coordinator::group
