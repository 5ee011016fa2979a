// Batches of format 2 for consumers that know only the older formats: Fetch 0 and 1 carry format 0,
// Fetch 2 and 3 format 1. The other direction is part of producing: produced_batch.h.
#pragma once
#include <vector>

#include "wire/inflate.h"
#include "wire/record_set.h"

namespace moldau::wire {

// batches: whole ones of any format; what is cut at the end is left out. magic: 0 or 1. Control
// batches and headers are dropped, and records below `from` where they stand alone; batches of
// `magic` or an older format stay as they are. Errors: unsupported (zstd: no older format has it),
// and what is wrong with the batches.
Result<std::vector<uint8_t>> down_convert(Bytes batches, int8_t magic, Offset from,
                                          Inflater& inflater);

}  // namespace moldau::wire
