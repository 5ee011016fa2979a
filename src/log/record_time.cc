#include "log/record_time.h"

#include "base/varint.h"
#include "log/batch_fields.h"

namespace moldau::log {
namespace {

constexpr int16_t kCodec = 0x7, kAppendTime = 0x8;

struct RecordHead {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
};

// Reads the front of one record and takes the whole of it off `in`.
std::optional<RecordHead> take_record(Bytes& in) {
  uint32_t length = 0, offset = 0;
  uint64_t time = 0;
  size_t n = read_varint(in, &length);
  int64_t body = unzigzag(length);
  if (n == 0 || body < 1 || body > std::ssize(in) - static_cast<int64_t>(n)) return std::nullopt;
  Bytes record = in.subspan(n, static_cast<size_t>(body));
  in = in.subspan(n + static_cast<size_t>(body));
  record = record.subspan(1);  // attributes
  n = read_varint(record, &time);
  if (n == 0 || read_varint(record.subspan(n), &offset) == 0) return std::nullopt;
  return RecordHead{unzigzag(time), unzigzag(offset)};
}

}  // namespace

std::optional<TimestampOffset> first_record_since(Bytes batch, WallTime t) {
  if (batch.size() < kBatchHeader) return std::nullopt;
  BatchInfo info = batch_info(batch.data(), 0);
  if (info.max_timestamp < t.millis) return std::nullopt;
  int16_t attributes = load_be<int16_t>(batch.data() + 21);
  if (attributes & (kCodec | kAppendTime))
    return TimestampOffset{WallTime{info.max_timestamp}, info.base};
  int64_t base_timestamp = load_be<int64_t>(batch.data() + 27);
  Bytes rest = batch.subspan(kBatchHeader);
  while (!rest.empty()) {
    auto record = take_record(rest);
    if (!record) return std::nullopt;
    int64_t timestamp = static_cast<int64_t>(static_cast<uint64_t>(base_timestamp) +
                                             static_cast<uint64_t>(record->timestamp_delta));
    if (timestamp >= t.millis)
      return TimestampOffset{WallTime{timestamp}, info.base + record->offset_delta};
  }
  return std::nullopt;
}

}  // namespace moldau::log
