// What is to change in a partition, and who leads it then: Kafka's rules of election, with eligible
// leader replicas (KIP-966). Pure.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "metadata/entity_records.h"

namespace moldau::metadata {

// Nothing: it stays as it is.
struct PartitionChange {
  std::optional<std::vector<int32_t>> isr, elr, last_known_elr;
  std::optional<std::vector<Uuid>> directories;
  std::optional<int32_t> leader;  // also the same one again: a new leader epoch
  std::optional<int8_t> recovery_state;
  bool empty() const { return *this == PartitionChange(); }
  bool operator==(const PartitionChange&) const = default;
};

Record partition_change_record(const Uuid& topic, int32_t index, const PartitionChange& change,
                               RecordLevel level);

struct Election {
  const Partition& partition;
  std::vector<int32_t> isr;               // as it is to be
  std::function<bool(int32_t)> usable;    // may lead: it is active, and so is its directory
  std::vector<int32_t> unclean_shutdown;  // came back without what it had promised
  int32_t min_isr = 1;
  bool unclean = false;  // anybody may lead rather than nobody
  RecordLevel level;
};
// The change that the election brings. ELR: replicas that left the in-sync set while it was smaller
// than min_isr still have every committed record.
PartitionChange hold_election(const Election& election);

}  // namespace moldau::metadata
