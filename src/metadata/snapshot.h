// An image, or what a new cluster begins with, as the bytes of a snapshot file. Pure. Read with
// read_snapshot (loader.h).
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "metadata/image.h"
#include "raft/voters.h"

namespace moldau::metadata {

struct SnapshotContent {
  std::vector<std::vector<uint8_t>> records;  // values of metadata records
  LeaderEpoch epoch{0};
  WallTime last_contained;  // of the newest record in them
  int16_t kraft_version = 0;
  std::optional<raft::VoterSet> voters;  // who may vote, if the log says it (kraft.version 1)
};
// Batches of at most 8 MiB, as Kafka's.
std::vector<uint8_t> write_snapshot(const SnapshotContent& content, WallTime now);

// The records of bootstrap.checkpoint: the features' levels, metadata.version first.
std::vector<std::vector<uint8_t>> bootstrap_records(const Features& features);

}  // namespace moldau::metadata
