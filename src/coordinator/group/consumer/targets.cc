// What everybody is to get, and what administrators see of it.
#include "base/bug.h"
#include "coordinator/group/consumer/assignor.h"
#include "coordinator/group/consumer/core.h"

namespace moldau::coordinator::group {

std::set<Uuid> ConsumerGroups::topic_ids(const ConsumerGroup& g,
                                         const ConsumerMember& member) const {
  std::set<Uuid> out;
  for (const std::string& name : g.topics_of(member))
    if (const KnownTopic* topic = topics_->find(name)) out.insert(topic->id);
  return out;
}

// The one that most members ask for; the first that is configured if nobody asks, or where it is
// even.
std::string ConsumerGroups::preferred_assignor(const ConsumerGroup& g) const {
  std::map<std::string, size_t> votes;
  for (const auto& [id, member] : g.members)
    if (member.assignor) votes[*member.assignor]++;
  std::string best = config_.assignors.front();
  for (const std::string& one : config_.assignors)
    if (votes[one] > votes[best]) best = one;
  return best;
}

void ConsumerGroups::make_target(const std::string& name, Moment moment) {
  const ConsumerGroup& g = group(name);
  if (g.target_record) {
    // Members that come one after the other make one target of many.
    int64_t since = moment.wall.millis - g.target_record->millis;
    if (since >= 0 && since < config_.assignment_interval.millis()) return;
  }
  std::vector<Assignee> members;
  for (const auto& [id, member] : g.members)
    members.push_back({.member = id,
                       .instance = member.instance,
                       .topics = topic_ids(g, member),
                       .had = g.target(id)});
  Assignor assign = assignor_named(preferred_assignor(g));
  std::vector<Parts> parts = assign(members, *topics_);
  for (size_t i = 0; i < members.size(); i++)
    if (parts[i] != members[i].had)
      put(TargetMemberRecord{name, members[i].member, std::move(parts[i])});
  put(TargetEpochRecord{name, TargetEpoch{g.epoch(), moment.wall.millis}});
}

DescribedConsumers ConsumerGroups::describe(const ConsumerGroup& g) const {
  DescribedConsumers out{.state = std::string(g.state_name()),
                         .epoch = g.epoch(),
                         .target_epoch = g.target_epoch(),
                         .assignor = preferred_assignor(g)};
  for (const auto& [id, member] : g.members) {
    const CurrentAssignment& now = g.current(id);
    out.members.push_back({.id = id,
                           .said = member,
                           .epoch = now.epoch,
                           .assignment = without_epochs(now.assigned),
                           .target = g.target(id)});
  }
  return out;
}

// A member commits in its epoch, or in an older one in which it had all those partitions already.
ErrorCode ConsumerGroups::check_commit(const ConsumerGroup& g, const CommitRequest& request) const {
  const Speaker& who = request.who;
  if (who.generation < 0 && g.members.empty()) return ErrorCode::none;
  const ConsumerMember* member = g.find(who.member);
  if (!member) return ErrorCode::unknown_member_id;
  const CurrentAssignment& now = g.current(who.member);
  if (member->classic)
    return who.generation == now.epoch ? ErrorCode::none : ErrorCode::illegal_generation;
  if (!request.new_protocol_version) return ErrorCode::unsupported_version;
  if (who.generation == now.epoch) return ErrorCode::none;
  if (planted(Bug::consumer_commit_stale)) return ErrorCode::none;
  if (who.generation > now.epoch) return ErrorCode::stale_member_epoch;
  for (const CommittedOffset& offset : request.offsets) {
    const int32_t* since = epoch_of(now.assigned, offset.topic_id, offset.partition);
    if (!since) since = epoch_of(now.pending, offset.topic_id, offset.partition);
    if (!since || who.generation < *since) return ErrorCode::stale_member_epoch;
  }
  return ErrorCode::none;
}

ErrorCode ConsumerGroups::check_fetch(const ConsumerGroup& g, const std::string& member,
                                      int32_t epoch) const {
  const ConsumerMember* found = g.find(member);
  if (!found) return ErrorCode::unknown_member_id;
  if (epoch == g.current(member).epoch) return ErrorCode::none;
  return found->classic ? ErrorCode::illegal_generation : ErrorCode::stale_member_epoch;
}

}  // namespace moldau::coordinator::group
