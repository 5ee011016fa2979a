#include "wire/produced_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "base/varint.h"

namespace moldau::wire {
namespace {

constexpr size_t kPrefix = 12;  // base offset and length
constexpr size_t kHeader = 61;
constexpr size_t kLeastBatch = 14;  // of anything that has a magic byte, in any format
constexpr size_t kMagicAt = 16, kCrcAt = 17, kAttributesAt = 21, kLastDeltaAt = 23,
                 kBaseTimestampAt = 27, kMaxTimestampAt = 35, kProducerIdAt = 43, kCountAt = 57;
constexpr int16_t kCodecMask = 7, kLogAppendTime = 8, kControl = 32;
constexpr int16_t kZstd = 4, kLastCodec = 4;
constexpr int16_t kFirstZstdVersion = 7;

int16_t attributes(Bytes batch) { return load_be<int16_t>(batch.data() + kAttributesAt); }

BatchFault refuse(ErrorCode error, std::string text = {}) {
  return {.error = error, .text = std::move(text)};
}
BatchFault refuse_in_log(ErrorCode error) { return {.error = error, .in_log = true}; }

// What is known before the log sees it: exactly one whole batch of format v2.
BatchFault check_shape(Bytes records, const ProduceRules& rules, size_t* size) {
  if (records.size() < kCrcAt) return refuse(ErrorCode::invalid_record);
  int32_t length = load_be<int32_t>(records.data() + 8);
  if (length < static_cast<int32_t>(kLeastBatch))
    return refuse(ErrorCode::corrupt_message,
                  fmt::format("Record size {} is less than the minimum record overhead ({})",
                              length, kLeastBatch));
  *size = kPrefix + static_cast<size_t>(length);
  if (*size > records.size()) return refuse(ErrorCode::invalid_record);
  int8_t magic = static_cast<int8_t>(records[kMagicAt]);
  if (magic < 0 || magic > 2)
    return refuse(ErrorCode::corrupt_message,
                  fmt::format("Invalid magic found in record: {}", magic));
  if (magic < 2) return refuse(ErrorCode::invalid_record);
  if (*size < kHeader) return refuse(ErrorCode::corrupt_message);
  bool another = records.size() - *size >= kPrefix + kLeastBatch;
  if (another) return refuse(ErrorCode::invalid_record);
  if ((attributes(records) & kCodecMask) == kZstd && rules.version < kFirstZstdVersion)
    return refuse(ErrorCode::unsupported_compression_type);
  return {};
}

BatchFault check_header(Bytes batch, const ProduceRules& rules) {
  if (static_cast<int64_t>(batch.size()) > rules.max_batch_bytes)
    return refuse(ErrorCode::message_too_large);
  if (crc32c(batch.subspan(kAttributesAt)) != load_be<uint32_t>(batch.data() + kCrcAt))
    return refuse(ErrorCode::corrupt_message);
  int16_t flags = attributes(batch);
  if (load_be<int64_t>(batch.data()) != 0 || (flags & kControl))
    return refuse_in_log(ErrorCode::invalid_record);
  int32_t count = load_be<int32_t>(batch.data() + kCountAt);
  int32_t last_delta = load_be<int32_t>(batch.data() + kLastDeltaAt);
  if (count <= 0 || int64_t{last_delta} + 1 != count)
    return refuse_in_log(ErrorCode::invalid_record);
  if ((flags & kCodecMask) > kLastCodec) return refuse_in_log(ErrorCode::unknown_server_error);
  return {};
}

// Reads the fields of records. Every record of every producer passes here: pointers, and short
// varints without a call.
class RecordReader {
 public:
  explicit RecordReader(Bytes in) : at_(in.data()), end_(in.data() + in.size()) {}
  bool ok() const { return ok_; }
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  void skip(int64_t n) {
    if (n < 0 || n > end_ - at_) ok_ = false, n = 0;
    at_ += n;
  }
  int32_t varint() { return unzigzag(number<uint32_t>()); }
  int64_t varlong() { return unzigzag(number<uint64_t>()); }
  Bytes part(int32_t n) {
    const uint8_t* begin = at_;
    skip(n);
    return {begin, at_};
  }
  void nullable() {
    int32_t n = varint();
    if (n >= 0) skip(n);
  }

