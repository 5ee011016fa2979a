#include "log_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/record_batch.h"

namespace moldau::logsim {
namespace {

std::vector<ModelRecord> records_of(const wire::BatchHeader& header, Bytes batch) {
  std::vector<ModelRecord> records;
  wire::RecordWalk walk(header, wire::RecordWalk::records_of(batch));
  while (walk.next()) records.push_back({walk.timestamp(), walk.offset()});
  return records;
}

bool begins_with(const std::vector<uint8_t>& whole, Bytes bytes) {
  return bytes.size() <= whole.size() && equal(Bytes(whole).first(bytes.size()), bytes);
}

}  // namespace

void LogModel::report(std::string checker, const std::string& text) {
  findings_.add(std::move(checker), name_ + ": " + text);
}

void LogModel::complain(const std::optional<std::string>& about_front) {
  if (about_front) report("start_wrong", *about_front);
}

void LogModel::appended(const log::Appended& appended, Bytes batches, LeaderEpoch epoch,
                        bool verbatim) {
  step_++;
  if (verbatim ? appended.base < end_ : appended.base != end_)
    report("offset_wrong",
           fmt::format("an append got {}, the log ended at {}", appended.base, end_));
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    if (verbatim) end_ = std::max(end_, header.base_offset);
    if (header.base_offset != end_ || header.leader_epoch != epoch ||
        !wire::check_batch_crc(walk.batch()))
      report("append_damaged", fmt::format("the batch for {} in epoch {} has {} and {}", end_,
                                           epoch, header.base_offset, header.leader_epoch));
    ModelBatch batch{.base = end_,
                     .last = end_ + header.last_offset_delta,
                     .epoch = epoch,
                     .max_timestamp = header.max_timestamp,
                     .placed = placed_batch(walk.batch(), end_),
                     .records = records_of(header, walk.batch()),
                     .bytes = {walk.batch().begin(), walk.batch().end()},
                     .born = step_};
    end_ = batch.last + 1;
    producers_.apply(batch.placed);
    live_.insert_or_assign(batch.base, std::move(batch));
  }
  if (appended.last + 1 != end_)
    report("offset_wrong",
           fmt::format("an append ends at {}, {} was expected", appended.last, end_ - 1));
  if (cut_at_ && end_ <= cut_to_) cut_ends_.insert(end_);
}

void LogModel::committed(Offset below, bool durable) {
  step_++;
  if (below > end_)
    report("promise_past_end", fmt::format("committed up to {}, the end is {}", below, end_));
  // Others append until the cut begins, maybe a batch that it goes through.
  if (cut_at_) below = std::min({below, *cut_at_, cut_end(cut_to_)});
  promised_ = std::max(promised_, below);
  if (durable) durable_ = std::max(durable_, below);
}

void LogModel::observe(const log::Offsets& o) {
  if (o.start > o.durable || o.durable > o.written || o.written > o.end || o.committed > o.written)
    report("offsets_disorder", fmt::format("start {} durable {} written {} end {} committed {}",
                                           o.start, o.durable, o.written, o.end, o.committed));
  if (o.end != end_)
    report("offset_wrong", fmt::format("the log ends at {}, not at {}", o.end, end_));
  if (o.durable < durable_ || o.committed < promised_)
    report("promise_withdrawn", fmt::format("durable {} after {}, committed {} after {}", o.durable,
                                            durable_, o.committed, promised_));
  if (front_.retaining()) front_.allow(o.committed);
  complain(front_.observe(o.start));
  if (cut_at_) return;
  durable_ = std::max(durable_, o.durable);
  promised_ = std::max(promised_, o.committed);
}

Offset LogModel::cut_end(Offset to) const {
  if (to >= end_) return end_;
  Offset end = std::min(first_, to);
  for (const auto& [base, batch] : live_)
    if (batch.last < to) end = std::max(end, batch.last + 1);
  return end;
}

void LogModel::cutting(Offset to) {
  cut_to_ = to;
  cut_ends_.clear();
  if (to >= end_) cut_ends_.insert(end_);
  cut_at_ = cut_end(to);
  promised_ = std::min(promised_, *cut_at_);
  durable_ = std::min(durable_, *cut_at_);
  front_.cutting(*cut_at_);
}

void LogModel::left_cut(Offset end) {
  if (front_.anew()) {
    front_.restarted(end);
    promised_ = durable_ = end;
  } else if (cut_at_ && !cut_ends_.contains(end)) {
    Offset due = cut_ends_.empty() ? Offset(-1) : *cut_ends_.rbegin();
    report("cut_wrong", fmt::format("cut at {}, due was {}", end, due));
  }
  cut_at_.reset();
}

