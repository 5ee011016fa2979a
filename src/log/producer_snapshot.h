// The producer snapshot: a partition's producers as of an offset, in the file <offset>.snapshot.
// Layout: docs/formats/producer-snapshot.md. Pure.
#pragma once
#include <cstdint>
#include <vector>

#include "log/producer_state.h"

namespace moldau::log {

// By producer id. Of each producer the last batch only: what a restart knows less is Kafka's way.
std::vector<uint8_t> encode_producer_snapshot(const ProducerState& state);
// Errors: corrupt (cut, checksum, a count that the bytes do not hold, the same producer twice),
// unsupported (a version that is not 1).
Result<std::vector<ProducerEntry>> decode_producer_snapshot(Bytes in);

}  // namespace moldau::log
