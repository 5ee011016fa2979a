#include "log/clean_filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bug.h"
#include "base/check.h"
#include "base/varint.h"
#include "wire/compress.h"

namespace moldau::log {
namespace {

using wire::BatchHeader;
using wire::NullableBytes;
using wire::Record;
using wire::RecordWalk;

RecordWalk walk_of(const BatchHeader& header, Bytes records) {
  return RecordWalk(header, records, RecordWalk::Offsets::ascending);
}

// Of a marker's batch; nothing if it is empty. version i16, type i16.
std::optional<ControlType> control_type(const BatchHeader& header, Bytes records) {
  RecordWalk walk = walk_of(header, records);
  if (!walk.next()) return std::nullopt;
  const NullableBytes& key = walk.record().key;
  if (!key || key->size() < 4) return ControlType::other;
  auto type = load_be<int16_t>(key->data() + 2);
  return type == 0 || type == 1 ? static_cast<ControlType>(type) : ControlType::other;
}

void put_varint(std::vector<uint8_t>& out, int64_t value) {
  uint8_t encoded[kMaxVarint64];
  size_t n = write_varint(encoded, zigzag(value));
  out.insert(out.end(), encoded, encoded + n);
}

void put_bytes(std::vector<uint8_t>& out, const NullableBytes& value) {
  put_varint(out, value ? std::ssize(*value) : -1);
  if (value) out.insert(out.end(), value->begin(), value->end());
}

// As in Java: a producer may send any timestamp.
int64_t wrapping_difference(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

// One record behind `out`; body: scratch.
void put_record(std::vector<uint8_t>& out, std::vector<uint8_t>& body, const Record& record,
                int64_t timestamp_delta) {
  body.clear();
  body.push_back(0);
  put_varint(body, timestamp_delta);
  put_varint(body, record.offset_delta);
  put_bytes(body, record.key);
  put_bytes(body, record.value);
  put_varint(body, record.header_count);
  body.insert(body.end(), record.headers.begin(), record.headers.end());
  put_varint(out, std::ssize(body));
  out.insert(out.end(), body.begin(), body.end());
}

// The header of a batch whose records stand behind it in `batch`.
void put_header(const BatchHeader& header, MutableBytes batch) {
  uint8_t* p = batch.data();
  store_be(p, header.base_offset.value);
  store_be(p + 8, static_cast<int32_t>(batch.size() - wire::kBatchPrefixSize));
  store_be(p + 12, header.leader_epoch.value);
  store_be(p + 16, int8_t{2});
  store_be(p + 21, header.attributes);
  store_be(p + 23, header.last_offset_delta);
  store_be(p + 27, header.base_timestamp);
  store_be(p + 35, header.max_timestamp);
  store_be(p + 43, header.producer_id.value);
  store_be(p + 51, header.producer_epoch.value);
  store_be(p + 53, header.base_sequence);
  store_be(p + 57, header.record_count);
  store_be(p + 17, wire::compute_batch_crc(batch));
}

Result<void> check(const BatchHeader& header, Bytes batch) {
  CHECK(batch.size() == header.size(), "{} bytes of {}", batch.size(), header.size());
  if (header.record_count < 0)
    return fail(Errc::corrupt, fmt::format("the batch at offset {} has {} records",
                                           header.base_offset, header.record_count));
  return wire::check_batch_crc(batch);
}

}  // namespace

Result<Bytes> RecordsReader::read(const BatchHeader& header, Bytes batch) {
  TRY_(check(header, batch));
  Bytes records = RecordWalk::records_of(batch);
  if (header.codec() == wire::Codec::none) return records;
  auto inflated = wire::inflate_all(inflater_, header.codec(), header.magic, records);
  if (!inflated)
    return std::move(inflated.error())
        .in(fmt::format("the batch at offset {}", header.base_offset));
  inflated_ = std::move(*inflated);
  return Bytes(inflated_);
}

void TransactionWalk::expect(const AbortedList& aborted, Offset from) {
  for (const AbortedTransaction& range : aborted)
    if (range.last >= from) expected_.emplace(range.first, range);
}

void TransactionWalk::begin_up_to(Offset last) {
  while (!expected_.empty() && expected_.begin()->first <= last) {
    const AbortedTransaction& range = expected_.begin()->second;
    aborted_.try_emplace(range.producer.value, Open{.range = range});
    expected_.erase(expected_.begin());
  }
}

bool TransactionWalk::data_may_go(const BatchHeader& header) {
  begin_up_to(header.last_offset());
  if (!header.transactional()) return false;
  auto open = aborted_.find(header.producer_id.value);
  if (open == aborted_.end()) {
    committed_.insert(header.producer_id.value);
    return false;
  }
  open->second.data_seen = true;
  return true;
}

bool TransactionWalk::marker_may_go(const BatchHeader& header, std::optional<ControlType> type) {
  begin_up_to(header.last_offset());
  if (!type) return true;
  if (*type == ControlType::commit) return committed_.erase(header.producer_id.value) == 0;
  if (*type != ControlType::abort) return false;
  auto open = aborted_.extract(header.producer_id.value);
  if (open.empty() || !open.mapped().data_seen) return true;
  listed_.push_back(open.mapped().range);
  return false;
}

Result<bool> MapFill::add(const BatchHeader& header, Bytes batch) {
  TRY(records, reader_.read(header, batch));
  if (header.control()) {
    transactions_.marker_may_go(header, control_type(header, records));
  } else if (!transactions_.data_may_go(header)) {
    RecordWalk walk = walk_of(header, records);
    while (walk.next()) {
      const Record& record = walk.record();
      if (!record.key || walk.offset() < first_dirty_) continue;
      if (!map_.put(*record.key, walk.offset())) return false;
    }
    TRY_(walk.finish());
  }
  if (header.last_offset() >= first_dirty_) map_.advance(header.last_offset());
  return true;
}

bool BatchFilter::last_of_producer(const BatchHeader& header) const {
  if (!header.has_producer()) return false;
  auto found = producers_.find(header.producer_id.value);
  if (found == producers_.end()) return false;
  const LastRecord& last = found->second;
  if (last.last_data) return header.last_offset() == *last.last_data;
  return header.control() && header.producer_epoch == last.epoch;
}

BatchFilter::Choice BatchFilter::choose(const BatchHeader& header,
                                        std::optional<ControlType> control) {
  Choice choice;
  choice.transaction_gone = header.control() ? transactions_.marker_may_go(header, control)
                                             : transactions_.data_may_go(header);
  choice.records_go = choice.transaction_gone;
  // A marker whose data is gone waits like a tombstone: somebody may be reading the data right now.
  if (header.control())
    choice.records_go = choice.transaction_gone && header.has_delete_horizon() &&
                        header.base_timestamp <= rules_.now.millis;
  bool last = last_of_producer(header) && !planted(Bug::cleaner_drops_last_sequence);
  // The end of what was cleaned must be found again in the log itself.
  choice.header_stays = last || header.next_offset() == rules_.round_end;
  choice.set_horizon = choice.transaction_gone && header.control();
  return choice;
}

bool BatchFilter::keeps(const BatchHeader& header, const Record& record, Offset offset) const {
  bool unmapped_goes = planted(Bug::cleaner_drops_unmapped);
  if (offset > map_.latest() && !unmapped_goes) return true;
  if (!record.key) return false;
  std::optional<Offset> newest = map_.find(*record.key);
  if (unmapped_goes && !newest) [[unlikely]]
    return offset <= map_.latest();
  if (newest && offset < *newest) return false;
  if (planted(Bug::cleaner_tombstone_early) && !record.value) [[unlikely]]
    return false;
  return record.value || !header.has_delete_horizon() || rules_.now.millis < header.base_timestamp;
}

Result<Verdict> BatchFilter::rewrite(const BatchHeader& header, Bytes records, const Choice& choice,
                                     std::vector<uint8_t>& out) {
  BatchHeader cleaned = header;
  if (choice.set_horizon) {
    cleaned.attributes |= BatchHeader::kDeleteHorizon;
    cleaned.base_timestamp = rules_.now.millis + rules_.delete_retention_millis;
  }
  cleaned.record_count = 0;
  int64_t max_timestamp = -1;
  size_t begin = out.size();
  out.resize(begin + wire::kBatchHeaderSize);
  bool compressed = header.codec() != wire::Codec::none;
  std::vector<uint8_t>& to = compressed ? records_ : out;
  if (compressed) records_.clear();
  RecordWalk walk = walk_of(header, records);
  while (walk.next()) {
    if (!header.control() && !keeps(header, walk.record(), walk.offset())) continue;
    int64_t timestamp = walk.timestamp();
    if (cleaned.record_count++ == 0 && !cleaned.has_delete_horizon())
      cleaned.base_timestamp = timestamp;
    max_timestamp = std::max(max_timestamp, timestamp);
    put_record(to, body_, walk.record(), wrapping_difference(timestamp, cleaned.base_timestamp));
  }
  if (header.timestamp_type() == wire::TimestampType::create_time)
    cleaned.max_timestamp = max_timestamp;
  int level = wire::level_range(header.codec()).usual;
  if (compressed) wire::compress(header.codec(), level, header.magic, records_, out);
  put_header(cleaned, MutableBytes(out).subspan(begin));
  return Verdict::rewritten;
}

Result<Verdict> BatchFilter::filter(const BatchHeader& header, Bytes batch,
                                    std::vector<uint8_t>& out) {
  TRY(records, reader_.read(header, batch));
  std::optional<ControlType> control;
  if (header.control()) control = control_type(header, records);
  Choice choice = choose(header, control);
  int32_t kept = 0;
  bool tombstones = false;
  if (!choice.records_go) {
    RecordWalk walk = walk_of(header, records);
    while (walk.next()) {
      const Record& record = walk.record();
      if (!header.control() && !keeps(header, record, walk.offset())) continue;
      kept++;
      tombstones = tombstones || !record.value;
    }
    TRY_(walk.finish());
  }
  records_kept_ += kept;
  records_dropped_ += header.record_count - kept;
  if (kept > 0) {
    choice.set_horizon = (choice.set_horizon || tombstones) && !header.has_delete_horizon();
    if (kept < header.record_count || choice.set_horizon)
      return rewrite(header, records, choice, out);
    out.insert(out.end(), batch.begin(), batch.end());
    return Verdict::kept;
  }
  if (!choice.header_stays) return Verdict::dropped;
  BatchHeader empty = header;
  constexpr int kGone = BatchHeader::kCodecMask | BatchHeader::kDeleteHorizon;
  empty.attributes = static_cast<int16_t>(header.attributes & ~kGone);
  empty.base_timestamp = -1;
  empty.record_count = 0;
  out.resize(out.size() + wire::kBatchHeaderSize);
  put_header(empty, MutableBytes(out).last(wire::kBatchHeaderSize));
  return Verdict::emptied;
}

}  // namespace moldau::log