 private:
  template <class T>
  T number() {
    if (at_ < end_ && at_[0] < 0x80) return *at_++;
    if (end_ - at_ < 2 || at_[1] >= 0x80) return any_number<T>();
    at_ += 2;
    return (at_[-2] & T{0x7f}) | T{at_[-1]} << 7;
  }
  template <class T>
  T any_number() {
    T v = 0;
    size_t n = read_varint(Bytes(at_, end_), &v);
    ok_ &= n > 0;
    at_ += n;
    return v;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

// One record without its length; *delta is its timestamp's.
bool walk_record(Bytes body, int64_t* delta) {
  RecordReader in(body);
  in.skip(1);  // attributes, unused
  *delta = in.varlong();
  in.varint();    // offset delta: whatever it says, the log counts
  in.nullable();  // key
  in.nullable();  // value
  int32_t headers = in.varint();
  if (headers < 0) return false;
  for (int32_t i = 0; i < headers && in.ok(); i++) {
    in.skip(in.varint());  // its key, never null
    in.nullable();
  }
  return in.ok() && in.left() == 0;
}

bool too_late(int64_t timestamp, const ProduceRules& rules) {
  return timestamp > rules.now.millis + rules.max_ahead_millis;
}

BatchFault refuse_timestamp(int64_t timestamp, int32_t index, const ProduceRules& rules) {
  BatchFault fault{.error = ErrorCode::invalid_timestamp,
                   .text = "One or more records have been rejected due to invalid timestamp",
                   .record = index,
                   .in_log = true};
  // message.timestamp.before.max.ms has no limit by default: the earliest is now less the largest
  // number there is.
  fault.record_text = fmt::format(
      "Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, "
      "{}]",
      timestamp, index, rules.now.millis - INT64_MAX, rules.now.millis + rules.max_ahead_millis);
  return fault;
}

BatchFault walk_records(Bytes batch, const ProduceRules& rules, int64_t* max_timestamp) {
  int32_t count = load_be<int32_t>(batch.data() + kCountAt);
  int64_t base = load_be<int64_t>(batch.data() + kBaseTimestampAt);
  RecordReader in(batch.subspan(kHeader));
  for (int32_t i = 0; i < count; i++) {
    Bytes body = in.part(in.varint());
    int64_t delta = 0;
    if (!in.ok() || !walk_record(body, &delta)) return refuse_in_log(ErrorCode::invalid_record);
    int64_t timestamp =
        static_cast<int64_t>(static_cast<uint64_t>(base) + static_cast<uint64_t>(delta));
    if (too_late(timestamp, rules)) return refuse_timestamp(timestamp, i, rules);
    *max_timestamp = std::max(*max_timestamp, timestamp);
  }
  return in.left() == 0 ? BatchFault() : refuse_in_log(ErrorCode::invalid_record);
}

// Both lie in one short run of bytes behind the CRC: it is patched, the records are not read again.
void set_timestamp(MutableBytes batch, int64_t max_timestamp) {
  constexpr size_t kRun = kProducerIdAt - kAttributesAt;
  MutableBytes run = batch.subspan(kAttributesAt, kRun);
  uint8_t before[kRun];
  std::memcpy(before, run.data(), kRun);
  store_be(batch.data() + kAttributesAt, static_cast<int16_t>(attributes(batch) & ~kLogAppendTime));
  store_be(batch.data() + kMaxTimestampAt, max_timestamp);
  if (std::memcmp(before, run.data(), kRun) == 0) return;
  uint32_t crc = load_be<uint32_t>(batch.data() + kCrcAt);
  store_be(batch.data() + kCrcAt,
           crc32c_patch(crc, Bytes(before, kRun), run, batch.size() - kProducerIdAt));
}

}  // namespace

ProducedBatch check_produced(MutableBytes records, const ProduceRules& rules) {
  ProducedBatch out;
  size_t size = 0;
  out.fault = check_shape(records, rules, &size);
  if (out.fault.error != ErrorCode::none) return out;
  out.bytes = records.first(size);
  out.fault = check_header(out.bytes, rules);
  if (out.fault.error != ErrorCode::none) return out;
  out.records = load_be<int32_t>(out.bytes.data() + kCountAt);
  int64_t max_timestamp = -1;
  bool compressed = (attributes(out.bytes) & kCodecMask) != 0;
  int64_t claimed = load_be<int64_t>(out.bytes.data() + kMaxTimestampAt);
  if (!compressed)
    out.fault = walk_records(out.bytes, rules, &max_timestamp);
  else if (too_late(claimed, rules))
    out.fault = refuse_timestamp(claimed, out.records - 1, rules);
  if (out.fault.error == ErrorCode::none && !compressed) set_timestamp(out.bytes, max_timestamp);
  return out;
}

}  // namespace moldau::wire
