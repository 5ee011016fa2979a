#include "log/record_time.h"

#include "wire/record_set.h"

namespace moldau::log {

Result<std::optional<TimestampOffset>> first_record_since(Bytes batch, Offset from, WallTime t) {
  TRY(any, wire::read_any_batch(batch));
  wire::Inflater inflater;
  wire::BatchRecords records(inflater);
  TRY_(records.open(any));
  while (records.next()) {
    const wire::AnyRecord& record = records.record();
    if (record.timestamp >= t.millis && record.offset >= from)
      return std::optional(TimestampOffset{WallTime{record.timestamp}, record.offset});
  }
  TRY_(records.finish());
  return std::optional<TimestampOffset>();
}

}  // namespace moldau::log
