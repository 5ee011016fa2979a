#include "log/producer_batch.h"

#include "wire/record_batch.h"

namespace moldau::log {
namespace {
constexpr int16_t kAbort = 0, kCommit = 1;
constexpr size_t kKeyBytes = 4;    // version i16, type i16
constexpr size_t kValueBytes = 6;  // version i16, coordinator epoch i32
}  // namespace

ProducerPart producer_part(const wire::BatchHeader& header) {
  return {.id = header.producer_id,
          .epoch = header.producer_epoch,
          .base_sequence = header.base_sequence,
          .transactional = header.transactional(),
          .control = header.control(),
          .marker = std::nullopt};
}

std::optional<EndMarker> read_end_marker(Bytes batch) {
  auto header = wire::read_batch_header(batch);
  if (!header || !header->control() || header->codec() != wire::Codec::none ||
      header->size() > batch.size() || header->size() < wire::kBatchHeaderSize)
    return std::nullopt;
  wire::RecordWalk walk(*header, wire::RecordWalk::records_of(batch.first(header->size())),
                        wire::RecordWalk::Offsets::ascending);
  if (!walk.next()) return std::nullopt;
  const wire::NullableBytes& key = walk.record().key;
  const wire::NullableBytes& value = walk.record().value;
  if (!key || key->size() < kKeyBytes || !value || value->size() < kValueBytes) return std::nullopt;
  int16_t type = load_be<int16_t>(key->data() + 2);
  if (type != kAbort && type != kCommit) return std::nullopt;
  return EndMarker{type == kAbort, load_be<int32_t>(value->data() + 2)};
}

ProducerPart read_producer_part(const wire::BatchHeader& header, Bytes batch) {
  ProducerPart part = producer_part(header);
  if (part.control && part.any()) part.marker = read_end_marker(batch);
  return part;
}

}  // namespace moldau::log
