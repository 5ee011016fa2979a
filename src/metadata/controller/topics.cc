#include "metadata/controller/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "metadata/controller/partition_change.h"
#include "metadata/controller/placement.h"
#include "metadata/record.h"
#include "wire/messages/remove_topic_record.h"

namespace moldau::metadata {

using wire::ErrorCode;

namespace {

using Replicas = std::vector<int32_t>;

Verdict check_name(const Topics& topics, const std::string& name) {
  if (topics.by_name.contains(name))
    return {ErrorCode::topic_already_exists, fmt::format("Topic '{}' already exists.", name)};
  if (const std::string* other = colliding_name(topics, name))
    return {ErrorCode::invalid_topic_exception,
            fmt::format("Topic '{}' collides with existing topic: {}", name, *other)};
  return {};
}

Verdict check_replicas(const Image& image, const Replicas& replicas) {
  constexpr ErrorCode kBad = ErrorCode::invalid_replica_assignment;
  if (replicas.empty())
    return {kBad, "The manual partition assignment includes an empty replica list."};
  std::set<int32_t> seen;
  for (int32_t one : replicas) {
    if (!image.brokers->contains(BrokerId(one)))
      return {kBad, fmt::format("The manual partition assignment includes broker {}, but no such "
                                "broker is registered.",
                                one)};
    if (!seen.insert(one).second)
      return {kBad,
              fmt::format("The manual partition assignment includes the broker {} more than once.",
                          one)};
  }
  return {};
}

// All of one size, each with somebody who can lead it.
Verdict check_assignment(const Image& image, const std::vector<Replicas>& all, size_t size,
                         int32_t first) {
  constexpr ErrorCode kBad = ErrorCode::invalid_replica_assignment;
  for (size_t i = 0; i < all.size(); i++) {
    if (Verdict verdict = check_replicas(image, all[i]); !verdict.good()) return verdict;
    if (all[i].size() != size)
      return {kBad, fmt::format("The manual partition assignment includes a partition with {} "
                                "replica(s), but this is not consistent with previous partitions, "
                                "which have {} replica(s).",
                                all[i].size(), size)};
    if (new_partition(image, all[i]).leader == kNoLeader)
      return {kBad, fmt::format("All brokers specified in the manual partition assignment for "
                                "partition {} are fenced or in controlled shutdown.",
                                first + static_cast<int32_t>(i))};
  }
  return {};
}

struct Layout {
  Verdict verdict;
  std::vector<Replicas> partitions;
};

Layout lay_out(const Image& image, int32_t count, int32_t replication, uint64_t seed) {
  Layout out;
  Placement placement(image, seed);
  out.verdict = placement.check(replication);
  if (!out.verdict.good()) return out;
  for (int32_t i = 0; i < count; i++) out.partitions.push_back(placement.next(replication));
  return out;
}

Layout layout_of(const View& view, const CreateTopic& wanted) {
  Layout out;
  if (!wanted.assignment.empty()) {
    size_t size = wanted.assignment.front().size();
    out.verdict = check_assignment(view.image, wanted.assignment, size, 0);
    out.partitions = wanted.assignment;
    return out;
  }
  int32_t count = wanted.partitions == -1 ? view.settings.partitions : wanted.partitions;
  int32_t replication = wanted.replication_factor == -1 ? view.settings.replication_factor
                                                        : wanted.replication_factor;
  if (count > 0) return lay_out(view.image, count, replication, wanted.seed);
  out.verdict = {ErrorCode::invalid_partitions,
                 "Number of partitions was set to an invalid non-positive value."};
  return out;
}

void put_partitions(const Image& image, const Uuid& topic, int32_t first,
                    const std::vector<Replicas>& all, Records& out) {
  RecordLevel level(image);
  for (const Replicas& replicas : all)
    out.push_back(partition_record(topic, first++, new_partition(image, replicas), level));
}

Verdict check_count(const Topic& topic, const CreatePartitions& wanted) {
  constexpr ErrorCode kBad = ErrorCode::invalid_partitions;
  auto now = static_cast<int32_t>(topic.partitions.size());
  if (wanted.count == now) return {kBad, fmt::format("Topic already has {} partition(s).", now)};
  if (wanted.count < now)
    return {kBad, fmt::format("The topic {} currently has {} partition(s); {} would not be an "
                              "increase.",
                              topic.name, now, wanted.count)};
  if (wanted.assignment.empty()) return {};
  auto more = static_cast<size_t>(wanted.count - now);
  if (wanted.assignment.size() == more) return {};
  return {ErrorCode::invalid_replica_assignment,
          fmt::format("Attempted to add {} additional partition(s), but only {} assignment(s) were "
                      "specified.",
                      more, wanted.assignment.size())};
}

}  // namespace

const std::string* colliding_name(const Topics& topics, std::string_view name) {
  if (name.find_first_of("._") == name.npos) return nullptr;
  auto same = [](char a, char b) {
    return a == b || ((a == '.' || a == '_') && (b == '.' || b == '_'));
  };
  for (const auto& [other, id] : topics.by_name)
    if (other != name && std::ranges::equal(other, name, same)) return &other;
  return nullptr;
}

Decision<TopicCreated> decide(const View& view, const CreateTopic& wanted) {
  Decision<TopicCreated> out;
  Verdict& verdict = out.reply;
  verdict = check_name(*view.image.topics, wanted.name);
  if (verdict.good() && view.image.topics->by_id.contains(wanted.id))
    verdict = {ErrorCode::unknown_server_error, "a topic has that id already"};
  if (!verdict.good()) return out;
  Layout layout = layout_of(view, wanted);
  verdict = layout.verdict;
  if (!verdict.good()) return out;
  out.records.push_back(topic_record(wanted.name, wanted.id));
  ConfigResource resource{kTopicResource, wanted.name};
  for (const auto& [name, value] : wanted.configs)
    out.records.push_back(config_record(resource, name, value));
  if (wanted.configs.contains(kMinIsr) && RecordLevel(view.image).elr)
    out.records.push_back(clear_elr_record(wanted.name));
  put_partitions(view.image, wanted.id, 0, layout.partitions, out.records);
  out.reply.partitions = static_cast<int32_t>(layout.partitions.size());
  out.reply.replication_factor = static_cast<int32_t>(layout.partitions.front().size());
  return out;
}

Decision<Verdict> decide(const View& view, const DeleteTopic& wanted) {
  Decision<Verdict> out;
  if (!view.image.topics->by_id.contains(wanted.id)) {
    out.reply = {ErrorCode::unknown_topic_id, "This server does not host this topic ID."};
    return out;
  }
  wire::RemoveTopicRecord record;
  record.topic_id = wanted.id;
  out.records.push_back(write_record(record, 0));
  return out;
}

Decision<Verdict> decide(const View& view, const CreatePartitions& wanted) {
  Decision<Verdict> out;
  const Topic* topic = view.image.topics->find(wanted.topic);
  if (!topic) {
    out.reply = {ErrorCode::unknown_topic_or_partition,
                 "This server does not host this topic-partition."};
    return out;
  }
  out.reply = check_count(*topic, wanted);
  if (!out.reply.good()) return out;
  auto now = static_cast<int32_t>(topic->partitions.size());
  size_t replication =
      topic->partitions.empty() ? 1 : topic->partitions.begin()->second.replicas.size();
  Layout layout;
  if (wanted.assignment.empty()) {
    layout =
        lay_out(view.image, wanted.count - now, static_cast<int32_t>(replication), wanted.seed);
  } else {
    layout.verdict = check_assignment(view.image, wanted.assignment, replication, now);
    layout.partitions = wanted.assignment;
  }
  out.reply = layout.verdict;
  if (out.reply.good()) put_partitions(view.image, topic->id, now, layout.partitions, out.records);
  return out;
}

namespace {

// Nothing: it is not its replica, or is there already.
std::optional<PartitionChange> placed(const Image& image, BrokerId broker,
                                      const AssignDirectories::Place& place) {
  const Topic* topic = image.topics->find(place.topic);
  if (!topic) return std::nullopt;
  auto at = topic->partitions.find(place.partition);
  if (at == topic->partitions.end()) return std::nullopt;
  const Partition& partition = at->second;
  PartitionChange change;
  for (size_t i = 0; i < partition.replicas.size(); i++) {
    if (partition.replicas[i] != broker.value) continue;
    if (partition.directories[i] == place.directory) return std::nullopt;
    change.directories = partition.directories;
    (*change.directories)[i] = place.directory;
  }
  if (change.empty()) return std::nullopt;
  return change;
}

}  // namespace

Decision<Verdict> decide(const View& view, const AssignDirectories& wanted) {
  Decision<Verdict> out;
  out.reply = check_broker(view.image, wanted.broker, wanted.epoch);
  if (!out.reply.good()) return out;
  RecordLevel level(view.image);
  for (const AssignDirectories::Place& place : wanted.places)
    if (std::optional<PartitionChange> change = placed(view.image, wanted.broker, place))
      out.records.push_back(partition_change_record(place.topic, place.partition, *change, level));
  return out;
}

}  // namespace moldau::metadata
