#include "log/log_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bug.h"
#include "base/check.h"
#include "base/random.h"
#include "log/batch_info.h"
#include "log/producer_snapshot.h"

namespace moldau::log {
namespace {
constexpr int64_t kMaxWrite = int64_t{8} << 20;  // bytes of one write
constexpr size_t kMaxFailedRanges = 1024;
}  // namespace

LogCore::LogCore(const LogConfig& config, Opened opened)
    : config_(config),
      segments_(std::make_move_iterator(opened.segments.begin()),
                std::make_move_iterator(opened.segments.end())),
      start_(opened.start),
      end_(opened.end),
      written_(opened.end),
      durable_(opened.end),
      epochs_(std::move(opened.epochs)),
      producers_(std::move(opened.producers)) {
  producers_.journal(true);
  CHECK(!segments_.empty() && !segments_.back().sealed, "{} segments", segments_.size());
  if (opened.epochs_saved) return;
  epochs_version_++;
  unsaved_epoch_ = start_;
}

void LogCore::reconfigure(const LogConfig& config) {
  uint64_t drawn = config_.jitter_seed;
  config_ = config;
  if (drawn != 0) config_.jitter_seed = drawn;
}

// As Kafka decides it, for an append as a whole.
bool LogCore::must_roll(size_t bytes, const Extent& extent, WallTime now) const {
  const Segment& last = segments_.back();
  if (last.size == 0) return false;
  int64_t age = last.first_timestamp.value_or(-1) >= 0 && extent.max_timestamp >= 0
                    ? extent.max_timestamp - *last.first_timestamp
                    : now.millis - last.created.millis;
  return last.size + static_cast<int64_t>(bytes) > config_.segment_bytes ||
         age > config_.segment_millis - jitter_of(last.base) ||
         last.index.full(config_.segment_index_bytes) ||
         extent.last - last.base > std::numeric_limits<int32_t>::max();
}

// Partitions that were made together do not all roll together.
int64_t LogCore::jitter_of(Offset base) const {
  int64_t most = std::min(config_.roll_jitter_millis, config_.segment_millis);
  if (most <= 0) return 0;
  uint64_t mixed = Random(config_.jitter_seed ^ static_cast<uint64_t>(base.value)).next();
  return static_cast<int64_t>(mixed % static_cast<uint64_t>(most));
}

void LogCore::roll(WallTime now) {
  Segment& last = segments_.back();
  if (!planted(Bug::roll_loses_entry)) last.index.seal();
  last.largest = last.index.largest();
  last.largest_known = true;
  last.sealed_index = std::make_shared<const SegmentIndex>(std::move(last.index));
  last.index = SegmentIndex(last.base);
  last.sealed_aborted = std::make_shared<const AbortedList>(std::exchange(last.aborted, {}));
  last.snapshot =
      std::make_shared<const std::vector<uint8_t>>(encode_producer_snapshot(producers_));
  last.sealed = true;
  Segment next;
  next.base = end_;
  next.index = SegmentIndex(end_);
  next.created = now;
  next.generation = ++generations_;  // the name may be that of a segment that was cut off
  segments_.push_back(std::move(next));
}

void LogCore::unseal(Segment& segment) {
  if (!segment.sealed) return;
  segment.index = *segment.sealed_index;
  segment.sealed_index = nullptr;
  segment.aborted = *segment.sealed_aborted;
  segment.sealed_aborted = nullptr;
  segment.snapshot = nullptr;
  segment.largest_known = false;
  segment.sealed = false;
}

size_t LogCore::segment_of(Offset offset) const {
  auto after = std::ranges::upper_bound(segments_, offset, {}, &Segment::base);
  return after == segments_.begin() ? 0 : static_cast<size_t>(after - segments_.begin()) - 1;
}

Segment& LogCore::segment(Offset base) {
  Segment& found = segments_[segment_of(base)];
  CHECK(found.base == base, "no segment {}, but {}", base, found.base);
  return found;
}

Offset LogCore::end_of(size_t index) const {
  return index + 1 < segments_.size() ? segments_[index + 1].base : end_;
}

Offset LogCore::committed() const {
  if (planted(Bug::ack_before_sync)) [[unlikely]]
    return written_;
  return config_.flush == Flush::ack ? durable_ : written_;
}

// How far a sync now would make the log durable. An async log leaves its last segment to the
// system.
Offset LogCore::sync_target(bool all) const {
  if (all || config_.flush == Flush::ack) return written_;
  return segments_[segment_of(written_)].base;
}

Effects LogCore::effects_since(Offset committed_before) const {
  Effects effects;
  if (committed() != committed_before) effects.committed = committed();
  return effects;
}

void LogCore::gather(WriteStep& step) {
  const Run& first = tail_[unwritten_];
  step.kind = WriteStep::Kind::write;
  step.segment = first.segment;
  step.position = first.position;
  step.file = segment(first.segment).file;
  for (size_t i = unwritten_; i < tail_.size() && step.count < WriteStep::kMaxParts; i++) {
    const Run& run = tail_[i];
    int64_t size = std::ssize(run.bytes.bytes());
    if (run.segment != first.segment || (step.count > 0 && step.bytes + size > kMaxWrite)) break;
    step.parts[step.count++] = run.bytes.bytes();
    step.bytes += size;
  }
}

void LogCore::next_write(WriteStep& step, bool& have_role) {
  step.kind = WriteStep::Kind::none;
  step.count = 0;
  step.bytes = 0;
  step.file = nullptr;
  if (!have_role && (writing_ || cutting_)) return;
  writing_ = have_role = true;
  bool nothing = offline_ || unwritten_ == tail_.size();
  const Segment* to = nothing ? nullptr : &segment(tail_[unwritten_].segment);
  // A segment begins when everything before it is durable: after a power loss a hole between two
  // segments could not be told from one that compaction made. (An async log takes that risk as
  // Kafka does.)
  if (to && !to->exists && config_.flush == Flush::ack && durable_ < to->base)
    nothing = !planted(Bug::segment_too_early);
  if (nothing) {
    writing_ = have_role = false;
  } else if (to->exists) {
    gather(step);
  } else {
    step.kind = WriteStep::Kind::create;
    step.segment = to->base;
  }
}

void LogCore::created(const WriteStep& step, const FileRef& file) {
  Segment& made = segment(step.segment);
  made.exists = true;
  made.file = file;
}

Effects LogCore::written(const WriteStep& step) {
  Offset before = committed();
  Segment& to = segment(step.segment);
  to.written += step.bytes;
  unwritten_ += step.count;
  unwritten_size_ -= static_cast<size_t>(step.bytes);
  written_ = tail_[unwritten_ - 1].last + 1;
  producers_.settle(written_);
  trim_tail();
  Effects effects = effects_since(before);
  effects.sync_wanted = sync_target(false) > durable_;
  return effects;
}

void LogCore::trim_tail() {
  while (unwritten_ > 0 && tail_size_ > config_.tail_bytes) {
    tail_size_ -= tail_.front().bytes.size();
    tail_.pop_front();
    unwritten_--;
  }
}

void LogCore::remember_failed(uint64_t first, uint64_t last) {
  if (!failed_.empty() && failed_.back().last + 1 == first)
    failed_.back().last = last;
  else
    failed_.push_back({first, last});
  if (failed_.size() <= kMaxFailedRanges) return;
  forgotten_ = failed_.front().last;
  failed_.pop_front();
}

void LogCore::drop_unwritten() {
  if (unwritten_ == tail_.size()) return;
  remember_failed(tail_[unwritten_].ticket, tail_.back().ticket);
  while (tail_.size() > unwritten_) {
    Run& run = tail_.back();
    Segment& of = segment(run.segment);
    unseal(of);
    if (!planted(Bug::index_keeps_dropped)) of.index.restore(run.before);
    of.aborted.resize(std::min(of.aborted.size(), run.aborted_before));
    of.size = run.position;
    if (of.size == 0) of.first_timestamp = std::nullopt;
    tail_size_ -= run.bytes.size();
    tail_.pop_back();
  }
  unwritten_size_ = 0;
  end_ = written_;
  while (segments_.back().base > end_) {
    CHECK(!segments_.back().exists, "segment {} was made before its time", segments_.back().base);
    segments_.pop_back();
  }
  bool cut = !planted(Bug::epochs_kept) && epochs_.truncate_end(end_);
  if (cut) epochs_version_++;
  producers_.take_back(end_);
}

Effects LogCore::write_failed(const Error& error) {
  writing_ = false;
  Effects effects;
  if (error.code() != Errc::no_space && error.code() != Errc::exhausted) {
    fail(error);
    effects.offline = error;
    return effects;
  }
  effects.dropped = unwritten_ < tail_.size();
  drop_unwritten();
  return effects;
}

std::optional<SyncStep> LogCore::begin_sync(bool all) {
  Offset through = sync_target(all);
  if (syncing_ || cutting_ || offline_ || through <= durable_) return std::nullopt;
  SyncStep step;
  step.through = through;
  for (size_t i = segment_of(durable_); i < segments_.size() && segments_[i].base < through; i++) {
    const Segment& part = segments_[i];
    if (!part.exists || end_of(i) <= durable_) continue;
    step.files.push_back({part.base, part.file});
    step.directory = step.directory || !part.name_durable;
  }
  if (planted(Bug::segment_name_unsynced)) [[unlikely]]
    step.directory = false;
  syncing_ = true;
  return step;
}

Effects LogCore::end_sync(const SyncStep& step) {
  syncing_ = false;
  // Of two syncs that are under way at once the system may tell only one that pages were lost.
  if (offline_) return {};
  Offset before = committed();
  for (const SyncStep::Item& item : step.files) segment(item.segment).name_durable = true;
  durable_ = std::max(durable_, step.through);
  if (planted(Bug::sync_reads_end_late)) [[unlikely]]
    durable_ = written_;
  Effects effects = effects_since(before);
  effects.write_wanted = !writing_ && unwritten_ < tail_.size();
  return effects;
}

Effects LogCore::sync_failed(const Error& error) {
  syncing_ = false;
  Effects effects;
  if (planted(Bug::failed_sync_believed)) [[unlikely]] {
    effects.sync_wanted = true;
    return effects;
  }
  fail(error);
  effects.offline = error;
  return effects;
}

void LogCore::fail(const Error& error) {
  if (!offline_) offline_ = error;
}

Offsets LogCore::offsets() const { return {start_, end_, written_, durable_, committed()}; }

bool LogCore::failed(uint64_t ticket) const {
  if (offline_ || ticket <= forgotten_) return true;
  auto range = std::ranges::lower_bound(failed_, ticket, {}, &Range::last);
  return range != failed_.end() && range->first <= ticket;
}

// Inside the last segment it stays one below: were that one full just here, the next would begin at
// this point, and recovery would believe index files that are older than the segment.
Offset LogCore::recovery_point() const {
  const Segment& last = segments_.back();
  bool inside = durable_ > last.base && !last.index_saved;
  if (planted(Bug::point_at_border)) [[unlikely]]
    inside = false;
  Offset point = inside ? durable_ - 1 : durable_;
  if (planted(Bug::point_before_sync)) [[unlikely]]
    return written_;
  for (const Segment& part : segments_)
    if (part.sealed && !part.index_saved && !planted(Bug::point_before_index)) {
      point = std::min(point, part.base);
      break;
    }
  if (held_recovery_point_) point = std::min(point, *held_recovery_point_);
  return unsaved_epoch_ ? std::min(point, *unsaved_epoch_) : point;
}

}  // namespace moldau::log
