// A wire batch header as the log sees it: what stands where in a segment.
#pragma once
#include "log/producer_state.h"
#include "log/segment.h"
#include "wire/record_batch.h"

namespace moldau::log {

inline BatchInfo batch_info(const wire::BatchHeader& header, int64_t position) {
  return {header.base_offset,
          header.last_offset(),
          position,
          static_cast<int64_t>(header.size()),
          header.max_timestamp,
          header.leader_epoch,
          producer_part(header)};
}

inline PlacedBatch placed(const BatchInfo& batch) {
  return {batch.producer, batch.base, static_cast<int32_t>(batch.last - batch.base),
          batch.max_timestamp};
}

}  // namespace moldau::log
