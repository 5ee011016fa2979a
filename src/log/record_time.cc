#include "log/record_time.h"

#include "wire/record_batch.h"

namespace moldau::log {

std::optional<TimestampOffset> first_record_since(Bytes batch, WallTime t) {
  auto header = wire::read_batch_header(batch);
  if (!header || header->size() > batch.size() || header->max_timestamp < t.millis)
    return std::nullopt;
  bool one_time = header->timestamp_type() == wire::TimestampType::log_append_time;
  if (one_time || header->codec() != wire::Codec::none)
    return TimestampOffset{WallTime{header->max_timestamp}, header->base_offset};
  Bytes records = wire::RecordWalk::records_of(batch.first(header->size()));
  wire::RecordWalk walk(*header, records, wire::RecordWalk::Offsets::ascending);
  while (walk.next())
    if (walk.timestamp() >= t.millis)
      return TimestampOffset{WallTime{walk.timestamp()}, walk.offset()};
  return std::nullopt;
}

}  // namespace moldau::log
