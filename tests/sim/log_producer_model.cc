#include "log_producer_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/record_batch.h"

namespace moldau::logsim {
namespace {

// Sequences go round: 0 follows the largest.
int32_t sequence_after(int32_t sequence, int32_t count) {
  return static_cast<int32_t>((int64_t{sequence} + count) & INT32_MAX);
}

std::string text_of(const log::ProducerEntry& e) {
  return fmt::format("epoch {} sequence {} at {} time {} coordinator {} open since {}", e.epoch,
                     e.last_sequence(), e.seen_count > 0 ? e.seen[0].last_offset : Offset(-1),
                     e.last_timestamp, e.coordinator_epoch,
                     e.open_since ? e.open_since->value : -1);
}

}  // namespace

log::PlacedBatch placed_batch(Bytes batch, Offset base) {
  auto header = wire::read_batch_header(batch);
  if (!header) return {};
  return {log::read_producer_part(*header, batch), base, header->last_offset_delta,
          header->max_timestamp};
}

ProducerModel::ProducerModel(const std::vector<log::ProducerEntry>& known) {
  for (const log::ProducerEntry& entry : known) {
    Producer& producer = producers_[entry.id.value];
    producer = {.epoch = entry.epoch,
                .coordinator_epoch = entry.coordinator_epoch,
                .last_timestamp = entry.last_timestamp,
                .open_since = entry.open_since,
                .sent = {entry.seen.begin(),
                         entry.seen.begin() + static_cast<std::ptrdiff_t>(entry.seen_count)}};
    if (entry.open_since) transactions_[*entry.open_since];
  }
}

const ProducerModel::Producer* ProducerModel::find(ProducerId id) const {
  auto found = producers_.find(id.value);
  return found == producers_.end() ? nullptr : &found->second;
}

void ProducerModel::end_transaction(const log::PlacedBatch& marker, Producer& producer) {
  producer.coordinator_epoch = marker.producer.marker->coordinator_epoch;
  if (!producer.open_since) return;
  Offset first = *std::exchange(producer.open_since, std::nullopt);
  transactions_[first] = marker.last();
  if (!marker.producer.marker->abort) return;
  Offset stable = marker.last() + 1;
  for (const auto& [begin, end] : transactions_)
    if (!end) stable = std::min(stable, begin);
  aborted_.push_back({marker.producer.id, first, marker.last(), stable});
}

void ProducerModel::apply(const log::PlacedBatch& batch) {
  const log::ProducerPart& part = batch.producer;
  if (!part.any()) return;
  Producer& producer = producers_[part.id.value];
  if (producer.epoch != part.epoch) producer.sent.clear();
  producer.epoch = part.epoch;
  producer.last_timestamp = batch.max_timestamp;
  if (part.control) return end_transaction(batch, producer);
  producer.sent.push_back({sequence_after(part.base_sequence, batch.last_delta), batch.last(),
                           batch.last_delta, batch.max_timestamp});
  if (!part.transactional || producer.open_since) return;
  producer.open_since = batch.base;
  transactions_[batch.base];
}

ProducerModel::Due ProducerModel::due(const log::PlacedBatch& batch, Offset remembered) const {
  const log::ProducerPart& part = batch.producer;
  const Producer* producer = part.any() ? find(part.id) : nullptr;
  if (!producer) return {};
  if (part.epoch < producer->epoch) return {.refused = Errc::producer_fenced};
  if (part.control && part.marker->coordinator_epoch < producer->coordinator_epoch)
    return {.refused = Errc::coordinator_fenced};
  if (part.control) return {};
  bool same_epoch = part.epoch == producer->epoch;
  int32_t next = same_epoch ? sequence_after(producer->last_sequence(), 1) : 0;
  Due due;
  if (producer->epoch.value >= 0 && part.base_sequence != next)
    due.refused = Errc::out_of_sequence;
  else if (producer->open_since && !part.transactional)
    due.refused = Errc::wrong_transaction_state;
  if (!same_epoch) return due;
  int32_t last = sequence_after(part.base_sequence, batch.last_delta);
  size_t count = producer->sent.size();
  for (size_t back = 1; back <= std::min(count, log::ProducerEntry::kSeen); back++) {
    const log::SeenBatch& sent = producer->sent[count - back];
    if (sent.last_sequence != last || sent.offset_delta != batch.last_delta) continue;
    due.original = sent;
    if (back == 1 || sent.first_offset() >= remembered) due.refused.reset();
    break;
  }
  return due;
}

std::vector<log::ProducerEntry> ProducerModel::entries() const {
  std::vector<log::ProducerEntry> all;
  for (const auto& [id, producer] : producers_) {
    log::ProducerEntry entry;
    entry.id = ProducerId(id);
    entry.epoch = producer.epoch;
    entry.coordinator_epoch = producer.coordinator_epoch;
    entry.last_timestamp = producer.last_timestamp;
    entry.open_since = producer.open_since;
    if (!producer.sent.empty()) entry.remember(producer.sent.back());
    // The file has one timestamp for both.
    entry.seen[0].timestamp = entry.seen_count > 0 ? entry.last_timestamp : -1;
    all.push_back(entry);
  }
  return all;
}

std::optional<std::string> ProducerModel::differs(
    const std::vector<log::ProducerEntry>& found) const {
  std::vector<log::ProducerEntry> due = entries();
  for (const log::ProducerEntry& entry : due) {
    auto same = std::ranges::find(found, entry.id, &log::ProducerEntry::id);
    if (same == found.end())
      return fmt::format("producer {} is forgotten, due is {}", entry.id, text_of(entry));
    if (*same != entry)
      return fmt::format("producer {}: {}, due is {}", entry.id, text_of(*same), text_of(entry));
  }
  if (found.size() == due.size()) return std::nullopt;
  return fmt::format("{} producers are known, {} have written", found.size(), due.size());
}

std::optional<Offset> ProducerModel::undecided(Offset high_watermark) const {
  for (const auto& [first, marker] : transactions_)
    if (!marker || *marker >= high_watermark) return first;
  return std::nullopt;
}

}  // namespace moldau::logsim
