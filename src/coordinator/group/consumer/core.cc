#include "coordinator/group/consumer/core.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bug.h"
#include "base/siphash.h"
#include "coordinator/group/consumer/reconcile.h"
#include "coordinator/group/consumer/regex.h"

namespace moldau::coordinator::group {

namespace {

Refusal refuse(ErrorCode error, std::string message) { return {error, std::move(message)}; }
Refusal invalid(std::string message) {
  return refuse(ErrorCode::invalid_request, std::move(message));
}

std::vector<std::string> sorted(std::vector<std::string> topics) {
  std::ranges::sort(topics);
  auto twice = std::ranges::unique(topics);
  topics.erase(twice.begin(), twice.end());
  return topics;
}

// The request says everything: then it is told everything.
bool says_all(const ConsumerHeartbeat& r) {
  return r.epoch == kJoining || (r.rebalance_millis != -1 && (r.topics || r.regex) && r.owned);
}

}  // namespace

const ConsumerGroup& ConsumerGroups::group(const std::string& name) const {
  static const ConsumerGroup kNone;
  const ConsumerGroup* found = find(name);
  return found ? *found : kNone;
}

Refusal ConsumerGroups::check(const ConsumerHeartbeat& r) const {
  bool needs_id = r.makes_own_id || r.epoch != kJoining;
  if (needs_id && r.member.empty()) return invalid("MemberId can't be empty.");
  if (r.group.empty()) return invalid("GroupId can't be empty.");
  if (r.instance && r.instance->empty()) return invalid("InstanceId can't be empty.");
  if (r.rack && r.rack->empty()) return invalid("RackId can't be empty.");
  if (r.epoch < kLeavingForAWhile) return invalid("MemberEpoch is invalid.");
  if (r.epoch == kLeavingForAWhile && !r.instance) return invalid("InstanceId can't be null.");
  if (r.epoch == kJoining) {
    if (r.rebalance_millis == -1)
      return invalid("RebalanceTimeoutMs must be provided in first request.");
    if (!r.owned || !r.owned->empty())
      return invalid("TopicPartitions must be empty when (re-)joining.");
    if (!r.topics && !r.regex)
      return invalid(
          "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when "
          "(re-)joining.");
  }
  if (r.assignor && std::ranges::find(config_.assignors, *r.assignor) == config_.assignors.end())
    return refuse(ErrorCode::unsupported_assignor,
                  fmt::format("ServerAssignor {} is not supported. Supported assignors: {}.",
                              *r.assignor, fmt::join(config_.assignors, ", ")));
  return {};
}

// A member that has not heard of its newest epoch yet may speak in the one before, as long as it
// has nothing that was taken from it.
Refusal ConsumerGroups::check_epoch(const ConsumerHeartbeat& r) const {
  const CurrentAssignment& now = group(r.group).current(r.member);
  if (r.epoch == kJoining || r.epoch == now.epoch) return {};
  if (planted(Bug::consumer_epoch_unchecked)) return {};
  bool late = r.epoch < now.epoch;
  bool may = late && r.epoch == now.previous && r.owned && is_subset(*r.owned, now.assigned);
  if (may) return {};
  return refuse(ErrorCode::fenced_member_epoch,
                fmt::format("The consumer group member has a {} member epoch ({}) than the one "
                            "known by the group coordinator ({}). The member must abandon all its "
                            "partitions and rejoin.",
                            late ? "smaller" : "greater", r.epoch, now.epoch));
}

Refusal ConsumerGroups::admit(const ConsumerHeartbeat& r, Step& s) {
  const ConsumerMember* old = group(r.group).find(s.id);
  if (old) {
    s.old = *old;
    return check_epoch(r);
  }
  if (r.epoch == kJoining) return {};
  return refuse(ErrorCode::unknown_member_id,
                fmt::format("Member {} is not a member of group {}.", r.member, r.group));
}

Refusal ConsumerGroups::admit_static(const ConsumerHeartbeat& r, Step& s) {
  const ConsumerGroup& g = group(r.group);
  const std::string* known = g.static_member(*r.instance);
  if (r.epoch != kJoining) {
    if (!known)
      return refuse(ErrorCode::unknown_member_id,
                    fmt::format("Instance id {} is unknown.", *r.instance));
    if (*known != r.member)
      return refuse(ErrorCode::fenced_instance_id,
                    fmt::format("Static member {} with instance id {} was fenced by member {}.",
                                r.member, *r.instance, *known));
    s.old = *g.find(*known);
    return check_epoch(r);
  }
  if (known && !planted(Bug::consumer_static_twice)) {
    s.old = *g.find(*known);
    bool away = g.current(*known).epoch == kLeavingForAWhile;
    if (!away && !s.old->classic)
      return refuse(ErrorCode::unreleased_instance_id,
                    fmt::format("Static member {} with instance id {} cannot join the group "
                                "because the instance id is owned by a member.",
                                r.member, *r.instance));
    if (*known != s.id) s.replaces = *known;
  } else if (const ConsumerMember* old = g.find(s.id)) {
    s.old = *old;
  }
  return {};
}

ConsumerMember ConsumerGroups::updated(const ConsumerHeartbeat& r,
                                       const std::optional<ConsumerMember>& old) const {
  ConsumerMember out = old.value_or(ConsumerMember());
  if (r.instance) out.instance = r.instance;
  if (r.rack) out.rack = r.rack;
  if (r.rebalance_millis != -1) out.rebalance_millis = r.rebalance_millis;
  if (r.topics) out.topics = sorted(*r.topics);
  if (r.regex) out.regex = *r.regex;
  if (r.assignor) out.assignor = r.assignor;
  out.client_id = r.client_id;
  out.client_host = r.client_host;
  out.classic.reset();
  return out;
}

Refusal ConsumerGroups::room_for(const std::string& name, const std::string& member) const {
  const ConsumerGroup* g = find(name);
  bool full = g && g->members.size() >= config_.max_size && !g->find(member);
  if (!full) return {};
  return refuse(ErrorCode::group_max_size_reached,
                fmt::format("The consumer group has reached its maximum capacity of {} members.",
                            config_.max_size));
}

ConsumerAnswer ConsumerGroups::heartbeat(const ConsumerHeartbeat& r, Moment moment) {
  if (r.epoch < kJoining) return leave(r, moment);
  if (r.epoch != kJoining && !find(r.group))
    return {.refusal = refuse(ErrorCode::group_id_not_found,
                              fmt::format("Consumer group {} not found.", r.group))};
  Step s{.name = r.group,
         .id = r.member.empty() ? r.unique.to_string() : r.member,
         .owned = r.owned,
         .moment = moment};
  Refusal no = room_for(r.group, s.id);
  if (!no) no = r.instance ? admit_static(r, s) : admit(r, s);
  if (no) return {.refusal = std::move(no)};
  s.said = updated(r, s.old);
  EpochParts before = group(r.group).current(s.replaces.value_or(s.id)).assigned;
  no = go_on(s);
  if (no) return {.refusal = std::move(no)};
  const CurrentAssignment& now = group(r.group).current(s.id);
  ConsumerAnswer answer{
      .member = s.id,
      .epoch = now.epoch,
      .interval_millis = static_cast<int32_t>(config_.heartbeat_interval.millis())};
  Parts assigned = without_epochs(now.assigned);
  if (says_all(r) || assigned != without_epochs(before)) answer.assignment = std::move(assigned);
  return answer;
}

Refusal ConsumerGroups::check_regex(const std::string& expression) {
  std::optional<std::string> fault = regex_fault(expression);
  if (!fault) return {};
  return refuse(ErrorCode::invalid_regular_expression,
                fmt::format("SubscribedTopicRegex `{}` is not a valid regular expression: {}.",
                            expression, *fault));
}

// The member is in, and says what it says: what follows for the group and for itself.
Refusal ConsumerGroups::go_on(Step& s) {
  bool news = !s.old || *s.old != s.said;
  bool new_regex = !s.said.regex.empty() && (!s.old || s.old->regex != s.said.regex);
  if (Refusal no = new_regex ? check_regex(s.said.regex) : Refusal()) return no;
  ConsumerMemberRecord record{s.name, s.id, s.said};
  if (news && encode_record(record).size() > ledger_.max_record_bytes)
    return invalid("What the member says is larger than a record of __consumer_offsets may be.");
  if (s.replaces)
    replace(s, *s.replaces);
  else if (news)
    put(record);
  reread(s);
  raise_epoch(s.name, s.bump);
  if (group(s.name).epoch() > group(s.name).target_epoch()) make_target(s.name, s.moment);
  std::set<Uuid> topics = topic_ids(group(s.name), s.said);
  std::optional<CurrentAssignment> next = reconcile({.group = group(s.name),
                                                     .member = s.id,
                                                     .topics = topics,
                                                     .owned = s.owned ? &*s.owned : nullptr});
  if (!next)
    return refuse(
        ErrorCode::fenced_member_epoch,
        "The consumer group member is in a unknown state. The member must abandon all its "
        "partitions and rejoin.");
  auto kept = group(s.name).currents.find(s.id);
  if (kept == group(s.name).currents.end() || kept->second != *next) {
    put(CurrentRecord{s.name, s.id, *next});
    TimerKey due{Due::rebalance, s.name, s.id};
    if (next->state == MemberState::unrevoked)
      timers_.set(due, s.moment.now + milliseconds(s.said.rebalance_millis));
    else
      timers_.cancel(due);
  }
  alive(s.name, s.id, s.moment);
  return {};
}

// A static member that was away has come back as another one: its part waits for it.
void ConsumerGroups::replace(const Step& s, const std::string& old_id) {
  Parts target = group(s.name).target(old_id);
  CurrentAssignment current{.assigned = group(s.name).current(old_id).assigned};
  forget_member(s.name, old_id);
  put(ConsumerMemberRecord{s.name, s.id, s.said});
  put(TargetMemberRecord{s.name, s.id, std::move(target)});
  put(CurrentRecord{s.name, s.id, std::move(current)});
}

void ConsumerGroups::reread(Step& s) {
  ConsumerMember before = s.old.value_or(ConsumerMember());
  bool other_regex = s.said.regex != before.regex;
  s.bump = other_regex || s.said.topics != before.topics;
  if (s.replaces && !s.bump) return;
  if (!other_regex) return refresh_regexes(s);
  bool known = group(s.name).regexes.contains(s.said.regex);
  if (!known && !s.said.regex.empty()) {
    Memory& memory = memory_[s.name];
    if (!memory.resolved) memory = {memory.hashed, topics_, s.moment.now};
    put(RegexRecord{s.name, s.said.regex,
                    ResolvedRegex{.topics = topics_matching(s.said.regex, *topics_),
                                  .version = 0,
                                  .millis = s.moment.wall.millis}});
  }
  drop_unused_regexes(s.name);
}

// New topics may match. Not at every new topic: it costs a look at all of them.
void ConsumerGroups::refresh_regexes(Step& s) {
  if (group(s.name).regexes.empty()) return;
  Memory& memory = memory_[s.name];
  Duration since = s.moment.now - memory.looked;
  bool due = since >= config_.regex_refresh ||
             (memory.resolved != topics_ && since >= config_.regex_pause) || !memory.resolved;
  if (!due) return;
  memory.looked = s.moment.now;
  memory.resolved = topics_;
  std::vector<RegexRecord> news;
  for (const auto& [regex, resolved] : group(s.name).regexes) {
    std::vector<std::string> topics = topics_matching(regex, *topics_);
    if (topics != resolved.topics)
      news.push_back({s.name, regex, ResolvedRegex{std::move(topics), 0, s.moment.wall.millis}});
  }
  for (const RegexRecord& one : news) put(one);
  s.bump = s.bump || !news.empty();
}

void ConsumerGroups::drop_unused_regexes(const std::string& name) {
  const ConsumerGroup& g = group(name);
  std::vector<std::string> unused;
  for (const auto& [regex, resolved] : g.regexes)
    if (std::ranges::none_of(g.members, [&](const auto& m) { return m.second.regex == regex; }))
      unused.push_back(regex);
  for (const std::string& regex : unused) put(RegexRecord{name, regex, std::nullopt});
}

// 0: no topic is there that its members read.
int64_t ConsumerGroups::hash_of(const ConsumerGroup& g) const {
  std::set<std::string, std::less<>> names;
  for (const auto& [id, member] : g.members)
    names.insert(member.topics.begin(), member.topics.end());
  for (const auto& [regex, resolved] : g.regexes)
    names.insert(resolved.topics.begin(), resolved.topics.end());
  std::string all;
  for (const std::string& name : names) {
    const KnownTopic* topic = topics_->find(name);
    if (!topic) continue;
    fmt::format_to(std::back_inserter(all), "{}\n{}\n{}\n", name, topic->id.to_string(),
                   topic->partitions);
  }
  if (all.empty()) return 0;
  constexpr SipKey kNoSecret{};
  return static_cast<int64_t>(siphash128(kNoSecret, as_bytes(all)).low);
}

// bump: somebody reads something else now. Else only if the topics themselves have changed.
void ConsumerGroups::raise_epoch(const std::string& name, bool bump) {
  Memory& memory = memory_[name];
  if (!bump && memory.hashed == topics_) return;
  memory.hashed = topics_;
  const ConsumerGroup& g = group(name);
  int64_t hash = hash_of(g);
  if (!bump && hash == g.hash()) return;
  put(GroupEpochRecord{name, GroupEpoch{g.epoch() + 1, hash}});
}

void ConsumerGroups::know(TopicsRef topics) { topics_ = std::move(topics); }

void ConsumerGroups::alive(const std::string& name, const std::string& member, Moment moment) {
  const ConsumerMember* found = group(name).find(member);
  if (!found) return;
  Duration session =
      found->classic ? milliseconds(found->classic->session_millis) : config_.session_timeout;
  timers_.set({Due::session, name, member}, moment.now + session);
}

void ConsumerGroups::cancel_timers(const std::string& name, const std::string& member) {
  for (Due due : {Due::session, Due::rebalance, Due::rejoin, Due::sync})
    timers_.cancel({due, name, member});
}

// Members of the last run are given one session to be heard of again.
void ConsumerGroups::loaded(Moment moment) {
  for (const auto& [name, kept] : ledger_.state.groups()) {
    if (!kept.consumer) continue;
    for (const auto& [id, member] : kept.consumer->members) {
      alive(name, id, moment);
      if (kept.consumer->current(id).state == MemberState::unrevoked)
        timers_.set({Due::rebalance, name, id}, moment.now + milliseconds(member.rebalance_millis));
    }
  }
}

void ConsumerGroups::unload() {
  timers_.clear();
  memory_.clear();
  released_.clear();
}

void ConsumerGroups::tick(Moment moment) {
  while (std::optional<TimerKey> key = timers_.take(moment.now))
    if (group(key->group).find(key->member)) fence(key->group, {key->member}, moment);
}

}  // namespace moldau::coordinator::group
