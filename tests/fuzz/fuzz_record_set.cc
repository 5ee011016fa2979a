// Any bytes as a record set of any format: every batch is read, and what a message set says is
// written again the same.
#include "base/check.h"
#include "repair.h"
#include "wire/record_set.h"

namespace moldau::wire {
namespace {

void read_batch(const AnyBatch& batch, Inflater& inflater) {
  (void)check_any_crc(batch);
  BatchRecords records(inflater);
  if (!records.open(batch)) return;
  size_t bytes = 0;
  while (records.next()) {
    const AnyRecord& r = records.record();
    bytes += r.key.value_or(Bytes()).size() + r.value.value_or(Bytes()).size();
    for (RecordHeaders h(Record{.header_count = r.header_count, .headers = r.headers}); h.next();)
      bytes += h.key().size();
  }
  (void)records.finish();
  if (batch.codec == Codec::none) CHECK(bytes <= batch.bytes.size());
}

void write_again(const AnyBatch& batch) {
  std::vector<uint8_t> again;
  write_legacy_message(batch.message, again);
  // Kafka ignores what follows the value inside of a message.
  if (again.size() != batch.bytes.size()) return;
  auto message = read_legacy_message(again);
  CHECK(message && message->offset == batch.message.offset);
  CHECK(check_legacy_crc(again));
}

void walk(Bytes in, BatchWalk::Torn torn) {
  static Inflater inflater({.ratio = 16, .least = size_t{1} << 20});
  SetWalk walk(in, torn);
  size_t seen = 0;
  while (walk.next()) {
    seen += walk.batch().bytes.size();
    read_batch(walk.batch(), inflater);
    if (walk.batch().magic < 2) write_again(walk.batch());
  }
  CHECK(seen <= in.size());
  if (torn == BatchWalk::Torn::refuse && walk.finish()) CHECK(seen == in.size());
}

}  // namespace
}  // namespace moldau::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace moldau::wire;
  walk({data, size}, BatchWalk::Torn::refuse);
  std::vector<uint8_t> repaired(data, data + size);
  repair(repaired);
  walk(repaired, BatchWalk::Torn::tolerate);
  return 0;
}
