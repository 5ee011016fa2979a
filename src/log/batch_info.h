// A batch as the log sees it: what stands where in a segment. Of any format: a message of format 0
// or 1 is a batch too.
#pragma once
#include "log/producer_state.h"
#include "log/segment.h"
#include "wire/record_batch.h"

namespace moldau::log {

BatchInfo batch_info(const wire::BatchHeader& header, int64_t position);

// So many bytes at the front of a batch tell all of its BatchInfo. in: what is known of them; the
// answer is larger as long as that is not enough.
size_t batch_head_size(Bytes in);
// in: that many bytes, more or less. from: no record of the batch lies before. Of a compressed
// message of an old format nothing but its content tells the first offset: `from` stands for it.
// Errors: truncated, corrupt (also offsets that cannot be).
Result<BatchInfo> read_batch_info(Bytes in, int64_t position, Offset from);

inline PlacedBatch placed(const BatchInfo& batch) {
  return {batch.producer, batch.base, static_cast<int32_t>(batch.last - batch.base),
          batch.max_timestamp};
}

}  // namespace moldau::log
