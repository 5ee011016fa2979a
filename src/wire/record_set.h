// Record sets of any format: what Produce requests carry, logs hold and Fetch responses return.
// A set is a sequence of batches (format 2) or messages (0 and 1, a compressed one being the
// wrapper of others); here both are called batches. Used for conversion, by tools and clients; the
// broker's hot path looks at format 2 only (record_batch.h, produced_batch.h).
#pragma once
#include <optional>
#include <vector>

#include "wire/inflate.h"
#include "wire/legacy_message.h"
#include "wire/record_batch.h"

namespace moldau::wire {

// One batch of any format, as far as it can be told without decompressing.
struct AnyBatch {
  int8_t magic = 2;
  Codec codec = Codec::none;
  Bytes bytes;            // all of it
  BatchHeader header;     // format 2
  LegacyMessage message;  // formats 0 and 1
};

// The batch at the front of `in`. Errors: truncated (also if key or value of a message go past its
// end), corrupt.
Result<AnyBatch> read_any_batch(Bytes in);
// corrupt if its checksum does not hold.
Result<void> check_any_crc(const AnyBatch& batch);

// Batch after batch. finish() after next() returned false.
class SetWalk {
 public:
  SetWalk(Bytes in, BatchWalk::Torn torn) : left_(in), torn_(torn) {}
  bool next();
  const AnyBatch& batch() const { return batch_; }
  Result<void> finish() const { return result_; }

 private:
  Bytes left_;
  BatchWalk::Torn torn_;
  AnyBatch batch_;
  Result<void> result_;
};

// One record, whatever it was stored in. key, value and headers view the batch, or what was
// decompressed of it.
struct AnyRecord {
  Offset offset;
  int64_t timestamp = -1;  // format 0 has none
  NullableBytes key;
  NullableBytes value;
  int32_t header_count = 0;
  Bytes headers;  // for RecordHeaders
};

// The records of one batch. Decompressed as a whole: memory as InflateLimits says.
class BatchRecords {
 public:
  explicit BatchRecords(Inflater& inflater) : inflater_(inflater) {}
  BatchRecords(const BatchRecords&) = delete;
  BatchRecords& operator=(const BatchRecords&) = delete;

  // batch outlives the reading, the object too. Errors: unsupported (does not decompress),
  // too_large; of what a message wraps: corrupt (checksum, length), invalid (not what may be
  // wrapped), truncated (key or value go past the end).
  Result<void> open(const AnyBatch& batch);
  bool next();
  const AnyRecord& record() const { return record_; }
  TimestampType timestamp_type() const { return type_; }
  // After next() returned false.
  Result<void> finish() const;

 private:
  Result<void> inflate(Codec codec, Bytes block);
  Result<void> open_wrapper();
  Result<void> read_inner();
  bool next_legacy();

  Inflater& inflater_;
  const AnyBatch* batch_ = nullptr;
  TimestampType type_ = TimestampType::create_time;
  std::vector<uint8_t> inflated_;
  std::optional<RecordWalk> walk_;    // format 2
  std::vector<LegacyMessage> inner_;  // formats 0 and 1
  size_t at_ = 0;
  int64_t shift_ = 0;  // from inner offsets to those of the log
  AnyRecord record_;
};

}  // namespace moldau::wire
