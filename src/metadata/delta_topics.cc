// Topics and their partitions.
#include <fmt/format.h>

#include <algorithm>

#include "metadata/delta.h"
#include "wire/messages/clear_elr_record.h"
#include "wire/messages/partition_change_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/remove_topic_record.h"
#include "wire/messages/topic_record.h"

namespace moldau::metadata {

namespace {

constexpr int8_t kTopicResource = 2;
constexpr int32_t kNoLeaderChange = -2;

template <class T>
std::vector<T> list_of(const wire::Array<T>& in) {
  return std::vector<T>(in.begin(), in.end());
}

// What is null stays as it is.
template <class T>
void set_if(std::vector<T>& field, const wire::Array<T>& in) {
  if (!in.is_null()) field = list_of(in);
}

// Of replicas that a record from before 3.7 placed nobody knows the directory.
void fill_directories(Partition& partition) {
  if (partition.directories.size() != partition.replicas.size())
    partition.directories.assign(partition.replicas.size(), kMigratingDirectory);
}

Result<void> check_directories(const Partition& partition, int32_t index, const char* record) {
  if (partition.directories.size() == partition.replicas.size()) return {};
  return fail(Errc::invalid,
              fmt::format("{} of partition {}: {} directories of {} replicas", record, index,
                          partition.directories.size(), partition.replicas.size()));
}

}  // namespace

Result<Topic*> Delta::edit_topic(const Uuid& id, const char* record) {
  Topics& all = topics();
  auto at = all.by_id.find(id);
  if (at == all.by_id.end())
    return fail(Errc::corrupt,
                fmt::format("{} of topic {}, which is not there", record, id.to_string()));
  changes_.topics.insert(id);
  bool mine = !own_.each_topic.insert(id).second;
  return &edit(at->second, mine);
}

Result<void> Delta::topic(const RecordHead& head) {
  TRY(record, read_body<wire::TopicRecord>(head, *arena_));
  Topics& all = topics();
  if (all.by_name.contains(record.name) || all.by_id.contains(record.topic_id))
    return fail(Errc::corrupt, fmt::format("TopicRecord of {} ({}), which is there already",
                                           record.name, record.topic_id.to_string()));
  auto made = std::make_unique<Topic>();
  made->name = record.name;
  made->id = record.topic_id;
  own_.each_topic.insert(made->id);
  all.by_name.emplace(made->name, made->id);
  all.by_id.emplace(made->id, std::move(made));
  changes_.topics.insert(record.topic_id);
  return {};
}

Result<void> Delta::remove_topic(const RecordHead& head) {
  TRY(record, read_body<wire::RemoveTopicRecord>(head, *arena_));
  Topics& all = topics();
  auto at = all.by_id.find(record.topic_id);
  if (at == all.by_id.end())
    return fail(Errc::corrupt, fmt::format("RemoveTopicRecord of topic {}, which is not there",
                                           record.topic_id.to_string()));
  ConfigResource resource{kTopicResource, at->second->name};
  if (configs().erase(resource) > 0) changes_.configs.insert(resource);
  all.by_name.erase(at->second->name);
  all.by_id.erase(at);
  changes_.topics.insert(record.topic_id);
  changes_.removed.insert(record.topic_id);
  return {};
}

Result<void> Delta::partition(const RecordHead& head) {
  TRY(record, read_body<wire::PartitionRecord>(head, *arena_));
  TRY(topic, edit_topic(record.topic_id, "PartitionRecord"));
  Partition partition;
  partition.replicas = list_of(record.replicas);
  partition.directories = list_of(record.directories);
  if (partition.directories.empty()) fill_directories(partition);
  TRY_(check_directories(partition, record.partition_id, "PartitionRecord"));
  partition.isr = list_of(record.isr);
  partition.removing = list_of(record.removing_replicas);
  partition.adding = list_of(record.adding_replicas);
  partition.elr = list_of(record.eligible_leader_replicas);
  partition.last_known_elr = list_of(record.last_known_elr);
  partition.leader = record.leader;
  partition.recovery_state = record.leader_recovery_state;
  partition.leader_epoch = record.leader_epoch;
  partition.partition_epoch = record.partition_epoch;
  topic->partitions[record.partition_id] = std::move(partition);
  return {};
}

Result<void> Delta::change_partition(const RecordHead& head) {
  TRY(record, read_body<wire::PartitionChangeRecord>(head, *arena_));
  TRY(topic, edit_topic(record.topic_id, "PartitionChangeRecord"));
  auto at = topic->partitions.find(record.partition_id);
  if (at == topic->partitions.end())
    return fail(Errc::corrupt, fmt::format("PartitionChangeRecord of {}-{}, which is not there",
                                           topic->name, record.partition_id));
  Partition& partition = at->second;
  bool unknown = record.directories.is_null() &&
                 std::ranges::all_of(partition.directories,
                                     [](const Uuid& id) { return id == kMigratingDirectory; });
  set_if(partition.replicas, record.replicas);
  set_if(partition.directories, record.directories);
  if (unknown) fill_directories(partition);
  TRY_(check_directories(partition, record.partition_id, "PartitionChangeRecord"));
  set_if(partition.isr, record.isr);
  set_if(partition.removing, record.removing_replicas);
  set_if(partition.adding, record.adding_replicas);
  set_if(partition.elr, record.eligible_leader_replicas);
  set_if(partition.last_known_elr, record.last_known_elr);
  // A leader that is named is a new reign, also of the same broker.
  if (record.leader != kNoLeaderChange) {
    partition.leader = record.leader;
    partition.leader_epoch++;
  }
  if (record.leader_recovery_state >= 0) partition.recovery_state = record.leader_recovery_state;
  partition.partition_epoch++;
  return {};
}

// Of one topic, or of all.
Result<void> Delta::clear_elr(const RecordHead& head) {
  TRY(record, read_body<wire::ClearElrRecord>(head, *arena_));
  std::vector<Uuid> ids;
  for (const auto& [name, id] : image_.topics->by_name)
    if (record.topic_name.empty() || record.topic_name == name) ids.push_back(id);
  if (ids.empty() && !record.topic_name.empty())
    return fail(Errc::corrupt,
                fmt::format("ClearElrRecord of topic {}, which is not there", record.topic_name));
  for (const Uuid& id : ids) {
    bool any = false;
    for (const auto& [index, partition] : image_.topics->by_id.at(id)->partitions)
      any = any || !partition.elr.empty() || !partition.last_known_elr.empty();
    if (!any) continue;
    TRY(topic, edit_topic(id, "ClearElrRecord"));
    for (auto& [index, partition] : topic->partitions) {
      if (partition.elr.empty() && partition.last_known_elr.empty()) continue;
      partition.elr.clear();
      partition.last_known_elr.clear();
      partition.partition_epoch++;
    }
  }
  return {};
}

}  // namespace moldau::metadata
