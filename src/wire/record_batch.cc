#include "wire/record_batch.h"

#include <fmt/format.h>

#include <limits>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/varint.h"

namespace moldau::wire {
namespace {

// Places in the header.
constexpr size_t kLengthAt = 8, kEpochAt = 12, kCrcAt = 17, kAttributesAt = 21, kLastDeltaAt = 23,
                 kBaseTimestampAt = 27, kMaxTimestampAt = 35, kProducerIdAt = 43,
                 kProducerEpochAt = 51, kSequenceAt = 53, kCountAt = 57;
constexpr int32_t kLeastLength = kBatchHeaderSize - kBatchPrefixSize;
constexpr int32_t kLeastLegacyLength = 14;  // checksum, magic, attributes, two lengths
constexpr int8_t kMagic = 2;

Result<void> check_length(int8_t magic, int32_t length) {
  int32_t least = magic < kMagic ? kLeastLegacyLength : kLeastLength;
  if (length >= least) return {};
  return fail(Errc::corrupt,
              fmt::format("record batch of {} bytes, its header alone takes {}", length, least));
}

// Signed varint from the front of *in; false if there is none.
bool take_varint(Bytes* in, int32_t* value) {
  uint32_t raw = 0;
  size_t n = read_varint(*in, &raw);
  *in = in->subspan(n);
  *value = unzigzag(raw);
  return n > 0;
}
bool take_varint(Bytes* in, int64_t* value) {
  uint64_t raw = 0;
  size_t n = read_varint(*in, &raw);
  *in = in->subspan(n);
  *value = unzigzag(raw);
  return n > 0;
}

// A length (below 0: null) and that many bytes.
bool take_bytes(Bytes* in, NullableBytes* value) {
  int32_t n = 0;
  if (!take_varint(in, &n)) return false;
  if (n < 0) {
    value->reset();
    return true;
  }
  if (static_cast<size_t>(n) > in->size()) return false;
  *value = in->first(static_cast<size_t>(n));
  *in = in->subspan(static_cast<size_t>(n));
  return true;
}

}  // namespace

int32_t BatchHeader::last_sequence() const {
  if (base_sequence < 0) return -1;
  int64_t last = int64_t{base_sequence} + last_offset_delta;
  constexpr int64_t kWrap = int64_t{std::numeric_limits<int32_t>::max()} + 1;
  return static_cast<int32_t>(last % kWrap);
}

Result<BatchHeader> read_batch_header(Bytes in) {
  if (in.size() <= kBatchMagicOffset)
    return fail(Errc::truncated, fmt::format("record batch header cut after {} bytes", in.size()));
  const uint8_t* p = in.data();
  BatchHeader h;
  h.length = load_be<int32_t>(p + kLengthAt);
  h.magic = load_be<int8_t>(p + kBatchMagicOffset);
  if (h.magic < 0 || h.magic > kMagic)
    return fail(Errc::corrupt, fmt::format("record batch of unknown format {}", h.magic));
  TRY_(check_length(h.magic, h.length));
  if (h.magic < kMagic)
    return fail(Errc::unsupported,
                fmt::format("message format {} is not supported yet, only {}", h.magic, kMagic));
  if (in.size() < kBatchHeaderSize)
    return fail(Errc::truncated, fmt::format("record batch header cut after {} bytes", in.size()));
  h.base_offset = Offset(load_be<int64_t>(p));
  h.leader_epoch = LeaderEpoch(load_be<int32_t>(p + kEpochAt));
  h.crc = load_be<uint32_t>(p + kCrcAt);
  h.attributes = load_be<int16_t>(p + kAttributesAt);
  h.last_offset_delta = load_be<int32_t>(p + kLastDeltaAt);
  h.base_timestamp = load_be<int64_t>(p + kBaseTimestampAt);
  h.max_timestamp = load_be<int64_t>(p + kMaxTimestampAt);
  h.producer_id = ProducerId(load_be<int64_t>(p + kProducerIdAt));
  h.producer_epoch = ProducerEpoch(load_be<int16_t>(p + kProducerEpochAt));
  h.base_sequence = load_be<int32_t>(p + kSequenceAt);
  h.record_count = load_be<int32_t>(p + kCountAt);
  return h;
}

Result<void> check_produced_header(const BatchHeader& h) {
  if (h.record_count <= 0)
    return fail(Errc::invalid, fmt::format("batch of {} records", h.record_count));
  if (int64_t{h.last_offset_delta} + 1 != h.record_count)
    return fail(Errc::invalid, fmt::format("batch of {} records with offsets for {}",
                                           h.record_count, int64_t{h.last_offset_delta} + 1));
  if (h.codec() > Codec::zstd)
    return fail(Errc::unsupported,
                fmt::format("compression {} does not exist", static_cast<int>(h.codec())));
  if (h.has_producer() && h.base_sequence < 0)
    return fail(Errc::invalid,
                fmt::format("producer {} with sequence {}", h.producer_id, h.base_sequence));
  if (h.control()) return fail(Errc::invalid, "clients may not write control batches");
  return {};
}

uint32_t compute_batch_crc(Bytes batch) { return crc32c(batch.subspan(kBatchCrcStart)); }

Result<void> check_batch_crc(Bytes batch) {
  uint32_t stored = load_be<uint32_t>(batch.data() + kCrcAt);
  uint32_t computed = compute_batch_crc(batch);
  if (stored == computed) return {};
  return fail(Errc::corrupt,
              fmt::format("checksum of the batch at offset {} is {:08x}, its bytes have {:08x}",
                          load_be<int64_t>(batch.data()), stored, computed));
}

void set_base_offset(MutableBytes batch, Offset base_offset) {
  store_be(batch.data(), base_offset.value);
}
void set_leader_epoch(MutableBytes batch, LeaderEpoch epoch) {
  store_be(batch.data() + kEpochAt, epoch.value);
}

void set_max_timestamp(MutableBytes batch, TimestampType type, int64_t millis) {
  CHECK(batch.size() >= kBatchHeaderSize, "{} bytes", batch.size());
  int16_t attributes = load_be<int16_t>(batch.data() + kAttributesAt);
  attributes = static_cast<int16_t>(attributes & ~BatchHeader::kLogAppendTime);
  if (type == TimestampType::log_append_time) attributes |= BatchHeader::kLogAppendTime;
  store_be(batch.data() + kAttributesAt, attributes);
  store_be(batch.data() + kMaxTimestampAt, millis);
  store_be(batch.data() + kCrcAt, compute_batch_crc(batch));
}

bool RecordWalk::fail(std::string_view what) {
  error_ = what;
  return false;
}

bool RecordWalk::next() {
  if (!error_.empty() || index_ + 1 >= header_.record_count) return false;
  index_++;
  return read_record();
}

bool RecordWalk::read_record() {
  int32_t length = 0;
  if (!take_varint(&left_, &length)) return fail("its length is cut or no varint");
  if (length < 0 || static_cast<size_t>(length) > left_.size())
    return fail("its length goes past the batch");
  Bytes body = left_.first(static_cast<size_t>(length));
  left_ = left_.subspan(static_cast<size_t>(length));
  if (body.empty()) return fail("it is empty");
  body = body.subspan(1);  // attributes, of no use so far
  if (!take_varint(&body, &record_.timestamp_delta))
    return fail("its timestamp is cut or no varint");
  if (!take_varint(&body, &record_.offset_delta)) return fail("its offset is cut or no varint");
  if (!take_bytes(&body, &record_.key)) return fail("its key goes past its end");
  if (!take_bytes(&body, &record_.value)) return fail("its value goes past its end");
  if (!take_varint(&body, &record_.header_count) || record_.header_count < 0)
    return fail("its number of headers is cut or negative");
  if (static_cast<size_t>(record_.header_count) > body.size())
    return fail("it has more headers than bytes");
  record_.headers = body;
  for (int32_t i = 0; i < record_.header_count; i++) {
    NullableBytes key, value;
    if (!take_bytes(&body, &key) || !take_bytes(&body, &value))
      return fail("a header goes past its end");
    if (!key) return fail("a header has no key");
  }
  if (!body.empty()) return fail("it is shorter than its length");
  if (offsets_ == Offsets::any) return true;
  bool follows = offsets_ == Offsets::sequential ? record_.offset_delta == last_delta_ + 1
                                                 : record_.offset_delta > last_delta_;
  if (!follows) return fail("its offset does not follow the one before");
  if (record_.offset_delta > header_.last_offset_delta)
    return fail("its offset is past the batch's last");
  last_delta_ = record_.offset_delta;
  return true;
}

// Both wrap as Java's addition does: a producer may send anything.
Offset RecordWalk::offset() const {
  return Offset(static_cast<int64_t>(static_cast<uint64_t>(header_.base_offset.value) +
                                     static_cast<uint64_t>(int64_t{record_.offset_delta})));
}

int64_t RecordWalk::timestamp() const {
  if (header_.timestamp_type() == TimestampType::log_append_time) return header_.max_timestamp;
  return static_cast<int64_t>(static_cast<uint64_t>(header_.base_timestamp) +
                              static_cast<uint64_t>(record_.timestamp_delta));
}

Result<void> RecordWalk::finish() const {
  if (!error_.empty())
    return moldau::fail(Errc::invalid,
                        fmt::format("record {} of {} in the batch at offset {}: {}", index_,
                                    header_.record_count, header_.base_offset, error_));
  if (!left_.empty())
    return moldau::fail(
        Errc::invalid,
        fmt::format("{} bytes behind the last of {} records in the batch at offset {}",
                    left_.size(), header_.record_count, header_.base_offset));
  return {};
}

bool RecordHeaders::next() {
  if (count_ <= 0) return false;
  count_--;
  NullableBytes key;
  if (!take_bytes(&left_, &key) || !take_bytes(&left_, &value_) || !key) {
    count_ = 0;
    return false;
  }
  key_ = as_text(*key);
  return true;
}

bool BatchWalk::fail(Error error) {
  result_ = Result<void>(std::move(error).in(fmt::format("byte {}", position())));
  return false;
}

bool BatchWalk::next() {
  batch_ = {};
  if (left_.empty() || !result_) return false;
  Result<BatchHeader> header = read_batch_header(left_);
  bool cut = header ? header->size() > left_.size() : header.error().code() == Errc::truncated;
  if (cut && torn_ == Torn::tolerate) return false;
  if (!header) return fail(std::move(header.error()));
  if (cut)
    return fail(moldau::fail(Errc::truncated, fmt::format("record batch of {} bytes cut after {}",
                                                          header->size(), left_.size())));
  header_ = *header;
  batch_ = left_.first(header_.size());
  left_ = left_.subspan(header_.size());
  return true;
}

Result<void> BatchWalk::finish() const { return result_; }

}  // namespace moldau::wire
