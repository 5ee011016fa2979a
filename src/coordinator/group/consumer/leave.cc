// How members go: by themselves, for a while, or because they were silent for too long. And what
// becomes of a group whose members all speak the classic protocol.
#include <fmt/format.h>

#include <algorithm>

#include "coordinator/group/consumer/core.h"

namespace moldau::coordinator::group {

ConsumerAnswer ConsumerGroups::leave(const ConsumerHeartbeat& r, Moment moment) {
  const ConsumerGroup* g = find(r.group);
  auto refused = [](ErrorCode error, std::string message) {
    return ConsumerAnswer{.refusal = {error, std::move(message)}};
  };
  if (!g)
    return refused(ErrorCode::group_id_not_found, fmt::format("Group {} not found.", r.group));
  if (r.instance) {
    const std::string* known = g->static_member(*r.instance);
    if (!known)
      return refused(ErrorCode::unknown_member_id,
                     fmt::format("Instance id {} is unknown.", *r.instance));
    if (*known != r.member)
      return refused(ErrorCode::fenced_instance_id,
                     fmt::format("Static member {} with instance id {} was fenced by member {}.",
                                 r.member, *r.instance, *known));
  } else if (!g->find(r.member)) {
    return refused(ErrorCode::unknown_member_id,
                   fmt::format("Member {} is not a member of group {}.", r.member, r.group));
  }
  if (r.epoch == kLeavingForAWhile)
    go_away(r.group, r.member);
  else
    fence(r.group, {r.member}, moment);
  return {.member = r.member, .epoch = r.epoch};
}

// Its part is kept for it until its session ends.
void ConsumerGroups::go_away(const std::string& name, const std::string& member) {
  CurrentAssignment away = group(name).current(member);
  away.epoch = kLeavingForAWhile;
  away.state = MemberState::stable;
  away.pending.clear();
  put(CurrentRecord{name, member, std::move(away)});
  timers_.cancel({Due::rebalance, name, member});
}

void ConsumerGroups::forget_member(const std::string& name, const std::string& member) {
  put(CurrentRecord{name, member, std::nullopt});
  put(TargetMemberRecord{name, member, std::nullopt});
  put(ConsumerMemberRecord{name, member, std::nullopt});
  cancel_timers(name, member);
}

void ConsumerGroups::fence(const std::string& name, const std::vector<std::string>& members,
                           Moment moment) {
  for (const std::string& member : members) forget_member(name, member);
  if (members.empty() || release_if_classic(name, moment)) return;
  drop_unused_regexes(name);
  raise_epoch(name, true);
}

void ConsumerGroups::remove(const std::string& name) {
  const ConsumerGroup copy = group(name);
  for (const auto& [member, said] : copy.members) forget_member(name, member);
  for (const auto& [member, parts] : copy.targets)
    if (!copy.find(member)) put(TargetMemberRecord{name, member, std::nullopt});
  for (const auto& [member, current] : copy.currents)
    if (!copy.find(member)) put(CurrentRecord{name, member, std::nullopt});
  for (const auto& [regex, resolved] : copy.regexes) put(RegexRecord{name, regex, std::nullopt});
  put(TargetEpochRecord{name, std::nullopt});
  put(OldTopicsRecord{name, false});
  put(GroupEpochRecord{name, std::nullopt});
  memory_.erase(name);
}

bool ConsumerGroups::release_if_classic(const std::string& name, Moment moment) {
  bool may = config_.migration == MigrationPolicy::downgrade ||
             config_.migration == MigrationPolicy::bidirectional;
  const ConsumerGroup& g = group(name);
  bool all = !g.members.empty() && std::ranges::all_of(g.members, [](const auto& m) {
    return m.second.classic && !m.second.classic->protocols.empty();
  });
  if (!may || !all) return false;
  StoredGroup stored{.protocol_type = "consumer",
                     .generation = g.epoch(),
                     .protocol = common_protocol(g),
                     .leader = g.members.begin()->first,
                     .since_millis = moment.wall.millis,
                     .members = {}};
  std::map<std::string, std::vector<Protocol>> protocols;
  for (const auto& [id, member] : g.members) {
    auto chosen = std::ranges::find(member.classic->protocols, *stored.protocol, &Protocol::name);
    bool has = chosen != member.classic->protocols.end();
    stored.members.push_back({.id = id,
                              .instance_id = member.instance,
                              .client_id = member.client_id,
                              .client_host = member.client_host,
                              .rebalance_millis = member.rebalance_millis,
                              .session_millis = member.classic->session_millis,
                              .subscription = has ? chosen->metadata : std::string(),
                              .assignment = assignment_bytes(g, id)});
    protocols[id] = member.classic->protocols;
  }
  remove(name);
  released_.push_back({name, std::move(stored), std::move(protocols)});
  return true;
}

}  // namespace moldau::coordinator::group
