// Record batches as the simulated clients make and read them: each record carries who sent it and
// which of his it is, and bytes that follow from that, so that any change to it shows.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"

namespace moldau::kafka {

struct RecordId {
  uint32_t client = 0;
  uint32_t sequence = 0;
  auto operator<=>(const RecordId&) const = default;
  std::string to_string() const;
};

// One batch of format v2 with the records `first`, the one after it, and so on.
std::vector<uint8_t> make_batch(RecordId first, uint32_t count, int64_t timestamp);

// Calls record(offset, id) for each record of the whole batches in `bytes`; an incomplete batch at
// the end is what Kafka sends when a limit cuts it. Returns what is wrong with the bytes, or
// nothing.
std::string read_batches(Bytes bytes, const std::function<void(Offset, RecordId)>& record);

}  // namespace moldau::kafka
