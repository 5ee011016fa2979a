// Which record of a batch is the first with a timestamp at or after a given one.
#pragma once
#include <optional>

#include "base/bytes.h"
#include "log/segment.h"

namespace moldau::log {

// batch: one whole batch. Exact for uncompressed batches and for LogAppendTime; for a compressed
// one the answer is its first offset and its largest timestamp. Nothing: all records are older, or
// the records do not parse.
std::optional<TimestampOffset> first_record_since(Bytes batch, WallTime t);

}  // namespace moldau::log
