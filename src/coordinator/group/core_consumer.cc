// Where the two protocols meet: heartbeats of the consumer protocol, and groups that go over from
// one to the other while they live.
#include <fmt/format.h>

#include "coordinator/group/consumer/protocol_bytes.h"
#include "coordinator/group/core.h"

namespace moldau::coordinator::group {

ConsumerAnswer GroupCore::consumer_heartbeat(const ConsumerHeartbeat& request, Moment moment) {
  Refusal no = consumers_.check(request);
  if (!no && !consumers_.find(request.group)) no = make_room_for_consumer(request, moment);
  if (no) return {.refusal = std::move(no)};
  ConsumerAnswer answer = consumers_.heartbeat(request, moment);
  settle_released(moment);
  return answer;
}

// There is no such group of the consumer protocol yet. A classic one that is empty goes; one that
// lives goes over, if it can.
Refusal GroupCore::make_room_for_consumer(const ConsumerHeartbeat& request, Moment moment) {
  Group* classic = find(request.group);
  if (!classic) return {};
  if (request.epoch != kJoining)
    return {ErrorCode::group_id_not_found,
            fmt::format("Group {} is not a consumer group.", request.group)};
  if (Refusal no = ConsumerGroups::check_regex(request.regex.value_or(""))) return no;
  if (classic->phase != Phase::empty || !classic->members.empty())
    return adopt(request.group, *classic, moment);
  for (const std::string& id : classic->promised) timers_.cancel({Due::session, request.group, id});
  if (state_.stored(request.group)) put(GroupRecord{request.group, std::nullopt});
  groups_.erase(request.group);
  return {};
}

Refusal GroupCore::adopt(const std::string& name, Group& group, Moment moment) {
  auto refuse = [&](std::string_view why) {
    return Refusal{
        ErrorCode::group_id_not_found,
        fmt::format("Cannot upgrade classic group {} to consumer group because {}.", name, why)};
  };
  MigrationPolicy policy = config_.consumer.migration;
  if (policy != MigrationPolicy::upgrade && policy != MigrationPolicy::bidirectional)
    return refuse("online upgrade is disabled");
  if (group.protocol_type != "consumer")
    return refuse("the group does not use the consumer embedded protocol");
  if (group.members.size() >= config_.consumer.max_size)
    return refuse("the group size exceeds the consumer group maximum size");
  const StoredGroup* stored = state_.stored(name);
  std::vector<ConsumerGroups::Adopted> members;
  for (const auto& [id, member] : group.members) {
    std::string_view chosen = group.protocol ? *group.protocol : member.protocols.front().name;
    const std::string* metadata = member.metadata(chosen);
    std::optional<ConsumerGroups::Adopted> one =
        consumers_.as_consumer(member, metadata ? *metadata : member.protocols.front().metadata,
                               stored ? stored->find(id) : nullptr);
    if (!one) return refuse("a member's subscription cannot be read");
    members.push_back(std::move(*one));
  }
  int32_t generation = group.generation;
  Step s{name, group, moment};
  for (auto& [id, member] : group.members)
    answer_join(member, {.error = ErrorCode::rebalance_in_progress, .member = id});
  cancel_syncs(s, ErrorCode::rebalance_in_progress);
  for (const auto& [id, member] : group.members) timers_.cancel({Due::session, name, id});
  for (const std::string& id : group.promised) timers_.cancel({Due::session, name, id});
  timers_.cancel({Due::join, name, ""});
  timers_.cancel({Due::sync, name, ""});
  put(GroupRecord{name, std::nullopt});
  groups_.erase(name);
  consumers_.adopt(name, generation, members, moment);
  return {};
}

// Groups of which only classic members are left go on as classic ones, with a rebalance: what the
// others had is free.
void GroupCore::settle_released(Moment moment) {
  for (ConsumerGroups::Released& one : consumers_.take_released()) {
    put(GroupRecord{one.name, one.group});
    restore(one.name, one.group, moment);
    Group& group = groups_.at(one.name);
    for (auto& [id, member] : group.members) member.protocols = std::move(one.protocols[id]);
    Step s{one.name, group, moment};
    prepare(s);
  }
}

ErrorCode GroupCore::check_fetch(std::string_view name, const std::optional<std::string>& member,
                                 int32_t epoch) const {
  const ConsumerGroup* consumers = consumers_.find(name);
  if (!consumers || (!member && epoch < 0)) return ErrorCode::none;
  return consumers_.check_fetch(*consumers, member.value_or(""), epoch);
}

}  // namespace moldau::coordinator::group
