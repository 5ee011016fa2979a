// Messages of formats 0 and 1, which clients before Kafka 0.11 send and ask for. A message stands
// in a message set behind its offset and length; a compressed one wraps a set in its value. Layout:
// docs/formats/record-batch.md. What is common to all formats: record_set.h.
#pragma once
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/record_batch.h"

namespace moldau::wire {

constexpr size_t kLegacyPrefix = 12;  // offset and length
// Without key and value: checksum, magic, attributes, (1: timestamp,) two lengths.
constexpr size_t legacy_overhead(int8_t magic) { return magic == 0 ? 14 : 22; }

struct LegacyMessage {
  Offset offset;
  int32_t length = 0;  // after kLegacyPrefix
  uint32_t crc = 0;
  int8_t magic = 0;
  int8_t attributes = 0;
  int64_t timestamp = -1;  // format 1
  NullableBytes key;
  NullableBytes value;

  size_t size() const { return kLegacyPrefix + static_cast<size_t>(length); }
  Codec codec() const { return static_cast<Codec>(attributes & BatchHeader::kCodecMask); }
  bool stamped() const { return magic == 1 && (attributes & BatchHeader::kLogAppendTime); }
};

// What stands before key and value.
constexpr size_t legacy_header_size(int8_t magic) { return magic == 0 ? 18 : 26; }
// Of that much at the front of `in`; key and value stay null. Errors: as read_legacy_message.
Result<LegacyMessage> read_legacy_header(Bytes in);
// Whether all of the message at the front of `in` is there; true also if its length cannot be.
bool whole_legacy_message(Bytes in);
// The message at the front of `in`. Errors: truncated (also if key or value go past its end),
// corrupt (format or length cannot be).
Result<LegacyMessage> read_legacy_message(Bytes in);
// message: exactly one. corrupt if the checksum (CRC-32, not C) does not hold.
Result<void> check_legacy_crc(Bytes message);
uint32_t compute_legacy_crc(Bytes message);
// The checksum of a message's bytes from its magic on, if they come in pieces.
uint32_t legacy_crc(Bytes piece, uint32_t so_far = 0);

// Appends one message; its length and checksum are computed.
void write_legacy_message(const LegacyMessage& message, std::vector<uint8_t>& out);

// Builds a message set of format 0 or 1, compressed as one wrapper if a codec is given.
class LegacySetBuilder {
 public:
  struct Options {
    int8_t magic = 1;
    Codec codec = Codec::none;  // zstd came with format 2
    int level = 0;
    TimestampType timestamp_type = TimestampType::create_time;
    int64_t log_append_time = -1;  // of all, if the type says so
    Offset base_offset;            // inner offsets of format 1 count from here
  };
  explicit LegacySetBuilder(const Options& options) : options_(options) {}
  void add(Offset offset, int64_t timestamp, NullableBytes key, NullableBytes value);
  int32_t record_count() const { return count_; }
  // The set; the builder must not be used again. Empty if nothing was added.
  std::vector<uint8_t> finish();

 private:
  const Options options_;
  std::vector<uint8_t> out_;
  int32_t count_ = 0;
  Offset last_;
  int64_t max_timestamp_ = -1;
};

}  // namespace moldau::wire
