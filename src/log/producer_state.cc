#include "log/producer_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bug.h"

namespace moldau::log {
namespace {

constexpr int32_t kMaxSequence = std::numeric_limits<int32_t>::max();

// Sequences go round: 0 follows the largest.
int32_t minus(int32_t sequence, int32_t count) {
  int64_t at = int64_t{sequence} - count;
  return static_cast<int32_t>(at >= 0 ? at : at + int64_t{kMaxSequence} + 1);
}

int32_t plus(int32_t sequence, int32_t count) {
  int64_t at = int64_t{sequence} + count;
  return static_cast<int32_t>(at <= kMaxSequence ? at : at - int64_t{kMaxSequence} - 1);
}

bool follows(int32_t last, int32_t next) {
  return int64_t{next} == int64_t{last} + 1 || (next == 0 && last == kMaxSequence);
}

std::string where(const PlacedBatch& batch) {
  return fmt::format("producer {} at offset {}", batch.producer.id, batch.base);
}

}  // namespace

int32_t SeenBatch::first_sequence() const { return minus(last_sequence, offset_delta); }

void ProducerEntry::remember(const SeenBatch& batch) {
  if (seen_count == kSeen) {
    std::shift_left(seen.begin(), seen.end(), 1);
    seen_count--;
  }
  seen[seen_count++] = batch;
}

const ProducerEntry* ProducerState::find(ProducerId id) const {
  auto found = producers_.find(id.value);
  return found == producers_.end() ? nullptr : &found->second;
}

std::optional<SeenBatch> ProducerState::duplicate(const PlacedBatch& batch) const {
  if (!batch.producer.any() || batch.producer.control) return std::nullopt;
  const ProducerEntry* entry = find(batch.producer.id);
  if (!entry || entry->epoch != batch.producer.epoch) return std::nullopt;
  if (planted(Bug::duplicate_accepted)) [[unlikely]]
    return std::nullopt;
  int32_t last = plus(batch.producer.base_sequence, batch.last_delta);
  for (size_t i = 0; i < entry->seen_count; i++) {
    const SeenBatch& seen = entry->seen[i];
    if (seen.last_sequence == last && seen.first_sequence() == batch.producer.base_sequence)
      return seen;
  }
  return std::nullopt;
}

Result<void> ProducerState::check_sequence(const PlacedBatch& batch,
                                           const ProducerEntry* entry) const {
  // Of a producer that nothing is known of any sequence is taken: what it wrote may have been
  // deleted, or have expired.
  if (!entry || entry->epoch.value < 0) return {};
  if (planted(Bug::duplicate_accepted)) [[unlikely]]
    return {};
  const ProducerPart& producer = batch.producer;
  if (producer.epoch != entry->epoch) {
    if (producer.base_sequence == 0) return {};
    return fail(Errc::out_of_sequence,
                fmt::format("{}: sequence {} begins epoch {}, it must be 0 (the last epoch was {})",
                            where(batch), producer.base_sequence, producer.epoch, entry->epoch));
  }
  if (follows(entry->last_sequence(), producer.base_sequence)) return {};
  return fail(Errc::out_of_sequence, fmt::format("{}: sequence {} after {}", where(batch),
                                                 producer.base_sequence, entry->last_sequence()));
}

Result<void> ProducerState::check(const PlacedBatch& batch, Origin origin) const {
  if (!batch.producer.any() || origin == Origin::replication) return {};
  const ProducerEntry* entry = find(batch.producer.id);
  ProducerEpoch known = entry ? entry->epoch : ProducerEpoch(-1);
  if (batch.producer.epoch < known)
    return fail(Errc::producer_fenced, fmt::format("{}: epoch {} is over, the last one is {}",
                                                   where(batch), batch.producer.epoch, known));
  if (batch.producer.control) {
    if (!batch.producer.marker || !entry) return {};
    int32_t epoch = batch.producer.marker->coordinator_epoch;
    if (epoch >= entry->coordinator_epoch) return {};
    return fail(Errc::coordinator_fenced,
                fmt::format("{}: coordinator epoch {} is over, the last one is {}", where(batch),
                            epoch, entry->coordinator_epoch));
  }
  if (origin == Origin::client) TRY_(check_sequence(batch, entry));
  if (entry && entry->open_since && !batch.producer.transactional)
    return fail(Errc::wrong_transaction_state,
                where(batch) + ": it has a transaction open here, and this is not part of it");
  return {};
}

std::optional<AbortedTransaction> ProducerState::end_transaction(const PlacedBatch& batch,
                                                                 ProducerEntry& entry) {
  const EndMarker& marker = *batch.producer.marker;
  entry.coordinator_epoch = marker.coordinator_epoch;
  entry.last_timestamp = batch.max_timestamp;
  if (!entry.open_since) return std::nullopt;  // a marker without a transaction
  Offset first = *entry.open_since;
  entry.open_since = std::nullopt;
  open_.erase(first);
  ended_[first] = batch.last();
  if (!marker.abort) return std::nullopt;
  Offset stable = open_.empty() ? batch.last() + 1 : open_.begin()->first;
  return AbortedTransaction{batch.producer.id, first, batch.last(), stable};
}

std::optional<AbortedTransaction> ProducerState::apply(const PlacedBatch& batch) {
  const ProducerPart& producer = batch.producer;
  if (!producer.any() || (producer.control && !producer.marker)) return std::nullopt;
  auto [at, fresh] = producers_.try_emplace(producer.id.value);
  ProducerEntry& entry = at->second;
  if (journaling_)
    undo_.push_back({batch.base, producer.id, fresh ? std::nullopt : std::optional(entry)});
  entry.id = producer.id;
  if (entry.epoch != producer.epoch) {
    entry.epoch = producer.epoch;
    entry.seen_count = 0;
    entry.seen = {};
  }
  if (producer.marker) return end_transaction(batch, entry);
  entry.remember({plus(producer.base_sequence, batch.last_delta), batch.last(), batch.last_delta,
                  batch.max_timestamp});
  entry.last_timestamp = batch.max_timestamp;
  if (producer.transactional && !entry.open_since) {
    entry.open_since = batch.base;
    open_[batch.base] = producer.id;
  }
  return std::nullopt;
}

void ProducerState::settle(Offset written) {
  while (!undo_.empty() && undo_.front().base < written) undo_.pop_front();
}

void ProducerState::take_back(Offset end) {
  for (; !undo_.empty() && undo_.back().base >= end; undo_.pop_back()) {
    Undo& undo = undo_.back();
    auto now = producers_.find(undo.id.value);
    std::optional<Offset> had = undo.before ? undo.before->open_since : std::nullopt;
    std::optional<Offset> has = now == producers_.end() ? std::nullopt : now->second.open_since;
    if (has && has != had) open_.erase(*has);
    if (had && has != had) {
      ended_.erase(*had);
      open_[*had] = undo.id;
    }
    if (undo.before)
      producers_[undo.id.value] = *undo.before;
    else
      producers_.erase(undo.id.value);
  }
}

std::optional<Offset> ProducerState::first_unstable() const {
  if (planted(Bug::stable_past_open)) [[unlikely]]
    return std::nullopt;
  std::optional<Offset> first;
  if (!open_.empty()) first = open_.begin()->first;
  if (!ended_.empty() && (!first || ended_.begin()->first < *first)) first = ended_.begin()->first;
  return first;
}

void ProducerState::on_high_watermark(Offset high_watermark) {
  std::erase_if(ended_, [&](const auto& one) { return one.second < high_watermark; });
}

void ProducerState::on_log_start(Offset start) {
  std::erase_if(ended_, [&](const auto& one) { return one.second < start; });
}

bool ProducerState::expired(const ProducerEntry& entry, WallTime now) const {
  return !entry.open_since && now.millis - entry.last_timestamp >= expiration_millis_;
}

void ProducerState::expire(WallTime now) {
  std::erase_if(producers_, [&](const auto& one) { return expired(one.second, now); });
}

std::vector<const ProducerEntry*> ProducerState::entries() const {
  std::vector<const ProducerEntry*> all;
  all.reserve(producers_.size());
  for (const auto& [id, entry] : producers_) all.push_back(&entry);
  return all;
}

LastRecords ProducerState::last_records() const {
  LastRecords last;
  for (const auto& [id, entry] : producers_) {
    LastRecord& record = last[id];
    record.epoch = entry.epoch;
    if (entry.seen_count > 0) record.last_data = entry.seen[entry.seen_count - 1].last_offset;
  }
  return last;
}

void ProducerState::load(const std::vector<ProducerEntry>& entries, WallTime now) {
  for (const ProducerEntry& entry : entries) {
    if (expired(entry, now)) continue;
    producers_[entry.id.value] = entry;
    if (entry.open_since) open_[*entry.open_since] = entry.id;
  }
}

}  // namespace moldau::log