void LogModel::restarting(Offset at) {
  front_.restarting(at);
  cut_at_ = promised_ = durable_ = Offset(0);
}

void LogModel::begin_anew(Offset at, std::vector<log::ProducerEntry> known) {
  forget_from(Offset(0));
  first_ = end_ = remembered_ = at;
  known_ = std::move(known);
  producers_ = producers_at(at);
}

ProducerModel LogModel::producers_at(Offset end) const {
  ProducerModel model(known_);
  for (const auto& [base, batch] : live_)
    if (batch.last < end) model.apply(batch.placed);
  return model;
}

void LogModel::check_producers(const std::vector<log::ProducerEntry>& found, Offset stable,
                               Offset high_watermark) {
  if (auto wrong = producers_.differs(found)) report("producers_wrong", *wrong);
  Offset due = producers_.undecided(high_watermark).value_or(high_watermark);
  due = std::min(std::max(due, front_.start()), high_watermark);
  if (stable != due)
    report("stable_wrong", fmt::format("the last stable offset is {} and not {}, the high "
                                       "watermark is {}",
                                       stable, due, high_watermark));
}

void LogModel::check_aborted(const log::AbortedList& found, Offset from, Offset upper,
                             size_t before) {
  const std::vector<log::AbortedTransaction>& due = producers_.aborted();
  for (const log::AbortedTransaction& one : found)
    if (std::ranges::find(due, one) == due.end())
      return report("aborted_wrong", fmt::format("nobody aborted {} to {} of producer {}",
                                                 one.first, one.last, one.producer));
  for (size_t i = 0; i < std::min(before, due.size()); i++) {
    bool concerns = due[i].last >= from && due[i].first < upper;
    if (concerns && std::ranges::find(found, due[i]) == found.end())
      return report("aborted_missing",
                    fmt::format("readers of {} to {} are not told of {} to {} of producer {}", from,
                                upper, due[i].first, due[i].last, due[i].producer));
  }
}

void LogModel::forget_from(Offset end) {
  while (!live_.empty() && live_.rbegin()->first >= end) {
    auto last = std::prev(live_.end());
    last->second.died = step_;
    gone_.emplace(last->first, std::move(last->second));
    live_.erase(last);
  }
  if (!live_.empty() && live_.rbegin()->second.last >= end)
    report("cut_inside_batch",
           fmt::format("the end {} lies inside the batch at {}", end, live_.rbegin()->first));
  end_ = end;
  producers_ = producers_at(end);
}

void LogModel::taken_back(Offset end) {
  step_++;
  losses_++;
  if (auto anew = front_.anew(); anew && *anew == end) return begin_anew(end, {});
  // Before the cut a full disk may take something back as well, even more than that.
  if (cut_at_ && end <= cut_end(cut_to_)) {
    cut_ends_.insert(end);
    front_.cut(end);
    remembered_ = end;
  }
  if (end < promised_)
    report("acked_lost", fmt::format("taken back to {}, {} was promised", end, promised_));
  if (end > end_)
    report("offset_wrong", fmt::format("taken back to {}, the end was {}", end, end_));
  else
    forget_from(end);
}

void LogModel::recovered(const Found& found, Offset promised) {
  const log::Offsets& o = found.offsets;
  step_++;
  // All that was left may go, or was cut inside of the batch that the log's start lies in: it goes
  // on where it began.
  bool below = o.end <= front_.most();
  bool anew = (front_.anew() || below) && found.empty && o.start == o.end;
  // Stopped while it was to begin anew: which of the snapshots were gone already, nobody knows.
  bool forgot = front_.anew().has_value();
  complain(front_.recovered(o.start, o.end));
  if (anew) begin_anew(o.end, forgot ? found.producers : producers_at(o.end).entries());
  if (o.end < promised)
    report("acked_lost", fmt::format("found up to {}, {} was promised", o.end, promised));
  if (o.end > end_)
    report("resurrected", fmt::format("found up to {}, the log ended at {}", o.end, end_));
  if (found.clean && o.end != end_)
    report("clean_lost", fmt::format("found up to {} after a clean stop at {}", o.end, end_));
  if (o.end <= end_) forget_from(o.end);
  gone_.clear();
  remembered_ = end_;
  cut_at_.reset();
  promised_ = durable_ = end_;
}

void LogModel::keep_only(const std::vector<Offset>& bases) {
  std::erase_if(live_, [&](const auto& entry) {
    return entry.first >= durable_ && !std::ranges::binary_search(bases, entry.first);
  });
}

Offset LogModel::due_at(Offset offset) const {
  if (batch_with(offset)) return offset;
  auto next = live_.lower_bound(offset);
  return next == live_.end() ? offset : next->first;
}

