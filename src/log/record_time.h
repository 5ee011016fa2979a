// Which record of a batch is the first with a timestamp at or after a given one.
#pragma once
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "log/segment.h"

namespace moldau::log {

// Of the records at or behind `from`. batch: one whole batch of any format, decompressed if it has
// to be. Nothing: all of them are older. Errors: as wire::BatchRecords.
Result<std::optional<TimestampOffset>> first_record_since(Bytes batch, Offset from, WallTime t);

}  // namespace moldau::log
