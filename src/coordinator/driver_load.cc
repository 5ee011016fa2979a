// How a shard comes to be: it reads its log from the beginning to where it ended when it began.
#include "coordinator/driver_load.h"

#include "wire/record_set.h"

namespace moldau::coordinator {

namespace {

constexpr int16_t kCommitMarker = 1;

bool is_commit(const wire::AnyRecord& record) {
  return record.key && record.key->size() >= 4 &&
         load_be<int16_t>(record.key->data() + 2) == kCommitMarker;
}

void load_record(group::GroupCore& core, const wire::AnyRecord& record, int64_t producer,
                 Loading& loading) {
  Result<std::optional<group::Record>> known =
      group::decode_record(record.key.value_or(Bytes()), record.value);
  loading.records++;
  if (known && *known) return core.load(**known, producer);
  if (known) return;
  loading.unreadable++;
  loading.last_error = known.error().to_string();
}

Result<void> load_batch(group::GroupCore& core, const wire::AnyBatch& batch, Loading& loading) {
  const wire::BatchHeader& header = batch.header;
  bool of_format_2 = batch.magic >= 2;
  bool transactional = of_format_2 && header.transactional();
  wire::BatchRecords records(loading.inflater);
  TRY_(records.open(batch));
  while (records.next()) {
    if (records.record().offset < loading.next) continue;
    if (of_format_2 && header.control())
      core.load_marker(header.producer_id.value, is_commit(records.record()));
    else
      load_record(core, records.record(), transactional ? header.producer_id.value : -1, loading);
    loading.next = records.record().offset + 1;
  }
  TRY_(records.finish());
  if (of_format_2) loading.next = std::max(loading.next, header.next_offset());
  return {};
}

}  // namespace

Result<bool> load_batches(group::GroupCore& core, Bytes bytes, Loading& loading) {
  Offset before = loading.next;
  wire::SetWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
  while (walk.next()) {
    TRY_(wire::check_any_crc(walk.batch()));
    TRY_(load_batch(core, walk.batch(), loading));
  }
  TRY_(walk.finish());
  return loading.next > before;
}

}  // namespace moldau::coordinator
