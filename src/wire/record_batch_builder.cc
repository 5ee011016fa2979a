#include "wire/record_batch_builder.h"

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/varint.h"
#include "wire/compress.h"

namespace moldau::wire {
namespace {

void append_varint(std::vector<uint8_t>& out, int64_t v) {
  uint8_t encoded[kMaxVarint64];
  size_t n = write_varint(encoded, zigzag(v));
  out.insert(out.end(), encoded, encoded + n);
}

}  // namespace

RecordBatchBuilder::RecordBatchBuilder(const Options& options)
    : options_(options), out_(kBatchHeaderSize) {}

void RecordBatchBuilder::varint(int64_t v) { append_varint(body_, v); }

void RecordBatchBuilder::bytes(const NullableBytes& v) {
  varint(v ? static_cast<int64_t>(v->size()) : -1);
  if (v) body_.insert(body_.end(), v->begin(), v->end());
}

void RecordBatchBuilder::add(int64_t timestamp, NullableBytes key, NullableBytes value,
                             std::span<const Header> headers) {
  add_at(options_.base_offset + last_delta_ + 1, timestamp, key, value, headers);
}

void RecordBatchBuilder::add_at(Offset offset, int64_t timestamp, NullableBytes key,
                                NullableBytes value, std::span<const Header> headers) {
  int64_t delta = offset - options_.base_offset;
  CHECK(delta > last_delta_ && delta <= std::numeric_limits<int32_t>::max(), "offset {} after {}",
        offset, options_.base_offset + last_delta_);
  if (count_ == 0) base_timestamp_ = timestamp;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  last_delta_ = delta;
  count_++;

  body_.clear();
  body_.push_back(0);  // attributes
  varint(static_cast<int64_t>(static_cast<uint64_t>(timestamp) -
                              static_cast<uint64_t>(base_timestamp_)));
  varint(delta);
  bytes(key);
  bytes(value);
  varint(static_cast<int64_t>(headers.size()));
  for (const Header& header : headers) {
    bytes(as_bytes(header.key));
    bytes(header.value);
  }
  append_varint(out_, static_cast<int64_t>(body_.size()));
  out_.insert(out_.end(), body_.begin(), body_.end());
}

void RecordBatchBuilder::compress_records() {
  if (options_.codec == Codec::none) return;
  std::vector<uint8_t> packed(kBatchHeaderSize);
  int level = options_.level.value_or(level_range(options_.codec).usual);
  compress(options_.codec, level, 2, Bytes(out_).subspan(kBatchHeaderSize), packed);
  out_ = std::move(packed);
}

std::vector<uint8_t> RecordBatchBuilder::finish() {
  CHECK(count_ > 0, "a batch has at least one record");
  compress_records();
  auto attributes = static_cast<int16_t>(options_.codec);
  bool stamped = options_.timestamp_type == TimestampType::log_append_time;
  if (stamped) attributes |= BatchHeader::kLogAppendTime;
  if (options_.transactional) attributes |= BatchHeader::kTransactional;
  if (options_.control) attributes |= BatchHeader::kControl;
  uint8_t* p = out_.data();
  store_be(p, options_.base_offset.value);
  store_be(p + 8, static_cast<int32_t>(out_.size() - kBatchPrefixSize));
  store_be(p + 12, options_.leader_epoch.value);
  store_be(p + 16, int8_t{2});
  store_be(p + 21, attributes);
  store_be(p + 23, static_cast<int32_t>(last_delta_));
  store_be(p + 27, base_timestamp_);
  store_be(p + 35, stamped ? options_.log_append_time : max_timestamp_);
  store_be(p + 43, options_.producer_id.value);
  store_be(p + 51, options_.producer_epoch.value);
  store_be(p + 53, options_.base_sequence);
  store_be(p + 57, count_);
  store_be(p + 17, compute_batch_crc(out_));
  return std::move(out_);
}

}  // namespace moldau::wire
