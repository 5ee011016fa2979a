#include "wire/record_set.h"

#include <fmt/format.h>

namespace moldau::wire {

Result<AnyBatch> read_any_batch(Bytes in) {
  if (in.size() <= kBatchMagicOffset)
    return fail(Errc::truncated, fmt::format("record batch cut after {} bytes", in.size()));
  AnyBatch out;
  out.magic = load_be<int8_t>(in.data() + kBatchMagicOffset);
  if (out.magic == 0 || out.magic == 1) {
    TRY(message, read_legacy_message(in));
    out.message = message;
    out.codec = message.codec();
    out.bytes = in.first(message.size());
    return out;
  }
  TRY(header, read_batch_header(in));
  if (header.size() > in.size())
    return fail(Errc::truncated,
                fmt::format("record batch of {} bytes cut after {}", header.size(), in.size()));
  out.header = header;
  out.codec = header.codec();
  out.bytes = in.first(header.size());
  return out;
}

Result<void> check_any_crc(const AnyBatch& batch) {
  return batch.magic < 2 ? check_legacy_crc(batch.bytes) : check_batch_crc(batch.bytes);
}

bool SetWalk::next() {
  if (left_.empty() || !result_) return false;
  Result<AnyBatch> batch = read_any_batch(left_);
  if (!batch) {
    bool cut = torn_ == BatchWalk::Torn::tolerate && !whole_legacy_message(left_);
    if (!cut) result_ = std::move(batch.error());
    left_ = {};
    return false;
  }
  batch_ = *batch;
  left_ = left_.subspan(batch_.bytes.size());
  return true;
}

Result<void> BatchRecords::open(const AnyBatch& batch) {
  batch_ = &batch;
  walk_.reset();
  inner_.clear();
  inflated_.clear();
  at_ = 0;
  shift_ = 0;
  if (batch.magic < 2) {
    type_ = batch.message.stamped() ? TimestampType::log_append_time : TimestampType::create_time;
    if (batch.codec != Codec::none) return open_wrapper();
    inner_.push_back(batch.message);
    return {};
  }
  type_ = batch.header.timestamp_type();
  Bytes records = RecordWalk::records_of(batch.bytes);
  if (batch.codec != Codec::none) {
    TRY_(inflate(batch.codec, records));
    records = inflated_;
  }
  walk_.emplace(batch.header, records, RecordWalk::Offsets::any);
  return {};
}

Result<void> BatchRecords::inflate(Codec codec, Bytes block) {
  auto inflated = inflate_all(inflater_, codec, batch_->magic, block);
  if (!inflated && inflated.error().code() == Errc::too_large) return inflated.error();
  if (!inflated) return fail(Errc::unsupported, inflated.error().text());
  inflated_ = std::move(*inflated);
  return {};
}

Result<void> BatchRecords::open_wrapper() {
  const LegacyMessage& outer = batch_->message;
  if (!outer.value)
    return fail(Errc::invalid,
                fmt::format("compressed message at offset {} without a value", outer.offset));
  TRY_(inflate(outer.codec(), *outer.value));
  TRY_(read_inner());
  if (inner_.empty())
    return fail(Errc::invalid,
                fmt::format("compressed message at offset {} wraps nothing", outer.offset));
  // Format 1 counts from 0 inside, and the wrapper has the last one's offset. Old librdkafka wrote
  // 0 there.
  if (outer.magic == 1 && outer.offset.value != 0)
    shift_ = static_cast<int64_t>(static_cast<uint64_t>(outer.offset.value) -
                                  static_cast<uint64_t>(inner_.back().offset.value));
  return {};
}

Result<void> BatchRecords::read_inner() {
  const LegacyMessage& outer = batch_->message;
  for (Bytes left = inflated_; !left.empty();) {
    if (!whole_legacy_message(left)) break;  // Kafka stops reading there too
    TRY(message, read_legacy_message(left));
    if (message.magic != outer.magic)
      return fail(Errc::invalid, fmt::format("message of format {} inside of one of format {}",
                                             message.magic, outer.magic));
    if (message.codec() != Codec::none)
      return fail(Errc::invalid, "compressed message inside of a compressed message");
    TRY_(check_legacy_crc(left.first(message.size())));
    left = left.subspan(message.size());
    inner_.push_back(message);
  }
  return {};
}

bool BatchRecords::next_legacy() {
  if (at_ == inner_.size()) return false;
  const LegacyMessage& m = inner_[at_++];
  record_ = {};
  record_.offset = Offset(
      static_cast<int64_t>(static_cast<uint64_t>(m.offset.value) + static_cast<uint64_t>(shift_)));
  record_.timestamp = batch_->message.stamped() ? batch_->message.timestamp : m.timestamp;
  record_.key = m.key;
  record_.value = m.value;
  return true;
}

bool BatchRecords::next() {
  if (!walk_) return next_legacy();
  if (!walk_->next()) return false;
  const Record& r = walk_->record();
  record_ = {walk_->offset(), walk_->timestamp(), r.key, r.value, r.header_count, r.headers};
  return true;
}

Result<void> BatchRecords::finish() const { return walk_ ? walk_->finish() : Result<void>(); }

}  // namespace moldau::wire
