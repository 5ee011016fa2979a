#include "wire/produced_records.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/varint.h"

namespace moldau::wire {
namespace {

struct Seen {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  bool has_key = false;
};

// What nearly every record is: whole in memory, its numbers of at most three bytes. Everything
// stays in registers; whatever is different, wrong or near the end is left to read_record.
class QuickRecord {
 public:
  QuickRecord(const uint8_t* at, const uint8_t* end) : at_(at), end_(end) {}

  // The end of the record, or null: look at it with read_record.
  const uint8_t* read(Seen& seen) {
    if (end_ - at_ < kFields) return nullptr;
    int32_t length = number();
    const uint8_t* body = at_;
    at_++;  // attributes, unused
    seen.timestamp_delta = number();
    seen.offset_delta = number();
    seen.has_key = sized();
    sized();  // value
    if (!ok_ || end_ - at_ < kFields) return nullptr;
    int32_t headers = number();
    for (int32_t i = 0; i < headers && ok_; i++) {
      ok_ &= sized();  // a header's key is never null
      sized();
    }
    return ok_ && headers >= 0 && at_ - body == length ? at_ : nullptr;
  }

 private:
  static constexpr ptrdiff_t kFields =
      16;  // more than the bytes of five numbers and the attributes

  int32_t number() {
    uint32_t v = at_[0];
    if (v < 0x80) return at_ += 1, unzigzag(v);
    v = (v & 0x7f) | uint32_t{at_[1]} << 7;
    if (at_[1] < 0x80) return at_ += 2, unzigzag(v);
    v = (v & 0x3fff) | uint32_t{at_[2]} << 14;
    ok_ &= at_[2] < 0x80;
    return at_ += 3, unzigzag(v);
  }
  // A length and that many bytes; false for null.
  bool sized() {
    if (end_ - at_ < kFields) return ok_ = false;
    int32_t n = number();
    if (n < 0) return false;
    if (n > end_ - at_) return ok_ = false;
    at_ += n;
    return true;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool ok_ = true;
};

// Reads the fields of records from a window of bytes, which is filled again from an Inflater if
// there is one. Pointers, and short varints without a call.
class RecordReader {
 public:
  explicit RecordReader(Bytes whole) : at_(whole.data()), end_(at_ + whole.size()), begin_(at_) {}
  RecordReader(Inflater& inflater, MutableBytes window)
      : at_(window.data()), end_(at_), begin_(at_), inflater_(&inflater), window_(window) {}

