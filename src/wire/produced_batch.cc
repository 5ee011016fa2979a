#include "wire/produced_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "wire/compress.h"
#include "wire/produced_records.h"
#include "wire/record_batch_builder.h"
#include "wire/record_set.h"

namespace moldau::wire {
namespace {

constexpr size_t kLeastBatch = 14;  // of anything that has a magic byte, in any format
constexpr size_t kLengthAt = 8, kCrcAt = 17, kAttributesAt = 21, kMaxTimestampAt = 35,
                 kProducerIdAt = 43;
constexpr int16_t kFirstZstdVersion = 7;
constexpr int16_t kFirstBatchVersion = 3;  // of Produce: from here on one batch of format 2
constexpr int8_t kMagic = 2;

BatchFault refuse(ErrorCode error, std::string text = {}) {
  return {.error = error, .text = std::move(text)};
}
BatchFault refuse_in_log(ErrorCode error, std::string text = {}) {
  return {.error = error, .text = std::move(text), .in_log = true};
}

// What is known before the log sees it: exactly one whole batch of format 2.
BatchFault check_shape(Bytes records, const ProduceRules& rules, size_t* size) {
  if (records.size() < kCrcAt) return refuse(ErrorCode::invalid_record);
  int32_t length = load_be<int32_t>(records.data() + kLengthAt);
  if (length < static_cast<int32_t>(kLeastBatch))
    return refuse(ErrorCode::corrupt_message,
                  fmt::format("Record size {} is less than the minimum record overhead ({})",
                              length, kLeastBatch));
  *size = kBatchPrefixSize + static_cast<size_t>(length);
  if (*size > records.size()) return refuse(ErrorCode::invalid_record);
  int8_t magic = static_cast<int8_t>(records[kBatchMagicOffset]);
  if (magic < 0 || magic > kMagic)
    return refuse(ErrorCode::corrupt_message,
                  fmt::format("Invalid magic found in record: {}", magic));
  if (magic < kMagic) return refuse(ErrorCode::invalid_record);
  if (*size < kBatchHeaderSize) return refuse(ErrorCode::corrupt_message);
  bool another = records.size() - *size >= kBatchPrefixSize + kLeastBatch;
  if (another) return refuse(ErrorCode::invalid_record);
  int16_t codec = load_be<int16_t>(records.data() + kAttributesAt) & BatchHeader::kCodecMask;
  if (codec == static_cast<int16_t>(Codec::zstd) && rules.version < kFirstZstdVersion)
    return refuse(ErrorCode::unsupported_compression_type);
  return {};
}

BatchFault check_header(Bytes batch, const BatchHeader& h, const ProduceRules& rules) {
  if (static_cast<int64_t>(batch.size()) > rules.max_batch_bytes)
    return refuse(ErrorCode::message_too_large);
  if (compute_batch_crc(batch) != h.crc) return refuse(ErrorCode::corrupt_message);
  bool counts_agree = h.record_count > 0 && int64_t{h.last_offset_delta} + 1 == h.record_count;
  bool sequence = !h.has_producer() || h.base_sequence >= 0;
  if (h.base_offset != Offset(0) || h.control() || !counts_agree)
    return refuse_in_log(ErrorCode::invalid_record);
  if (h.codec() > Codec::zstd) return refuse_in_log(ErrorCode::unknown_server_error);
  if (!sequence) return refuse_in_log(ErrorCode::invalid_record);
  return {};
}

// All that changes lies in one short run of bytes behind the CRC: it is patched, the records are
// not read again.
void set_timestamp(MutableBytes batch, TimestampType type, int64_t max_timestamp) {
  constexpr size_t kRun = kProducerIdAt - kAttributesAt;
  MutableBytes run = batch.subspan(kAttributesAt, kRun);
  uint8_t before[kRun];
  std::memcpy(before, run.data(), kRun);
  auto attributes = load_be<int16_t>(batch.data() + kAttributesAt);
  attributes = static_cast<int16_t>(attributes & ~BatchHeader::kLogAppendTime);
  if (type == TimestampType::log_append_time) attributes |= BatchHeader::kLogAppendTime;
  store_be(batch.data() + kAttributesAt, attributes);
  store_be(batch.data() + kMaxTimestampAt, max_timestamp);
  if (std::memcmp(before, run.data(), kRun) == 0) return;
  uint32_t crc = load_be<uint32_t>(batch.data() + kCrcAt);
  store_be(batch.data() + kCrcAt,
           crc32c_patch(crc, Bytes(before, kRun), run, batch.size() - kProducerIdAt));
}

bool stamps(const ProduceRules& rules) {
  return rules.timestamp_type == TimestampType::log_append_time;
}

// Puts records into a new batch of format 2, as the topic wants it.
class Rebuild {
 public:
  Rebuild(const ProduceRules& rules, Codec codec, const BatchHeader& like)
      : rules_(rules), builder_(options(rules, codec, like)) {}

