// Committed offsets: who may commit, and when offsets and groups go.
#include "base/bug.h"
#include "coordinator/group/core.h"

namespace moldau::coordinator::group {

ErrorCode GroupCore::check_commit(Group* group, const CommitRequest& request) const {
  const Speaker& who = request.who;
  if (const ConsumerGroup* consumers = consumers_.find(who.group))
    return consumers_.check_commit(*consumers, request);
  if (!group) {
    // Without a group that is there, only one who is in none may commit.
    if (who.generation < 0) return ErrorCode::none;
    return request.new_protocol_version ? ErrorCode::group_id_not_found
                                        : ErrorCode::illegal_generation;
  }
  if (who.generation < 0 && group->phase == Phase::empty) return ErrorCode::none;
  bool as_member = who.generation >= 0 || !who.member.empty() || who.instance;
  if (!as_member) return ErrorCode::unknown_member_id;
  ErrorCode error = group->check(who.member, who.instance);
  if (error != ErrorCode::none) return error;
  if (who.generation != group->generation && !planted(Bug::group_commit_stale))
    return ErrorCode::illegal_generation;
  return group->phase == Phase::completing ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

std::vector<ErrorCode> GroupCore::commit(const CommitRequest& request, Moment moment) {
  const std::string& name = request.who.group;
  Group* group = find(name);
  ErrorCode error = check_commit(group, request);
  std::vector<ErrorCode> out(request.offsets.size(), error);
  if (error != ErrorCode::none) return out;
  if (!group && !request.offsets.empty() && !consumers_.find(name)) group = &groups_[name];
  if (Member* member = group ? group->find(request.who.member) : nullptr) {
    Step s{name, *group, moment};
    alive(s, *member);
  }
  for (size_t i = 0; i < out.size(); i++) {
    const CommittedOffset& asked = request.offsets[i];
    if (asked.metadata.size() > config_.max_offset_metadata) {
      out[i] = ErrorCode::offset_metadata_too_large;
      continue;
    }
    StoredOffset offset{.offset = asked.offset,
                        .leader_epoch = asked.leader_epoch,
                        .metadata = asked.metadata,
                        .commit_millis = asked.commit_millis.value_or(moment.wall.millis),
                        .expire_millis = std::nullopt,
                        .topic_id = asked.topic_id};
    if (request.retention_millis)
      offset.expire_millis = moment.wall.millis + *request.retention_millis;
    bool kept = put(OffsetRecord{name, asked.topic, asked.partition, std::move(offset)});
    if (!kept) out[i] = ErrorCode::invalid_commit_offset_size;
  }
  drop_if_gone(name);
  return out;
}

bool GroupCore::reads(std::string_view name, std::string_view topic) const {
  if (const ConsumerGroup* consumers = consumers_.find(name)) return consumers->reads(topic);
  const Group* group = this->group(name);
  if (!group || group->phase == Phase::empty) return false;
  // Who cannot say what he reads may read all of it.
  return !group->topics || group->topics->contains(topic);
}

DeleteOffsetsAnswer GroupCore::delete_offsets(const std::string& name,
                                              const std::vector<OffsetPlace>& places) {
  if (name.empty()) return {ErrorCode::invalid_group_id, {}};
  Group* group = find(name);
  const ConsumerGroup* consumers = consumers_.find(name);
  if (!group && !consumers) return {ErrorCode::group_id_not_found, {}};
  bool other_type = group && group->protocol_type != "consumer";
  if (other_type && group->phase != Phase::empty) return {ErrorCode::non_empty_group, {}};
  DeleteOffsetsAnswer answer;
  for (const OffsetPlace& place : places) {
    bool read = reads(name, place.topic);
    answer.places.push_back(read ? ErrorCode::group_subscribed_to_topic : ErrorCode::none);
    if (read || !state_.offset(name, place.topic, place.partition)) continue;
    put(OffsetRecord{name, place.topic, place.partition, std::nullopt});
  }
  drop_if_gone(name);
  return answer;
}

ErrorCode GroupCore::delete_group(const std::string& name) {
  Group* group = find(name);
  const ConsumerGroup* consumers = consumers_.find(name);
  if (!group && !consumers) return ErrorCode::group_id_not_found;
  if (consumers && !consumers->members.empty()) return ErrorCode::non_empty_group;
  if (group && (group->phase != Phase::empty || !group->members.empty()))
    return ErrorCode::non_empty_group;
  const Kept* kept = state_.find(name);
  std::vector<Record> tombstones;
  if (kept) {
    for (const auto& [topic, partitions] : kept->offsets)
      for (const auto& [index, offset] : partitions)
        tombstones.push_back(OffsetRecord{name, topic, index, std::nullopt});
    if (!consumers) tombstones.push_back(GroupRecord{name, std::nullopt});
  }
  for (const Record& one : tombstones) put(one);
  if (consumers) {
    consumers_.remove(name);
    return ErrorCode::none;
  }
  for (const std::string& id : group->promised) timers_.cancel({Due::session, name, id});
  groups_.erase(name);
  return ErrorCode::none;
}

// Kafka's rules (KIP-211): a group that is empty keeps its offsets for the retention since it
// became so; one that lives keeps what it reads; without a group it counts from the commit.
bool GroupCore::expired(const std::string& name, const Kept& kept, std::string_view topic,
                        const StoredOffset& offset, WallTime now) const {
  if (kept.consumer) {
    if (kept.consumer->reads(topic)) return false;
    if (offset.expire_millis) return now.millis >= *offset.expire_millis;
    return now.millis - offset.commit_millis >= config_.offset_retention_millis;
  }
  const Group* group = this->group(name);
  bool empty = !group || group->phase == Phase::empty;
  bool has_type = group && !group->protocol_type.empty();
  int64_t since = offset.commit_millis;
  if (has_type && empty) {
    if (kept.group && kept.group->since_millis >= 0) since = kept.group->since_millis;
  } else if (has_type) {
    bool tells = group->phase == Phase::stable && group->topics.has_value();
    if (!tells || group->topics->contains(topic)) return false;
  } else if (!empty) {
    return false;
  }
  if (offset.expire_millis) return now.millis >= *offset.expire_millis;
  return now.millis - since >= config_.offset_retention_millis;
}

void GroupCore::expire_offsets(WallTime now) {
  std::vector<Record> gone;
  std::vector<std::string> consumers_gone;
  for (const auto& [name, kept] : state_.groups()) {
    size_t left = 0;
    for (const auto& [topic, partitions] : kept.offsets) {
      for (const auto& [index, offset] : partitions) {
        bool old = expired(name, kept, topic, offset, now) && !state_.pending(name, topic, index);
        if (old)
          gone.push_back(OffsetRecord{name, topic, index, std::nullopt});
        else
          left++;
      }
    }
    if (kept.consumer) {
      bool over = kept.consumer->members.empty() && left == 0 && !state_.pending(name);
      if (over) consumers_gone.push_back(name);
      continue;
    }
    const Group* group = this->group(name);
    bool idle = !group || (group->phase == Phase::empty && group->promised.empty());
    if (kept.group && idle && left == 0 && !state_.pending(name))
      gone.push_back(GroupRecord{name, std::nullopt});
  }
  for (const Record& one : gone) put(one);
  for (const std::string& name : consumers_gone) consumers_.remove(name);
  std::set<std::string> names;
  for (const auto& [name, group] : groups_) names.insert(name);
  for (const std::string& name : names) drop_if_gone(name);
}

void GroupCore::forget_topic(std::string_view topic) {
  std::vector<Record> gone;
  for (const auto& [name, kept] : state_.groups()) {
    auto it = kept.offsets.find(topic);
    if (it == kept.offsets.end()) continue;
    for (const auto& [index, offset] : it->second)
      gone.push_back(OffsetRecord{name, std::string(topic), index, std::nullopt});
  }
  for (const Record& one : gone) {
    put(one);
    drop_if_gone(std::get<OffsetRecord>(one).group);
  }
}

}  // namespace moldau::coordinator::group
