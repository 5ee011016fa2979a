// Members that speak the classic protocol inside of a consumer group: each is led to its target
// like the others, by joining again whenever there is something to give up or to get.
#include <algorithm>

#include "coordinator/group/consumer/core.h"
#include "coordinator/group/consumer/protocol_bytes.h"
#include "coordinator/group/consumer/reconcile.h"

namespace moldau::coordinator::group {

namespace {

bool has_protocol(const std::vector<Protocol>& protocols, std::string_view name) {
  return std::ranges::find(protocols, name, &Protocol::name) != protocols.end();
}

bool is_behind(const ConsumerGroup& g, const std::string& member) {
  return g.current(member).epoch < g.target_epoch();
}

}  // namespace

// All classic members have it. There are some, or it is empty.
std::string ConsumerGroups::common_protocol(const ConsumerGroup& g) {
  const std::vector<Protocol>* first = nullptr;
  for (const auto& [id, member] : g.members)
    if (member.classic && !first) first = &member.classic->protocols;
  if (!first) return {};
  for (const Protocol& p : *first)
    if (std::ranges::all_of(g.members, [&](const auto& m) {
          return !m.second.classic || has_protocol(m.second.classic->protocols, p.name);
        }))
      return p.name;
  return first->empty() ? std::string() : first->front().name;
}

void ConsumerGroups::refuse_join(Token token, ErrorCode error, const std::string& member) {
  ledger_.effects.joins.push_back({token, {.error = error, .member = member}});
}

ErrorCode ConsumerGroups::check_join(const JoinRequest& r) const {
  if (r.protocol_type != "consumer" || r.protocols.empty())
    return ErrorCode::inconsistent_group_protocol;
  const ConsumerGroup& g = group(r.group);
  bool fits = std::ranges::any_of(r.protocols, [&](const Protocol& p) {
    return std::ranges::all_of(g.members, [&](const auto& m) {
      return !m.second.classic || has_protocol(m.second.classic->protocols, p.name);
    });
  });
  return fits ? ErrorCode::none : ErrorCode::inconsistent_group_protocol;
}

ErrorCode ConsumerGroups::admit_classic(const JoinRequest& r, Step& s) const {
  const ConsumerGroup& g = group(r.group);
  if (r.instance) {
    const std::string* known = g.static_member(*r.instance);
    if (!r.member.empty()) {
      if (!known) return ErrorCode::unknown_member_id;
      if (*known != r.member) return ErrorCode::fenced_instance_id;
    }
    if (!known) return ErrorCode::none;
    s.old = *g.find(*known);
    if (*known != s.id) s.replaces = *known;
  } else if (const ConsumerMember* old = g.find(s.id)) {
    s.old = *old;
  }
  return ErrorCode::none;
}

void ConsumerGroups::join(Token token, const JoinRequest& r, Moment moment) {
  if (room_for(r.group, r.member)) return refuse_join(token, ErrorCode::group_max_size_reached, "");
  if (ErrorCode error = check_join(r); error != ErrorCode::none)
    return refuse_join(token, error, r.member);
  bool is_new = r.member.empty();
  if (r.needs_member_id && is_new && !r.instance)
    return refuse_join(token, ErrorCode::member_id_required, r.unique.to_string());
  std::optional<Subscription> said = read_subscription(r.protocols.front().metadata, *topics_);
  if (!said) return refuse_join(token, ErrorCode::unknown_server_error, "");
  std::optional<Parts> owned = said->owned;
  Step s{.name = r.group,
         .id = is_new ? r.unique.to_string() : r.member,
         .owned = owned,
         .moment = moment};
  if (ErrorCode error = admit_classic(r, s); error != ErrorCode::none)
    return refuse_join(token, error, r.member);
  s.said = {.instance = r.instance,
            .rack = said->rack,
            .client_id = r.client_id,
            .client_host = r.client_host,
            .topics = said->topics,
            .regex = {},
            .rebalance_millis = static_cast<int32_t>(r.rebalance_timeout.millis()),
            .assignor = std::nullopt,
            .classic = ClassicSide{static_cast<int32_t>(r.session_timeout.millis()), r.protocols}};
  if (Refusal no = go_on(s)) return refuse_join(token, no.error, r.member);
  timers_.cancel({Due::rejoin, s.name, s.id});
  timers_.set({Due::sync, s.name, s.id}, moment.now + r.rebalance_timeout);
  JoinAnswer answer{.generation = group(s.name).current(s.id).epoch,
                    .protocol_type = "consumer",
                    .protocol = r.protocols.front().name,
                    .member = s.id};
  ledger_.effects.joins.push_back({token, std::move(answer), true});
}

void ConsumerGroups::make_way(const JoinRequest& r, Moment moment) {
  if (!r.instance || !r.member.empty() || check_join(r) != ErrorCode::none) return;
  const ConsumerGroup& g = group(r.group);
  const std::string* known = g.static_member(*r.instance);
  if (!known || g.members.size() < 2) return;
  bool others_are_classic = std::ranges::all_of(
      g.members, [&](const auto& m) { return m.first == *known || m.second.classic; });
  if (!others_are_classic || g.find(*known)->classic) return;
  bool may = config_.migration == MigrationPolicy::downgrade ||
             config_.migration == MigrationPolicy::bidirectional;
  std::string old = *known;
  if (may) fence(r.group, {old}, moment);
}

ErrorCode ConsumerGroups::check_speaker(const ConsumerGroup& g, const Speaker& who) const {
  if (who.instance) {
    const std::string* known = g.static_member(*who.instance);
    if (!known) return ErrorCode::unknown_member_id;
    if (*known != who.member) return ErrorCode::fenced_instance_id;
  }
  const ConsumerMember* member = g.find(who.member);
  if (!member || !member->classic) return ErrorCode::unknown_member_id;
  bool same = g.current(who.member).epoch == who.generation;
  return same ? ErrorCode::none : ErrorCode::illegal_generation;
}

void ConsumerGroups::expect_rejoin(const Speaker& who, Moment moment) {
  const ConsumerMember& member = *group(who.group).find(who.member);
  // From when it was told first.
  TimerKey due{Due::rejoin, who.group, who.member};
  if (!timers_.is_set(due)) timers_.set(due, moment.now + milliseconds(member.rebalance_millis));
}

void ConsumerGroups::sync(Token token, const SyncRequest& r, Moment moment) {
  const ConsumerGroup& g = group(r.who.group);
  auto refuse = [&](ErrorCode error) {
    ledger_.effects.syncs.push_back({token, {.error = error}});
  };
  ErrorCode error = check_speaker(g, r.who);
  if (error != ErrorCode::none) return refuse(error);
  const ConsumerMember& member = *g.find(r.who.member);
  bool other_type = r.protocol_type && *r.protocol_type != "consumer";
  bool other = r.protocol && !has_protocol(member.classic->protocols, *r.protocol);
  if (other_type || other) return refuse(ErrorCode::inconsistent_group_protocol);
  bool giving_up = g.current(r.who.member).state == MemberState::unrevoked;
  if (is_behind(g, r.who.member) && !giving_up) {
    expect_rejoin(r.who, moment);
    return refuse(ErrorCode::rebalance_in_progress);
  }
  timers_.cancel({Due::sync, r.who.group, r.who.member});
  alive(r.who.group, r.who.member, moment);
  SyncAnswer answer{.protocol_type = "consumer",
                    .protocol = member.classic->protocols.front().name,
                    .assignment = assignment_bytes(g, r.who.member)};
  ledger_.effects.syncs.push_back({token, std::move(answer), true});
}

ErrorCode ConsumerGroups::heartbeat(const Speaker& who, Moment moment) {
  const ConsumerGroup& g = group(who.group);
  ErrorCode error = check_speaker(g, who);
  if (error != ErrorCode::none) return error;
  alive(who.group, who.member, moment);
  MemberState state = g.current(who.member).state;
  bool may_get_more = state == MemberState::unreleased && !waits_for_others(g, who.member);
  bool must = is_behind(g, who.member) || state == MemberState::unrevoked || may_get_more;
  if (!must) return ErrorCode::none;
  expect_rejoin(who, moment);
  return ErrorCode::rebalance_in_progress;
}

LeaveAnswer ConsumerGroups::leave(const std::string& name,
                                  const std::vector<LeavingMember>& members, Moment moment) {
  const ConsumerGroup& g = group(name);
  LeaveAnswer answer;
  std::vector<std::string> going;
  for (const LeavingMember& one : members) {
    std::string id = one.member;
    ErrorCode error = ErrorCode::none;
    if (one.instance) {
      const std::string* known = g.static_member(*one.instance);
      if (!known)
        error = ErrorCode::unknown_member_id;
      else if (!id.empty() && *known != id)
        error = ErrorCode::fenced_instance_id;
      else
        id = *known;
    } else if (!g.find(id)) {
      error = ErrorCode::unknown_member_id;
    }
    bool twice = std::ranges::find(going, id) != going.end();
    if (error == ErrorCode::none && !twice) going.push_back(id);
    answer.members.push_back(error);
  }
  fence(name, going, moment);
  return answer;
}

// As the member's own version has it.
std::string ConsumerGroups::assignment_bytes(const ConsumerGroup& g,
                                             const std::string& member) const {
  const ConsumerMember& said = *g.find(member);
  std::optional<Subscription> subscription =
      read_subscription(said.classic->protocols.front().metadata, *topics_);
  return write_assignment(without_epochs(g.current(member).assigned),
                          subscription ? subscription->version : int16_t{0}, *topics_);
}

std::optional<ConsumerGroups::Adopted> ConsumerGroups::as_consumer(
    const Member& member, const std::string& metadata, const StoredMember* stored) const {
  std::optional<Subscription> said = read_subscription(metadata, *topics_);
  if (!said) return std::nullopt;
  Adopted out{
      .id = member.id,
      .member = {.instance = member.instance,
                 .rack = said->rack,
                 .client_id = member.client_id,
                 .client_host = member.client_host,
                 .topics = said->topics,
                 .regex = {},
                 .rebalance_millis = static_cast<int32_t>(member.rebalance_timeout.millis()),
                 .assignor = std::nullopt,
                 .classic = ClassicSide{static_cast<int32_t>(member.session_timeout.millis()),
                                        member.protocols}},
      .parts = {}};
  if (stored) out.parts = read_assignment(stored->assignment, *topics_);
  return out;
}

void ConsumerGroups::adopt(const std::string& name, int32_t generation,
                           const std::vector<Adopted>& members, Moment moment) {
  for (const Adopted& one : members) put(ConsumerMemberRecord{name, one.id, one.member});
  put(GroupEpochRecord{name, GroupEpoch{generation, hash_of(group(name))}});
  for (const Adopted& one : members) put(TargetMemberRecord{name, one.id, one.parts});
  put(TargetEpochRecord{name, TargetEpoch{generation, 0}});
  for (const Adopted& one : members) {
    CurrentAssignment current{.epoch = generation, .previous = generation};
    for (const auto& [topic, partitions] : one.parts)
      for (int32_t p : partitions) current.assigned[topic][p] = generation;
    put(CurrentRecord{name, one.id, std::move(current)});
    alive(name, one.id, moment);
  }
}

}  // namespace moldau::coordinator::group
