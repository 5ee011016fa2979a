// The part of LogCore that takes away from the log: at its front by deletion and retention, at its
// end by truncation.
#include <algorithm>

#include "base/bug.h"
#include "base/check.h"
#include "log/log_core.h"

namespace moldau::log {

bool LogCore::raise_start(Offset to, Offset limit) {
  to = std::min({to, limit, end_});
  if (to <= start_) return false;
  start_ = to;
  producers_.on_log_start(start_);
  return true;
}

LogCore::RetentionPlan LogCore::plan_retention(Offset high_watermark, WallTime now) {
  std::vector<SegmentAge> ages;
  for (size_t i = 0; i < segments_.size(); i++) {
    const Segment& part = segments_[i];
    SegmentAge age{.base = part.base, .next = end_of(i), .size = part.size};
    if (!part.sealed || part.largest_known) {
      std::optional<TimestampOffset> largest = largest_of(part);
      age.newest = largest ? largest->timestamp : part.created;
    }
    ages.push_back(age);
  }
  Offset limit = std::min(high_watermark, durable_);
  RetentionVerdict verdict = judge_retention(ages, config_.retention, start_, limit, now);
  RetentionPlan plan;
  if (planted(Bug::retention_takes_uncommitted)) [[unlikely]]
    limit = end_;
  plan.start = verdict.count == 0 ? start_ : std::min(limit, end_of(verdict.count - 1));
  if (verdict.unknown) plan.load = segments_[verdict.count].base;
  if (verdict.count == segments_.size() && !offline_ && !cutting_ && !verdict.unknown) roll(now);
  return plan;
}

bool LogCore::front_removable() const {
  return segments_.size() > 1 && segments_[1].base <= start_ && segments_[1].base <= durable_ &&
         segments_.front().index_saved;
}

std::vector<Offset> LogCore::take_removable(Offset saved_start) {
  std::vector<Offset> bases;
  if (offline_ || cutting_) return bases;
  while (front_removable()) {
    const Segment& next = segments_[1];
    bool saved = next.base <= saved_start;
    bool alone = bases.empty() && next.exists && next.name_durable;
    if (!saved && !alone) break;
    bases.push_back(segments_.front().base);
    segments_.pop_front();
    if (!saved) break;
  }
  if (!bases.empty()) removals_++;
  if (!bases.empty() && epochs_.truncate_start(segments_.front().base)) {
    epochs_version_++;
    // The file says more than is true; what it lacks does not change.
    if (!unsaved_epoch_) unsaved_epoch_ = durable_;
  }
  while (!tail_.empty() && unwritten_ > 0 && tail_.front().base < segments_.front().base) {
    tail_size_ -= tail_.front().bytes.size();
    tail_.pop_front();
    unwritten_--;
  }
  return bases;
}

Epochs LogCore::epochs() const {
  Epochs seen = epochs_;
  seen.truncate_start(start_);
  return seen;
}

// While the log is cut, the file with that name may go.
bool LogCore::start_in_name() const {
  const Segment& first = segments_.front();
  return first.name_durable && first.base >= start_ && !cutting_ && removals_ == 0;
}

bool LogCore::begin_cut() {
  if (cutting_ || !quiet() || durable_ < written_) return false;
  cutting_ = true;
  return true;
}

ReadPlan LogCore::plan_cut(Offset to) {
  size_t index = segment_of(to);
  ReadPlan plan = plan_of(index);
  const Segment& part = segments_[index];
  if (!part.exists) plan.kind = ReadPlan::Kind::done;
  // From a batch that stays, or from the first one.
  if (!part.sealed)
    plan.search = part.index.position_for(to - 1);
  else if (part.sealed_index)
    plan.search = part.sealed_index->position_for(to - 1);
  return plan;
}

Segment LogCore::copy_of(Offset base) const {
  const Segment& found = segments_[segment_of(base)];
  CHECK(found.base == base, "no segment {}, but {}", base, found.base);
  return found;
}

std::vector<Offset> LogCore::segment_bases() const {
  std::vector<Offset> bases;
  for (const Segment& part : segments_) bases.push_back(part.base);
  return bases;
}

void LogCore::hold_recovery_point(Offset at) { held_recovery_point_ = at; }

void LogCore::end_cut(Cut cut, WallTime now) {
  CHECK(cutting_, "a cut that did not begin");
  Offset end = cut.end;
  while (!segments_.empty() && segments_.back().base >= (cut.last ? cut.last->base : Offset(0)))
    segments_.pop_back();
  if (!cut.last) {
    cut.last.emplace();
    cut.last->base = end;
    cut.last->index = SegmentIndex(end);
    cut.last->created = now;
  }
  cut.last->generation = ++generations_;
  segments_.push_back(std::move(*cut.last));
  tail_.clear();
  unwritten_ = tail_size_ = unwritten_size_ = 0;
  start_ = cut.start.value_or(std::min(start_, end));
  end_ = written_ = durable_ = end;
  // Whoever waits for an append waits in vain, also if it stayed: only the next leader can tell.
  failed_.clear();
  forgotten_ = next_ticket_ - 1;
  epochs_ = std::move(cut.epochs);
  epochs_version_++;
  unsaved_epoch_ = std::nullopt;
  producers_ = std::move(cut.producers);
  producers_.journal(true);
  held_recovery_point_ = std::nullopt;
  cutting_ = false;
  cuts_++;
}

}  // namespace moldau::log
