// Record batches of format 2: reading and checking of headers and records, and the few changes that
// a broker makes in place. Batches are opaque otherwise: nothing here copies or decompresses.
// Layout: docs/formats/record-batch.md.
//
// Errors: truncated (ends before its length says), corrupt (checksum, or a length that cannot be),
// invalid (well formed and against the rules of producing), unsupported (formats 0 and 1, and
// codecs that do not exist).
#pragma once
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "wire/codec.h"
#include "wire/types.h"

namespace moldau::wire {

constexpr size_t kBatchHeaderSize = 61;  // up to the first record
constexpr size_t kBatchPrefixSize =
    12;  // base offset and length; the length counts what follows them
constexpr size_t kBatchCrcStart = 21;     // the checksum covers from here to the end
constexpr size_t kBatchMagicOffset = 16;  // in formats 0 and 1 too

enum class TimestampType : uint8_t { create_time = 0, log_append_time = 1 };

struct BatchHeader {
  static constexpr int16_t kCodecMask = 7, kLogAppendTime = 8, kTransactional = 16, kControl = 32,
                           kDeleteHorizon = 64;

  Offset base_offset;
  int32_t length = 0;  // after kBatchPrefixSize
  LeaderEpoch leader_epoch{-1};
  int8_t magic = 2;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = -1;  // milliseconds; the delete horizon if that bit is set
  int64_t max_timestamp = -1;
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  int32_t base_sequence = -1;
  int32_t record_count = 0;

  size_t size() const { return kBatchPrefixSize + static_cast<size_t>(length); }
  Offset last_offset() const { return base_offset + last_offset_delta; }
  Offset next_offset() const { return last_offset() + 1; }
  Codec codec() const { return static_cast<Codec>(attributes & kCodecMask); }
  TimestampType timestamp_type() const {
    return static_cast<TimestampType>((attributes & kLogAppendTime) != 0);
  }
  bool transactional() const { return attributes & kTransactional; }
  bool control() const { return attributes & kControl; }
  bool has_delete_horizon() const { return attributes & kDeleteHorizon; }
  bool has_producer() const { return producer_id.value >= 0; }
  // Sequences count on from 2147483647 at 0. -1 without a sequence.
  int32_t last_sequence() const;
  bool operator==(const BatchHeader&) const = default;
};

// The first batch of `in`, which begins with it; more may follow. Checks magic and that the length
// is possible; truncated only if the header itself is cut.
Result<BatchHeader> read_batch_header(Bytes in);

// The rules for a batch from a producer that need no look at its records: counts agree with
// offsets, codec exists, producers have sequences, no control batch.
Result<void> check_produced_header(const BatchHeader& header);

// batch: exactly one. corrupt if the checksum does not hold.
Result<void> check_batch_crc(Bytes batch);
uint32_t compute_batch_crc(Bytes batch);

// --- Changes in place. batch: exactly one, whose header has been read. ---

// Outside of the checksum.
void set_base_offset(MutableBytes batch, Offset base_offset);
void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch);
// What the broker does for LogAppendTime; updates the checksum. The base timestamp stays.
void set_max_timestamp(MutableBytes batch, TimestampType type, int64_t millis);

// --- Records ---

struct Record {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  NullableBytes key;
  NullableBytes value;
  int32_t header_count = 0;
  Bytes headers;  // encoded, checked; for RecordHeaders
};

// Walks the records of a batch that is not compressed (or of its decompressed records). Allocates
// nothing, and checks everything about their form:
//   RecordWalk walk(header, records);
//   while (walk.next()) use(walk.record());
//   TRY_(walk.finish());
class RecordWalk {
 public:
  // ascending: gaps that compaction left. any: as Kafka reads, who counts for himself.
  enum class Offsets : uint8_t { sequential, ascending, any };

  // records: what follows the header of the batch.
  RecordWalk(const BatchHeader& header, Bytes records, Offsets offsets = Offsets::sequential)
      : header_(header), left_(records), size_(records.size()), offsets_(offsets) {}
  // For a whole uncompressed batch of exactly header.size() bytes.
  static Bytes records_of(Bytes batch) { return batch.subspan(kBatchHeaderSize); }

  bool next();
  const Record& record() const { return record_; }
  Offset offset() const;
  // Milliseconds; that of the batch if the broker set it.
  int64_t timestamp() const;
  // After next() returned false: an error names the record and what is wrong with it.
  Result<void> finish() const;

 private:
  bool read_record();
  bool fail(std::string_view what);

  const BatchHeader& header_;
  Bytes left_;
  size_t size_;
  Offsets offsets_;
  Record record_;
  int32_t index_ = -1;
  int64_t last_delta_ = -1;
  std::string_view error_;
};

// The headers of a record that a RecordWalk has checked.
class RecordHeaders {
 public:
  explicit RecordHeaders(const Record& record)
      : left_(record.headers), count_(record.header_count) {}
  bool next();
  std::string_view key() const { return key_; }
  const NullableBytes& value() const { return value_; }

 private:
  Bytes left_;
  int32_t count_;
  std::string_view key_;
  NullableBytes value_;
};

// --- Consecutive batches ---

// Walks the batches in a range of bytes. What is cut at the end is an error in a produce request,
// and ordinary in a fetch response or at the end of a crashed log.
class BatchWalk {
 public:
  enum class Torn : uint8_t { refuse, tolerate };

  BatchWalk(Bytes in, Torn torn) : left_(in), size_(in.size()), torn_(torn) {}
  bool next();
  const BatchHeader& header() const { return header_; }
  Bytes batch() const { return batch_; }
  // Of the current batch, in bytes from the beginning; after the end, of what was not a whole
  // batch.
  size_t position() const { return size_ - left_.size() - batch_.size(); }
  // After next() returned false.
  Result<void> finish() const;

 private:
  bool fail(Error error);

  Bytes left_;
  size_t size_;
  Torn torn_;
  BatchHeader header_;
  Bytes batch_;
  Result<void> result_;
};

}  // namespace moldau::wire