const ModelBatch* LogModel::batch_with(Offset offset) const {
  auto after = live_.upper_bound(offset);
  if (after == live_.begin()) return nullptr;
  const ModelBatch& found = std::prev(after)->second;
  return found.last >= offset ? &found : nullptr;
}

const ModelBatch* LogModel::version(Offset base, Bytes bytes, uint64_t since) const {
  auto live = live_.find(base);
  if (live != live_.end() && begins_with(live->second.bytes, bytes)) return &live->second;
  auto [from, to] = gone_.equal_range(base);
  for (auto at = from; at != to; ++at)
    if (at->second.died > since && begins_with(at->second.bytes, bytes)) return &at->second;
  return nullptr;
}

// It is a batch of this log but for the fields in front of the checksum.
bool LogModel::unprotected(Bytes bytes) const {
  auto same = [&](const auto& entry) {
    const std::vector<uint8_t>& known = entry.second.bytes;
    size_t from = wire::kBatchMagicOffset;
    return known.size() == bytes.size() && !equal(known, bytes) &&
           equal(Bytes(known).subspan(from), bytes.subspan(from));
  };
  return std::ranges::any_of(live_, same) || std::ranges::any_of(gone_, same);
}

void LogModel::served(Bytes bytes, Offset from, Offset limit, uint64_t since, bool checked) {
  const ModelBatch* due = batch_with(from);
  if (bytes.empty()) {
    if (damage_) return;  // a header with a wrong bit may seem to lie behind the limit
    if (due && due->born <= since && due->last < limit)
      report("nothing_served", fmt::format("nothing at {} below {}", from, limit));
    return;
  }
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
  Offset next = due_at(from);
  bool first = true;
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    bool sound = wire::check_batch_crc(walk.batch()).has_value();
    if (damage_ && checked && !sound)
      return report("damage_served", fmt::format("the batch {} to {} with a checksum that does "
                                                 "not hold",
                                                 header.base_offset, header.last_offset()));
    if (damage_ && (!sound || unprotected(walk.batch()))) return;
    bool fits = first ? header.base_offset <= next && header.last_offset() >= next
                      : header.base_offset == next;
    if (!fits && !version(header.base_offset, walk.batch(), since))
      return report("bytes_changed", fmt::format("nobody wrote the batch served as {} to {}",
                                                 header.base_offset, header.last_offset()));
    // Where to begin is told by headers and index entries that are read without the rest of what
    // their checksum covers, if any does: with a bit of them wrong it may be another batch.
    if (!fits && damage_) return;
    if (!fits)
      return report("gap_served", fmt::format("the batch {} to {} where {} was due",
                                              header.base_offset, header.last_offset(), next));
    if (!version(header.base_offset, walk.batch(), since))
      return report("bytes_changed",
                    fmt::format("nobody wrote the batch served at {}", header.base_offset));
    if (header.last_offset() >= limit)
      return report("limit_ignored", fmt::format("the batch {} to {} at limit {}",
                                                 header.base_offset, header.last_offset(), limit));
    next = due_at(header.next_offset());
    first = false;
  }
  if (damage_) return;
  if (Result<void> ended = walk.finish(); !ended)
    report("bytes_changed", fmt::format("behind {}: {}", next, ended.error().to_string()));
  Bytes rest = bytes.subspan(walk.position());
  if (rest.size() >= sizeof(int64_t) && !first && !version(next, rest, since))
    report("bytes_changed", fmt::format("nobody wrote the piece of a batch served at {}", next));
}

std::optional<log::TimestampOffset> LogModel::first_since(int64_t timestamp, Offset below) const {
  for (const auto& [base, batch] : live_) {
    if (batch.last >= below) break;
    if (batch.max_timestamp < timestamp || batch.last < front_.start()) continue;
    for (const ModelRecord& record : batch.records)
      if (record.timestamp >= timestamp && record.offset >= front_.start())
        return log::TimestampOffset{WallTime{record.timestamp}, record.offset};
  }
  return std::nullopt;
}

std::optional<log::TimestampOffset> LogModel::largest(Offset below) const {
  std::optional<log::TimestampOffset> found;
  for (const auto& [base, batch] : live_) {
    if (batch.last >= below) break;
    for (const ModelRecord& record : batch.records)
      if (record.timestamp >= 0 && (!found || record.timestamp > found->timestamp.millis))
        found = log::TimestampOffset{WallTime{record.timestamp}, record.offset};
  }
  return found;
}

std::vector<log::EpochEntry> LogModel::epochs() const {
  log::Epochs epochs;
  for (const auto& [base, batch] : live_) epochs.assign(batch.epoch, batch.base);
  epochs.truncate_start(front_.most());
  return epochs.entries();
}

}  // namespace moldau::logsim
