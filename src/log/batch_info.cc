#include "log/batch_info.h"

#include <fmt/format.h>

#include "wire/legacy_message.h"

namespace moldau::log {

namespace {
bool old_format(Bytes in) {
  if (in.size() <= wire::kBatchMagicOffset) return false;
  int8_t magic = load_be<int8_t>(in.data() + wire::kBatchMagicOffset);
  return magic == 0 || magic == 1;
}
}  // namespace

BatchInfo batch_info(const wire::BatchHeader& header, int64_t position) {
  return {header.base_offset,
          header.last_offset(),
          position,
          static_cast<int64_t>(header.size()),
          header.max_timestamp,
          header.leader_epoch,
          producer_part(header)};
}

size_t batch_head_size(Bytes in) {
  if (in.size() <= wire::kBatchMagicOffset) return wire::kBatchMagicOffset + 1;
  if (!old_format(in)) return wire::kBatchHeaderSize;
  return wire::legacy_header_size(load_be<int8_t>(in.data() + wire::kBatchMagicOffset));
}

Result<BatchInfo> read_batch_info(Bytes in, int64_t position, Offset from) {
  if (old_format(in)) {
    TRY(message, wire::read_legacy_header(in));
    if (message.offset.value < 0)
      return fail(Errc::corrupt, fmt::format("message at offset {}", message.offset));
    bool compressed = message.codec() != wire::Codec::none;
    Offset base = compressed ? std::min(from, message.offset) : message.offset;
    return BatchInfo{.base = base,
                     .last = message.offset,
                     .position = position,
                     .size = static_cast<int64_t>(message.size()),
                     .max_timestamp = message.timestamp,
                     .epoch = LeaderEpoch(-1)};
  }
  TRY(header, wire::read_batch_header(in));
  if (header.last_offset_delta < 0 ||
      header.base_offset.value > INT64_MAX - header.last_offset_delta)
    return fail(Errc::corrupt, fmt::format("batch at offset {} and {} more", header.base_offset,
                                           header.last_offset_delta));
  return batch_info(header, position);
}

}  // namespace moldau::log