  bool ok() const { return ok_; }
  // Of the decoder, if that is what failed.
  const std::optional<Error>& error() const { return error_; }
  // Bytes read so far.
  int64_t position() const { return gone_ + (at_ - begin_); }
  bool at_end() {
    refill(1);
    return at_ == end_;
  }
  void skip(int64_t n) {
    if (n >= 0 && n <= end_ - at_) [[likely]]
      at_ += n;
    else
      skip_far(n);
  }
  int32_t varint() { return unzigzag(number<uint32_t>()); }
  int64_t varlong() { return unzigzag(number<uint64_t>()); }
  // One whole record, if it is a plain one; otherwise nothing is read.
  bool quick_record(Seen& seen) {
    const uint8_t* end = QuickRecord(at_, end_).read(seen);
    if (end) at_ = end;
    return end != nullptr;
  }
  // A length and that many bytes; false for null.
  bool nullable() {
    int32_t n = varint();
    if (n >= 0) skip(n);
    return n >= 0;
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
    refill(kMaxVarint64);
    T v = 0;
    size_t n = read_varint(Bytes(at_, end_), &v);
    ok_ &= n > 0;
    at_ += n;
    return v;
  }
  void skip_far(int64_t n) {
    while (n > end_ - at_ && inflater_ && ok_) {
      n -= end_ - at_;
      at_ = end_;
      if (!refill(1)) break;
    }
    if (n < 0 || n > end_ - at_) ok_ = false, n = 0;
    at_ += n;
  }
  // Makes `wanted` bytes readable if there are that many. False: there is not even one.
  bool refill(size_t wanted) {
    size_t left = static_cast<size_t>(end_ - at_);
    if (left >= wanted || !inflater_) return left > 0;
    gone_ += at_ - begin_;
    if (left > 0) std::memmove(window_.data(), at_, left);
    at_ = begin_;
    while (left < wanted) {
      Result<size_t> n = inflater_->read(window_.subspan(left));
      if (!n) {
        ok_ = false;
        error_ = std::move(n.error());
      }
      if (!n || *n == 0) {
        inflater_ = nullptr;  // there is no more
        break;
      }
      left += *n;
    }
    end_ = begin_ + left;
    return left > 0;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  const uint8_t* begin_;
  int64_t gone_ = 0;  // bytes before begin_
  Inflater* inflater_ = nullptr;
  MutableBytes window_;
  bool ok_ = true;
  std::optional<Error> error_;
};

bool read_record(RecordReader& in, Seen& seen) {
  int32_t length = in.varint();
  int64_t end = in.position() + length;
  if (!in.ok() || length < 0) return false;
  in.skip(1);  // attributes, unused
  seen.timestamp_delta = in.varlong();
  seen.offset_delta = in.varint();
  seen.has_key = in.nullable();
  in.nullable();  // value
  int32_t headers = in.varint();
  if (headers < 0) return false;
  for (int32_t i = 0; i < headers && in.ok(); i++) {
    in.skip(in.varint());  // its key, never null
    in.nullable();
  }
  return in.ok() && in.position() == end;
}

BatchFault refuse(ErrorCode error, std::string text = {}) {
  return {.error = error, .text = std::move(text), .in_log = true};
}

// Kafka finds a block that does not decompress while it reads, and calls that its own failure.
BatchFault refuse_read(const RecordReader& in) {
  if (!in.error()) return refuse(ErrorCode::invalid_record);
  if (in.error()->code() == Errc::too_large)
    return refuse(ErrorCode::message_too_large, in.error()->text());
  return refuse(ErrorCode::unknown_server_error);
}

BatchFault walk(RecordReader& in, const BatchHeader& header, RecordRules& rules,
                bool& in_sequence) {
  bool stamped = header.timestamp_type() == TimestampType::log_append_time;
  for (int32_t i = 0; i < header.record_count; i++) {
    Seen seen;
    if (!in.quick_record(seen) && !read_record(in, seen)) return refuse_read(in);
    int64_t timestamp = static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) +
                                             static_cast<uint64_t>(seen.timestamp_delta));
    in_sequence &= seen.offset_delta == i;
    rules.look(i, seen.offset_delta, stamped ? header.max_timestamp : timestamp, seen.has_key);
  }
  bool whole = in.at_end() && in.ok();
  return whole ? BatchFault() : refuse_read(in);
}

int64_t saturated(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN : INT64_MAX;
  return sum;
}

}  // namespace

RecordRules::RecordRules(const ProduceRules& rules) : rules_(rules), compacted_(rules.compacted) {
  if (rules.timestamp_type == TimestampType::log_append_time) return;
  earliest_ = saturated(rules.now.millis, -rules.max_behind_millis);
  latest_ = saturated(rules.now.millis, rules.max_ahead_millis);
}

void RecordRules::add_fault(int32_t index, int64_t offset, int64_t timestamp, bool has_key) {
  if (compacted_ && !has_key)
    return add_fault(index,
                     fmt::format("Compacted topic cannot accept message without key in topic "
                                 "partition {}",
                                 rules_.partition));
  bad_timestamp_ = true;
  add_fault(index, fmt::format("Timestamp {} of message with offset {} is out of range. The "
                               "timestamp should be within [{}, {}]",
                               timestamp, offset, earliest_, latest_));
}

void RecordRules::add_fault(int32_t index, std::string text) {
  faults_++;
  if (first_.size() < kMaxRecordFaults) first_.push_back({index, std::move(text)});
}

BatchFault RecordRules::fault() const {
  if (faults_ == 0) return {};
  BatchFault out{.error = ErrorCode::invalid_timestamp, .records = first_, .in_log = true};
  if (bad_timestamp_) {
    out.text = "One or more records have been rejected due to invalid timestamp";
    return out;
  }
  constexpr size_t kShown = 3;
  out.error = ErrorCode::invalid_record;
  out.text = fmt::format(
      "One or more records have been rejected due to {} record errors in total, "
      "and only showing the first three errors at most: [",
      faults_);
  for (size_t i = 0; i < first_.size() && i < kShown; i++)
    out.text += fmt::format("{}RecordError(batchIndex={}, message='{}')", i > 0 ? ", " : "",
                            first_[i].index, first_[i].text);
  out.text += "]";
  return out;
}

BatchFault walk_produced(Bytes batch, Inflater& inflater, RecordRules& rules, bool& in_sequence) {
  in_sequence = true;
  Result<BatchHeader> header = read_batch_header(batch);
  if (!header) return refuse(ErrorCode::invalid_record);
  Bytes records = RecordWalk::records_of(batch);
  if (header->codec() == Codec::none) {
    RecordReader in(records);
    return walk(in, *header, rules, in_sequence);
  }
  constexpr size_t kWindow = 16 << 10;
  std::array<uint8_t, kWindow> window;
  if (!inflater.begin(header->codec(), header->magic, records))
    return refuse(ErrorCode::unknown_server_error);
  RecordReader in(inflater, window);
  return walk(in, *header, rules, in_sequence);
}

}  // namespace moldau::wire