  void add(const AnyRecord& r) {
    headers_.clear();
    Record view{.header_count = r.header_count, .headers = r.headers};
    for (RecordHeaders h(view); h.next();) headers_.push_back({h.key(), h.value()});
    builder_.add(stamps(rules_) ? rules_.now.millis : r.timestamp, r.key, r.value, headers_);
  }
  void finish(ProducedBatch& out) {
    out.records = builder_.record_count();
    std::vector<uint8_t> built = builder_.finish();
    if (static_cast<int64_t>(built.size()) > rules_.max_batch_bytes) {
      out.fault = refuse(ErrorCode::message_too_large);
      return;
    }
    out.block = BlockRef::allocate(built.size());
    out.bytes = MutableBytes(out.block.data(), built.size());
    std::ranges::copy(built, out.bytes.begin());
  }

 private:
  static RecordBatchBuilder::Options options(const ProduceRules& rules, Codec codec,
                                             const BatchHeader& like) {
    return {.timestamp_type = rules.timestamp_type,
            .log_append_time = rules.now.millis,
            .producer_id = like.producer_id,
            .producer_epoch = like.producer_epoch,
            .base_sequence = like.base_sequence,
            .transactional = like.transactional(),
            .codec = codec,
            .level = rules.codec == codec ? rules.level : std::nullopt};
  }
  const ProduceRules& rules_;
  RecordBatchBuilder builder_;
  std::vector<RecordBatchBuilder::Header> headers_;
};

// The records of a checked batch with the topic's codec.
void recompress(const AnyBatch& batch, Codec codec, const ProduceRules& rules, Inflater& inflater,
                ProducedBatch& out) {
  BatchRecords records(inflater);
  Result<void> opened = records.open(batch);
  if (!opened) {
    out.fault = refuse_in_log(ErrorCode::unknown_server_error);
    return;
  }
  Rebuild rebuild(rules, codec, batch.header);
  while (records.next()) rebuild.add(records.record());
  rebuild.finish(out);
}

// One batch of format 2, whose header has been checked.
void check_batch(MutableBytes bytes, const BatchHeader& header, const ProduceRules& rules,
                 Inflater& inflater, ProducedBatch& out) {
  Codec codec = rules.codec.value_or(header.codec());
  bool rebuild = codec != header.codec();
  bool look = header.codec() == Codec::none || rebuild || rules.validation == BatchValidation::full;
  RecordRules record_rules(rules);
  bool in_sequence = true;
  if (look)
    out.fault = walk_produced(bytes, inflater, record_rules, in_sequence);
  else
    record_rules.look(header.record_count - 1, header.last_offset_delta, header.max_timestamp,
                      true);
  if (out.fault.error == ErrorCode::none) out.fault = record_rules.fault();
  // Kafka would build such a batch anew and fails at that.
  if (out.fault.error == ErrorCode::none && !in_sequence && header.codec() != Codec::none &&
      !rebuild)
    out.fault = refuse_in_log(ErrorCode::unknown_server_error);
  if (out.fault.error != ErrorCode::none) return;
  if (rebuild) {
    AnyBatch any{.codec = header.codec(), .bytes = bytes, .header = header};
    return recompress(any, codec, rules, inflater, out);
  }
  out.bytes = bytes;
  out.records = header.record_count;
  set_timestamp(bytes, rules.timestamp_type,
                stamps(rules) ? rules.now.millis : record_rules.max_timestamp());
}

// Kafka's answer to what BatchRecords finds wrong in a wrapper.
BatchFault refuse_wrapper(const Error& error) {
  switch (error.code()) {
    case Errc::invalid:
      return refuse_in_log(ErrorCode::invalid_record);
    case Errc::corrupt:
      return refuse(ErrorCode::corrupt_message);
    case Errc::too_large:
      return refuse_in_log(ErrorCode::message_too_large, error.text());
    default:
      return refuse_in_log(ErrorCode::unknown_server_error);
  }
}

struct Set {
  std::vector<AnyBatch> batches;
  Codec codec = Codec::none;  // of the last one that has one
};

// What Kafka looks at before it looks at records.
BatchFault check_set(Bytes records, const ProduceRules& rules, Set& set) {
  SetWalk walk(records, BatchWalk::Torn::tolerate);
  while (walk.next()) {
    const AnyBatch& batch = walk.batch();
    if (batch.magic == kMagic && batch.header.base_offset != Offset(0))
      return refuse_in_log(ErrorCode::invalid_record);
    if (static_cast<int64_t>(batch.bytes.size()) > rules.max_batch_bytes)
      return refuse(ErrorCode::message_too_large);
    if (!check_any_crc(batch)) return refuse(ErrorCode::corrupt_message);
    if (batch.codec != Codec::none) set.codec = batch.codec;
    set.batches.push_back(batch);
  }
  if (!walk.finish()) {
    bool fields = walk.finish().error().code() == Errc::truncated;
    return fields ? refuse_in_log(ErrorCode::unknown_server_error)
                  : refuse(ErrorCode::corrupt_message);
  }
  if (set.codec > Codec::zstd) return refuse_in_log(ErrorCode::unknown_server_error);
  for (const AnyBatch& batch : set.batches)
    if (batch.magic != set.batches.front().magic) return refuse_in_log(ErrorCode::invalid_record);
  bool packed = set.codec != Codec::none || rules.codec.value_or(Codec::none) != Codec::none;
  bool several_packed = set.codec != Codec::none && set.batches.size() > 1;
  if (several_packed || (packed && set.batches.size() > 1 && set.batches.front().magic == kMagic))
    return refuse_in_log(ErrorCode::invalid_record);
  return {};
}

// Formats 0 and 1: their records go into one batch of format 2.
void convert_set(const Set& set, const ProduceRules& rules, Inflater& inflater,
                 ProducedBatch& out) {
  Codec codec = rules.codec.value_or(set.codec);
  Rebuild rebuild(rules, codec, BatchHeader());
  for (const AnyBatch& batch : set.batches) {
    RecordRules record_rules(rules);
    BatchRecords records(inflater);
    if (Result<void> opened = records.open(batch); !opened) {
      out.fault = refuse_wrapper(opened.error());
      return;
    }
    int32_t index = 0;
    for (; records.next(); index++) {
      const AnyRecord& r = records.record();
      record_rules.look(index, r.offset.value, r.timestamp, r.key.has_value());
      rebuild.add(r);
    }
    out.fault = record_rules.fault();
    if (out.fault.error != ErrorCode::none) return;
  }
  rebuild.finish(out);
}

void check_old_request(MutableBytes all, const ProduceRules& rules, Inflater& inflater,
                       ProducedBatch& out) {
  Set set;
  out.fault = check_set(all, rules, set);
  if (out.fault.error != ErrorCode::none || set.batches.empty()) return;
  if (set.batches.front().magic < kMagic) return convert_set(set, rules, inflater, out);
  size_t done = 0;
  int32_t records = 0;
  for (const AnyBatch& batch : set.batches) {
    MutableBytes bytes = all.subspan(done, batch.bytes.size());
    done += bytes.size();
    out.fault = check_header(bytes, batch.header, rules);
    if (out.fault.error == ErrorCode::none) check_batch(bytes, batch.header, rules, inflater, out);
    if (out.fault.error != ErrorCode::none) return;
    records += out.records;
  }
  out.records = records;
  if (!out.block) out.bytes = all.first(done);
}

void check_new_request(MutableBytes all, const ProduceRules& rules, Inflater& inflater,
                       ProducedBatch& out) {
  size_t size = 0;
  out.fault = check_shape(all, rules, &size);
  if (out.fault.error != ErrorCode::none) return;
  Result<BatchHeader> header = read_batch_header(all);
  if (!header) {
    out.fault = refuse(ErrorCode::corrupt_message);
    return;
  }
  out.fault = check_header(all.first(size), *header, rules);
  if (out.fault.error == ErrorCode::none)
    check_batch(all.first(size), *header, rules, inflater, out);
}

}  // namespace

ProducedBatch check_produced(MutableBytes records, const ProduceRules& rules, Inflater& inflater) {
  ProducedBatch out;
  if (stamps(rules)) out.append_time = rules.now.millis;
  if (rules.version < kFirstBatchVersion)
    check_old_request(records, rules, inflater, out);
  else
    check_new_request(records, rules, inflater, out);
  return out;
}

}  // namespace moldau::wire
