// Any bytes as record batches: walked whole, changed in place, and built again from their records.
#include <vector>

#include "base/check.h"
#include "wire/record_batch.h"
#include "wire/record_batch_builder.h"

namespace moldau::wire {
namespace {

// The records of a batch that passes, put into a new one, are the same records.
void rebuild(const BatchHeader& header, Bytes records) {
  RecordBatchBuilder builder({.base_offset = header.base_offset});
  RecordWalk walk(header, records, RecordWalk::Offsets::ascending);
  while (walk.next()) {
    std::vector<RecordBatchBuilder::Header> headers;
    for (RecordHeaders h(walk.record()); h.next();) headers.push_back({h.key(), h.value()});
    builder.add_at(walk.offset(), walk.timestamp(), walk.record().key, walk.record().value,
                   headers);
  }
  if (builder.record_count() == 0) return;
  std::vector<uint8_t> built = builder.finish();
  CHECK(check_batch_crc(built));
  Result<BatchHeader> again = read_batch_header(built);
  CHECK(again && again->size() == built.size());
  RecordWalk first(header, records, RecordWalk::Offsets::ascending);
  RecordWalk second(*again, RecordWalk::records_of(built), RecordWalk::Offsets::ascending);
  while (second.next()) {
    CHECK(first.next());
    CHECK(first.offset() == second.offset() && first.timestamp() == second.timestamp());
    CHECK(first.record().key.has_value() == second.record().key.has_value());
    CHECK(equal(first.record().value.value_or(Bytes()), second.record().value.value_or(Bytes())));
  }
  CHECK(second.finish(), "{}", second.finish().error().to_string());
}

void change_in_place(Bytes batch) {
  std::vector<uint8_t> copy(batch.begin(), batch.end());
  set_base_offset(copy, Offset(77));
  set_leader_epoch(copy, LeaderEpoch(5));
  set_max_timestamp(copy, TimestampType::log_append_time, 1234567);
  CHECK(check_batch_crc(copy));
  Result<BatchHeader> header = read_batch_header(copy);
  CHECK(header && header->base_offset == Offset(77) && header->max_timestamp == 1234567);
  CHECK(header->timestamp_type() == TimestampType::log_append_time);
}

void walk_all(Bytes in, BatchWalk::Torn torn) {
  BatchWalk batches(in, torn);
  size_t seen = 0;
  while (batches.next()) {
    CHECK(batches.batch().size() == batches.header().size());
    seen += batches.batch().size();
    (void)check_batch_crc(batches.batch());
    (void)check_produced_header(batches.header());
    change_in_place(batches.batch());
    int64_t base = batches.header().base_offset.value;
    // Offsets near the end of the numbers overflow when added to; the log refuses such batches
    // before.
    if (batches.header().codec() == Codec::none && base >= 0 && base < INT64_MAX / 2)
      rebuild(batches.header(), RecordWalk::records_of(batches.batch()));
  }
  CHECK(seen <= in.size());
  if (torn == BatchWalk::Torn::refuse && batches.finish()) CHECK(seen == in.size());
}

}  // namespace
}  // namespace moldau::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::wire;
  walk_all({data, size}, BatchWalk::Torn::refuse);
  walk_all({data, size}, BatchWalk::Torn::tolerate);
  return 0;
}
