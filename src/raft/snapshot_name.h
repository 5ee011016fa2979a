// The names of snapshot files beside the metadata log: 00000000000000000041-0000000003.checkpoint
// holds what the log held before offset 41, whose last record is of epoch 3. Kafka's. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "raft/types.h"

namespace moldau::raft {

std::string snapshot_name(OffsetAndEpoch id);
// While it is received.
std::string snapshot_part_name(OffsetAndEpoch id);
// Nothing: another file, or one that is not whole or is being removed.
std::optional<OffsetAndEpoch> parse_snapshot_name(std::string_view name);
// Left of one that was not finished, by us or by Kafka.
bool is_part_of_snapshot(std::string_view name);

}  // namespace moldau::raft
