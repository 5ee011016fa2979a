#include "metadata/controller/availability.h"

#include <algorithm>

#include "metadata/controller/partition_change.h"

namespace moldau::metadata {

namespace {

bool contains(const std::vector<int32_t>& all, int32_t one) {
  return std::ranges::find(all, one) != all.end();
}

struct Shift {
  int32_t leaves = kNobody, comes = kNobody, lost = kNobody;
};

// The directory of a replica on that broker; nullptr: there is none.
const Uuid* directory_of(const Partition& partition, int32_t broker) {
  for (size_t i = 0; i < partition.replicas.size(); i++)
    if (partition.replicas[i] == broker) return &partition.directories[i];
  return nullptr;
}

// The directory may be one that the broker has, or one that nobody has looked for yet.
bool directory_works(const Image& image, const Partition& partition, int32_t broker) {
  auto registered = image.brokers->find(BrokerId(broker));
  const Uuid* directory = directory_of(partition, broker);
  if (registered == image.brokers->end() || !directory) return false;
  const std::vector<Uuid>& all = registered->second.log_dirs;
  if (*directory == kLostDirectory) return false;
  if (*directory == kUnassignedDirectory || *directory == kMigratingDirectory) return true;
  return all.empty() || std::ranges::find(all, *directory) != all.end();
}

void shift(const View& view, const Topic& topic, int32_t index, const Shift& how, Records& out) {
  const Partition& partition = topic.partitions.at(index);
  std::vector<int32_t> isr = partition.isr;
  std::erase_if(isr, [&](int32_t one) { return one == how.leaves || one == how.lost; });
  auto usable = [&](int32_t one) {
    bool there = one == how.comes || is_active(view.image, one);
    return one != how.leaves && there && directory_works(view.image, partition, one);
  };
  RecordLevel level(view.image);
  Election election{.partition = partition,
                    .isr = std::move(isr),
                    .usable = usable,
                    .unclean_shutdown = {},
                    .min_isr = min_insync_replicas(view, topic.name),
                    .unclean = unclean_election_allowed(view, topic.name),
                    .level = level};
  if (how.lost != kNobody) election.unclean_shutdown.push_back(how.lost);
  PartitionChange change = hold_election(election);
  if (!change.empty()) out.push_back(partition_change_record(topic.id, index, change, level));
}

template <class Wanted>
void shift_all(const View& view, const Shift& how, Wanted wanted, Records& out) {
  for (const auto& [id, topic] : view.image.topics->by_id)
    for (const auto& [index, partition] : topic->partitions)
      if (wanted(partition)) shift(view, *topic, index, how, out);
}

}  // namespace

void broker_leaves(const View& view, int32_t broker, Records& out) {
  Shift how{.leaves = broker};
  shift_all(view, how, [&](const Partition& one) { return contains(one.isr, broker); }, out);
}

void broker_lost_data(const View& view, int32_t broker, Records& out) {
  Shift how{.lost = broker};
  auto wanted = [&](const Partition& one) {
    return contains(one.isr, broker) || contains(one.elr, broker);
  };
  shift_all(view, how, wanted, out);
}

void broker_comes(const View& view, int32_t broker, Records& out) {
  Shift how{.comes = broker};
  shift_all(view, how, [](const Partition& one) { return one.leader == kNoLeader; }, out);
}

void directories_fail(const View& view, int32_t broker, const std::vector<Uuid>& failed,
                      Records& out) {
  Shift how{.leaves = broker};
  auto wanted = [&](const Partition& one) {
    const Uuid* directory = directory_of(one, broker);
    bool hit = directory && std::ranges::find(failed, *directory) != failed.end();
    return hit && contains(one.isr, broker);
  };
  shift_all(view, how, wanted, out);
}

bool leads_something(const Image& image, int32_t broker) {
  for (const auto& [id, topic] : image.topics->by_id)
    for (const auto& [index, partition] : topic->partitions)
      if (partition.leader == broker) return true;
  return false;
}

}  // namespace moldau::metadata
