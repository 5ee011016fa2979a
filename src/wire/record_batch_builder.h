// Builds a record batch of format 2: for producers, control records, internal topics, conversion
// and tests.
#pragma once
#include <optional>
#include <vector>

#include "wire/record_batch.h"

namespace moldau::wire {

class RecordBatchBuilder {
 public:
  struct Options {
    Offset base_offset;
    LeaderEpoch leader_epoch{-1};
    TimestampType timestamp_type = TimestampType::create_time;
    int64_t log_append_time = -1;  // max timestamp if the type says so
    ProducerId producer_id{-1};
    ProducerEpoch producer_epoch{-1};
    int32_t base_sequence = -1;
    bool transactional = false;
    bool control = false;
    Codec codec = Codec::none;
    std::optional<int> level;  // of the codec; nothing: the usual one
  };
  struct Header {
    std::string_view key;
    NullableBytes value;
  };

  RecordBatchBuilder() : RecordBatchBuilder(Options()) {}
  explicit RecordBatchBuilder(const Options& options);
  // Appends a record at the next offset. The first one's timestamp is the base timestamp.
  void add(int64_t timestamp, NullableBytes key, NullableBytes value,
           std::span<const Header> headers = {});
  // The same at any later offset: compaction leaves gaps.
  void add_at(Offset offset, int64_t timestamp, NullableBytes key, NullableBytes value,
              std::span<const Header> headers = {});
  int32_t record_count() const { return count_; }
  // Bytes so far, not compressed.
  size_t size() const { return out_.size(); }
  // The batch, complete; the builder is empty afterwards and must not be used again. At least one
  // record was added.
  std::vector<uint8_t> finish();

 private:
  void varint(int64_t v);
  void bytes(const NullableBytes& v);
  void compress_records();

  Options options_;
  std::vector<uint8_t> out_;
  std::vector<uint8_t> body_;  // of the record being added
  int32_t count_ = 0;
  int64_t last_delta_ = -1;
  int64_t base_timestamp_ = -1;
  int64_t max_timestamp_ = -1;
};

}  // namespace moldau::wire
