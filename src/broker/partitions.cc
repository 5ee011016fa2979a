#include "broker/partitions.h"

#include <fmt/format.h>

#include "broker/catalog.h"
#include "host/disk.h"
#include "host/env.h"
#include "host/whole_file.h"
#include "log/log_dir.h"
#include "replica/driver.h"

namespace moldau::broker {

using host::Task;

namespace {

// Kafka's file that ties a partition directory to a topic id; made once, with the directory.
Task<Result<void>> write_partition_metadata(host::Env& env, std::string directory, Uuid topic_id) {
  std::string path = directory + "/partition.metadata";
  Result<std::string> there = co_await host::read_whole_file(env.disk, path);
  if (there) co_return Result<void>();
  if (there.error().code() != Errc::not_found) co_return std::move(there.error());
  std::string text = fmt::format("version: 0\ntopic_id: {}\n", topic_id.to_string());
  co_return co_await host::replace_whole_file(env.disk, path, text);
}

}  // namespace

Partitions::Ref Partitions::find(std::string_view topic, int32_t index) const {
  return open_.enter([&](const auto& open) {
    auto it = open.find(Key(topic, index));
    return it == open.end() ? Ref() : it->second;
  });
}

size_t Partitions::size() const {
  return open_.enter([](const auto& open) { return open.size(); });
}

Task<Result<void>> Partitions::open(host::Env& env, Topic topic) {
  std::vector<Ref> opened;
  for (int32_t i = 0; i < topic.partitions; i++) {
    CO_TRY(partition, replica::Partition::open(env, dir_, topic.name, PartitionIndex(i), config_));
    std::string directory = fmt::format("{}/{}-{}", dir_.path(), topic.name, i);
    CO_TRY_(write_partition_metadata(env, directory, topic.id));
    opened.push_back(std::move(partition));
  }
  open_.enter([&](auto& open) {
    for (Ref& partition : opened) {
      int32_t index = partition->index().value;
      open[Key(topic.name, index)] = std::move(partition);
    }
  });
  co_return Result<void>();
}

std::vector<Partitions::Ref> Partitions::take(const std::string& topic) {
  return open_.enter([&](auto& open) {
    std::vector<Ref> taken;
    for (auto it = open.lower_bound(Key(topic, INT32_MIN)); it != open.end() && it->first.first == topic;) {
      taken.push_back(std::move(it->second));
      it = open.erase(it);
    }
    return taken;
  });
}

Task<Result<void>> Partitions::remove(host::Env& env, Topic topic) {
  std::vector<Ref> taken = take(topic.name);
  for (Ref& partition : taken) partition->retire();
  for (Ref& partition : taken) CO_TRY_(partition->remove(env));
  co_return Result<void>();
}

void Partitions::retire_all() {
  std::vector<Ref> all = open_.enter([](auto& open) {
    std::vector<Ref> out;
    for (auto& [key, partition] : open) out.push_back(partition);
    return out;
  });
  for (Ref& partition : all) partition->retire();
}

Task<Result<void>> Partitions::close_all(host::Env& env) {
  std::vector<Ref> all = open_.enter([](auto& open) {
    std::vector<Ref> out;
    for (auto& [key, partition] : open) out.push_back(std::move(partition));
    open.clear();
    return out;
  });
  Result<void> first;
  for (Ref& partition : all) {
    Result<void> closed = co_await partition->close(env);
    if (!closed && first) first = std::move(closed);
  }
  co_return first;
}

}  // namespace moldau::broker
