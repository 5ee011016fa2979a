// Any bytes as what a producer sent. Two bytes choose the topic and the request; what passes is a
// set of whole batches that everybody can read, and passes again.
#include "base/check.h"
#include "repair.h"
#include "wire/compress.h"
#include "wire/produced_batch.h"
#include "wire/record_set.h"

namespace moldau::wire {
namespace {

ProduceRules rules_of(uint8_t topic, uint8_t request) {
  ProduceRules rules{.version = static_cast<int16_t>(request % 16),
                     .now = WallTime{1'700'000'000'000},
                     .compacted = (topic & 8) != 0,
                     .partition = "t-0"};
  if (topic & 16) rules.timestamp_type = TimestampType::log_append_time;
  if (topic & 32) rules.max_behind_millis = 1000;
  if ((topic & 7) < kCodecs) rules.codec = static_cast<Codec>(topic & 7);
  if (topic & 64) rules.validation = BatchValidation::header;
  return rules;
}

// The records of the first batch compressed with the codec that its header names.
void pack(std::vector<uint8_t>& set) {
  if (set.size() < kBatchHeaderSize || set[kBatchMagicOffset] != 2) return;
  size_t codec = set[22] & 7u;
  if (codec == 0 || codec >= kCodecs) return;
  std::vector<uint8_t> packed(set.begin(), set.begin() + kBatchHeaderSize);
  compress(static_cast<Codec>(codec), 1, 2, Bytes(set).subspan(kBatchHeaderSize), packed);
  set = std::move(packed);
  store_be(set.data() + 8, static_cast<int32_t>(set.size() - kBatchPrefixSize));
}

void expect_readable(const ProducedBatch& produced, const ProduceRules& rules, Inflater& inflater) {
  SetWalk walk(produced.bytes, BatchWalk::Torn::refuse);
  int64_t count = 0;
  while (walk.next()) {
    CHECK(walk.batch().magic == 2 && check_any_crc(walk.batch()));
    count += walk.batch().header.record_count;
    if (rules.validation == BatchValidation::header) continue;
    BatchRecords records(inflater);
    CHECK(records.open(walk.batch()));
    int32_t found = 0;
    while (records.next()) found++;
    CHECK(records.finish(), "{}", records.finish().error().to_string());
    CHECK(found == walk.batch().header.record_count);
  }
  CHECK(walk.finish());
  CHECK(count == produced.records, "{} records, {} said", count, produced.records);
}

void produce(std::vector<uint8_t> set, const ProduceRules& rules) {
  static Inflater inflater({.ratio = 16, .least = size_t{1} << 20});
  ProducedBatch produced = check_produced(set, rules, inflater);
  CHECK(produced.fault.records.size() <= kMaxRecordFaults);
  if (produced.fault.error != ErrorCode::none) return;
  expect_readable(produced, rules, inflater);
  std::vector<uint8_t> again(produced.bytes.begin(), produced.bytes.end());
  ProduceRules same = rules;
  same.codec.reset();
  ProducedBatch second = check_produced(again, same, inflater);
  CHECK(second.fault.error == ErrorCode::none || rules.version >= 3, "{}", second.fault.text);
}

}  // namespace
}  // namespace moldau::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::wire;
  if (size < 2) return 0;
  ProduceRules rules = rules_of(data[0], data[1]);
  std::vector<uint8_t> set(data + 2, data + size);
  produce(set, rules);
  repair(set);
  produce(set, rules);
  pack(set);
  repair(set);
  produce(set, rules);
  return 0;
}
