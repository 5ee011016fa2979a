#include "broker/replica_places.h"

#include <fmt/format.h>

#include "log/log_dir.h"
#include "log/log_dirs.h"

namespace moldau::broker {

namespace {

using Place = metadata::AssignDirectories::Place;

// Where the metadata says that it is.
const Uuid* said_of(const metadata::Partition& partition, BrokerId broker) {
  for (size_t i = 0; i < partition.replicas.size(); i++)
    if (partition.replicas[i] == broker.value) return &partition.directories[i];
  return nullptr;
}

}  // namespace

std::vector<Place> misplaced(const metadata::Image& image, BrokerId broker,
                             const log::LogDirs& dirs, const DirectoryIds& ids, Uuid topic) {
  std::vector<Place> out;
  for (const auto& [id, one] : image.topics->by_id) {
    if (!topic.is_zero() && topic != id) continue;
    for (const auto& [index, partition] : one->partitions) {
      const Uuid* said = said_of(partition, broker);
      log::LogDir* dir = dirs.find(fmt::format("{}-{}", one->name, index));
      if (!said || !dir) continue;
      auto found = ids.find(dir->path());
      if (found != ids.end() && found->second != *said) out.push_back({id, index, found->second});
    }
  }
  return out;
}

}  // namespace moldau::broker
