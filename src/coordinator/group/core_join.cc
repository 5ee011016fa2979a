// JoinGroup: who may come in, and as whom.
#include "coordinator/group/core.h"

#include <fmt/format.h>

#include "base/bug.h"

namespace moldau::coordinator::group {

namespace {

// As Java prints a UUID; clients and tools show member ids, and expect them to look like that.
std::string spelled(const Uuid& id) {
  std::string out;
  for (size_t i = 0; i < id.bytes.size(); i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    fmt::format_to(std::back_inserter(out), "{:02x}", id.bytes[i]);
  }
  return out;
}

std::string new_member_id(const JoinRequest& request) {
  return request.instance.value_or(request.client_id) + "-" + spelled(request.unique);
}

}  // namespace

void GroupCore::refuse_join(Token token, ErrorCode error, const std::string& member) {
  effects_.joins.push_back({token, {.error = error, .member = member}});
}

void GroupCore::answer_join(Member& member, JoinAnswer answer) {
  if (!member.joining) return;
  effects_.joins.push_back({*member.joining, std::move(answer)});
  member.joining.reset();
}

// What a member is told of the generation that is there.
JoinAnswer GroupCore::generation_of(const Group& group, const std::string& member) const {
  return {.generation = group.generation,
          .protocol_type = group.protocol_type,
          .protocol = group.protocol,
          .leader = group.leader.value_or(""),
          .member = member};
}

void GroupCore::join(Token token, const JoinRequest& request, Moment moment) {
  if (request.group.empty()) return refuse_join(token, ErrorCode::invalid_group_id, request.member);
  if (request.session_timeout < config_.min_session_timeout ||
      request.session_timeout > config_.max_session_timeout)
    return refuse_join(token, ErrorCode::invalid_session_timeout, request.member);
  if (const ConsumerGroup* consumers = consumers_.find(request.group)) {
    bool empty = consumers->members.empty();
    if (empty && !request.member.empty())
      return refuse_join(token, ErrorCode::unknown_member_id, request.member);
    if (empty)
      consumers_.remove(request.group);
    else
      consumers_.make_way(request, moment);
    settle_released(moment);
    if (consumers_.find(request.group)) return consumers_.join(token, request, moment);
  }
  Group* group = find(request.group);
  if (!group && !request.member.empty())
    return refuse_join(token, ErrorCode::unknown_member_id, request.member);
  bool made = !group;
  if (!group) group = &groups_[request.group];
  Step s{request.group, *group, moment};
  if (made) put(GroupRecord{request.group, StoredGroup{.since_millis = moment.wall.millis}});
  admit(token, request, s);
}

bool GroupCore::has_room(const Group& group, std::string_view member) const {
  auto it = group.members.find(member);
  bool is_in = it != group.members.end();
  switch (group.phase) {
    case Phase::empty:
      return true;
    case Phase::preparing:
      return (is_in && it->second.joining) || group.joining() < config_.max_size;
    case Phase::completing:
    case Phase::stable:
      return is_in || group.members.size() < config_.max_size;
  }
  return true;
}

void GroupCore::admit(Token token, const JoinRequest& request, Step& s) {
  if (!has_room(s.group, request.member)) {
    if (s.group.members.contains(request.member)) remove_member(s, request.member);
    return refuse_join(token, ErrorCode::group_max_size_reached, "");
  }
  if (!s.group.fits(request.protocol_type, request.protocols))
    return refuse_join(token, ErrorCode::inconsistent_group_protocol, request.member);
  if (request.member.empty())
    join_new(token, request, s);
  else
    join_again(token, request, s);
}

void GroupCore::join_new(Token token, const JoinRequest& request, Step& s) {
  std::string id = new_member_id(request);
  if (request.instance) {
    auto known = s.group.statics.find(*request.instance);
    if (known != s.group.statics.end() && !planted(Bug::group_static_twice))
      return replace_static(token, request, known->second, id, s);
    return add_member(token, request, id, s);
  }
  if (!request.needs_member_id) return add_member(token, request, id, s);
  // A client that joins and is gone again shall not be waited for: it is a member when it comes
  // back with this id (KIP-394).
  s.group.promised.insert(id);
  timers_.set({Due::session, s.name, id}, s.moment.now + request.session_timeout);
  refuse_join(token, ErrorCode::member_id_required, id);
}

void GroupCore::join_again(Token token, const JoinRequest& request, Step& s) {
  Group& group = s.group;
  if (group.promised.contains(request.member)) {
    if (request.instance)
      return refuse_join(token, ErrorCode::unknown_server_error, request.member);
    return add_member(token, request, request.member, s);
  }
  ErrorCode error = group.check(request.member, request.instance);
  if (error != ErrorCode::none) return refuse_join(token, error, request.member);
  Member& member = *group.find(request.member);
  bool same = member.protocols == request.protocols;
  bool told_again = (group.phase == Phase::completing && same) ||
                    (group.phase == Phase::stable && same && !group.is_leader(member.id));
  if (!told_again) return update_member(token, request, member, s);
  // Its answer was lost, or it does not know that nothing has changed.
  JoinAnswer answer = generation_of(group, member.id);
  if (group.phase == Phase::completing && group.is_leader(member.id))
    answer.members = group.joined();
  effects_.joins.push_back({token, std::move(answer)});
}

void GroupCore::add_member(Token token, const JoinRequest& request, const std::string& id,
                           Step& s) {
  Group& group = s.group;
  if (group.members.empty()) group.protocol_type = request.protocol_type;
  Member& member = group.members[id];
  member.id = id;
  member.instance = request.instance;
  member.client_id = request.client_id;
  member.client_host = request.client_host;
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.protocols = request.protocols;
  member.joining = token;
  member.is_new = true;
  if (!group.leader) group.leader = id;
  if (group.phase == Phase::preparing && group.initial) group.more_came = true;
  if (request.instance)
    group.statics[*request.instance] = id;
  else
    group.promised.erase(id);
  wake_at(s, member, config_.first_join_timeout);
  rebalance_or_complete(s);
}

void GroupCore::update_member(Token token, const JoinRequest& request, Member& member, Step& s) {
  // An older request of the same member is overtaken by this one.
  answer_join(member, {.error = ErrorCode::rebalance_in_progress, .member = member.id});
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.protocols = request.protocols;
  member.joining = token;
  rebalance_or_complete(s);
}

// A static member has come back, without the id that it had: the older one is fenced, the group's
// assignment stays if it can.
void GroupCore::replace_static(Token token, const JoinRequest& request, std::string old_id,
                               const std::string& id, Step& s) {
  Group& group = s.group;
  std::string old_leader = group.leader.value_or("");
  auto node = group.members.extract(old_id);
  Member& old = node.mapped();
  answer_join(old, {.error = ErrorCode::fenced_instance_id, .member = old_id});
  if (old.syncing) {
    effects_.syncs.push_back({*old.syncing, {.error = ErrorCode::fenced_instance_id}});
    old.syncing.reset();
  }
  node.key() = id;
  old.id = id;
  Member& member = group.members.insert(std::move(node)).position->second;
  group.statics[*request.instance] = id;
  group.unsynced.erase(old_id);
  if (group.is_leader(old_id)) group.leader = id;
  timers_.cancel({Due::session, s.name, old_id});
  member.session_timeout = request.session_timeout;
  member.rebalance_timeout = request.rebalance_timeout;
  member.protocols = request.protocols;
  wake_at(s, member, member.session_timeout);
  if (group.phase == Phase::stable && group.vote() == group.protocol) {
    // Its part of the assignment goes with it.
    std::vector<Assignment> parts;
    if (const StoredGroup* stored = state_.stored(s.name))
      for (const StoredMember& m : stored->members)
        parts.push_back({m.id == old_id ? id : m.id, m.assignment});
    if (put_group(s, parts)) return answer_replaced(token, request, old_leader, id, s);
  }
  member.joining = token;
  if (group.phase == Phase::preparing)
    complete_if_all_joined(s);
  else
    prepare(s);
}

// Before version 9 a leader cannot be told that there is nothing to assign. So it hears of its
// older self as the leader, and takes its part as the others do.
void GroupCore::answer_replaced(Token token, const JoinRequest& request,
                                const std::string& old_leader, const std::string& id, Step& s) {
  JoinAnswer answer = generation_of(s.group, id);
  if (!request.may_skip) {
    answer.leader = old_leader;
  } else if (s.group.is_leader(id)) {
    answer.skip_assignment = true;
    answer.members = s.group.joined();
  }
  effects_.joins.push_back({token, std::move(answer), true});
}

}  // namespace moldau::coordinator::group
