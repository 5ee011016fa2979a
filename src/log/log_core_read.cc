// The part of LogCore that answers readers, and that knows which files are open and which indexes
// are in memory.
#include <fmt/format.h>

#include <algorithm>

#include "base/bug.h"
#include "base/check.h"
#include "log/log_core.h"
#include "log/producer_snapshot.h"
#include "wire/record_batch.h"

namespace moldau::log {
namespace {

constexpr size_t kMaxPieces = 64;  // of one answer from the tail
constexpr size_t kMaxIdle = 4;     // sealed segments with an open file or an index in memory

wire::BatchWalk batches_of(Bytes run) { return {run, wire::BatchWalk::Torn::refuse}; }

// Bytes of the batches at the front of `run` that end before limit and fit into room.
size_t whole_batches(Bytes run, Offset limit, size_t room) {
  wire::BatchWalk walk = batches_of(run);
  size_t size = 0;
  while (walk.next() && walk.header().last_offset() < limit && size + walk.batch().size() <= room)
    size += walk.batch().size();
  return size;
}

}  // namespace

Result<ReadPlan> LogCore::plan_read(const ReadRequest& request) {
  if (offline_) return moldau::fail(Errc::offline, offline_->to_string());
  if ((request.from < start_ && !request.below_start) || request.from > end_)
    return moldau::fail(Errc::out_of_range, fmt::format("offset {} is outside of {} to {}",
                                                        request.from, start_, end_));
  Offset limit = std::min(request.limit, end_);
  if (request.from >= limit) return ReadPlan{};
  if (tail_.empty()) return read_file(request, limit);
  ReadRequest in_tail = request;
  // A gap behind all that is in files: what comes next is in the tail.
  if (request.from >= written_) in_tail.from = std::max(request.from, tail_.front().base);
  if (in_tail.from < tail_.front().base) return read_file(request, limit);
  if (in_tail.from >= limit) return ReadPlan{};
  ReadPlan plan = read_tail(in_tail, limit);
  // So many small pieces: one range of the file is better, if it is there.
  if (plan.tail.size() == kMaxPieces && request.from < written_) return read_file(request, limit);
  return plan;
}

ReadPlan LogCore::read_tail(const ReadRequest& request, Offset limit) const {
  ReadPlan plan;
  auto run = std::prev(std::ranges::upper_bound(tail_, request.from, {}, &Run::base));
  // A follower's runs have gaps between them where compaction was.
  if (run->last < request.from && ++run == tail_.end()) return plan;
  wire::BatchWalk walk = batches_of(run->bytes.bytes());
  while (walk.next() && walk.header().last_offset() < request.from) {
  }
  if (walk.batch().empty()) return plan;
  size_t skip = walk.position();
  size_t room = request.max_bytes;
  plan.base = walk.header().base_offset;
  if (request.at_least_one) room = std::max(room, walk.batch().size());
  for (; run != tail_.end() && plan.tail.size() < kMaxPieces; ++run, skip = 0) {
    size_t left = run->bytes.size() - skip;
    bool whole = (run->last < limit || planted(Bug::tail_past_limit)) && left <= room;
    size_t size = whole ? left : whole_batches(run->bytes.bytes().subspan(skip), limit, room);
    if (size > 0) {
      plan.tail.push_back(run->bytes.slice(skip, size));
      plan.upper = whole ? run->last + 1 : std::min(limit, run->last + 1);
    }
    room -= size;
    if (size < left) break;
  }
  return plan;
}

ReadPlan LogCore::plan_of(size_t index) {
  Segment& part = segments_[index];
  ReadPlan plan;
  plan.kind = ReadPlan::Kind::file;
  plan.segment = part.base;
  plan.generation = part.generation;
  plan.file = part.file;
  plan.end = part.written;
  // What of this segment is not written yet is not in the plan: whoever went on behind it would
  // pass over that, were both written meanwhile.
  bool whole = part.written == part.size;
  if (whole && index + 1 < segments_.size()) plan.next_segment = segments_[index + 1].base;
  part.last_use = ++use_;
  return plan;
}

ReadPlan LogCore::read_file(const ReadRequest& request, Offset limit) {
  size_t index = segment_of(request.from);
  const Segment& part = segments_[index];
  ReadPlan plan = plan_of(index);
  if (!part.sealed)
    plan.search = part.index.position_for(request.from);
  else if (part.sealed_index)
    plan.search = part.sealed_index->position_for(request.from);
  if (limit >= end_of(index) || limit >= written_) return plan;
  auto run = std::ranges::lower_bound(tail_, limit, {}, &Run::base);
  if (run != tail_.end() && run->base == limit && run->segment == part.base)
    plan.end = std::min(plan.end, run->position);
  else
    plan.limit = limit;
  return plan;
}

std::optional<TimestampOffset> LogCore::largest_of(const Segment& segment) const {
  return segment.sealed ? segment.largest : segment.index.largest();
}

Result<ReadPlan> LogCore::plan_time(WallTime t, Offset from) {
  if (offline_) return moldau::fail(Errc::offline, offline_->to_string());
  for (size_t i = segment_of(from); i < segments_.size(); i++) {
    const Segment& part = segments_[i];
    if (!part.exists) break;  // nor do those behind it: nothing of it is written
    bool known = !part.sealed || part.largest_known;
    std::optional<TimestampOffset> largest = largest_of(part);
    if (known && (!largest || largest->timestamp < t)) continue;
    ReadPlan plan = plan_of(i);
    if (!part.sealed)
      plan.search = part.index.position_for(t);
    else if (part.sealed_index)
      plan.search = part.sealed_index->position_for(t);
    return plan;
  }
  return ReadPlan{};
}

Result<ReadPlan> LogCore::plan_largest(std::optional<TimestampOffset>& found) {
  if (offline_) return moldau::fail(Errc::offline, offline_->to_string());
  for (size_t i = 0; i < segments_.size(); i++) {
    const Segment& part = segments_[i];
    if (part.sealed && !part.largest_known) return plan_of(i);
    std::optional<TimestampOffset> largest = largest_of(part);
    if (largest && (!found || largest->timestamp > found->timestamp)) found = largest;
  }
  return ReadPlan{};
}

void LogCore::file_opened(Offset base, uint64_t generation, const FileRef& file) {
  Segment& part = segments_[segment_of(base)];
  if (part.base != base || part.generation != generation || part.file) return;
  part.file = file;
  part.last_use = ++use_;
  close_unused();
}

void LogCore::index_loaded(Offset base, uint64_t generation, const IndexRef& index) {
  Segment& part = segments_[segment_of(base)];
  if (part.base != base || !part.sealed || part.generation != generation) return;
  part.sealed_index = index;
  part.largest = index->largest();
  part.largest_known = true;
  part.last_use = ++use_;
  close_unused();
}

// A file is shared: who reads from it keeps it open.
void LogCore::close_unused() {
  for (;;) {
    Segment* oldest = nullptr;
    size_t idle = 0;
    for (size_t i = 0; i + 1 < segments_.size(); i++) {
      Segment& part = segments_[i];
      if (!part.index_saved || part.renaming || end_of(i) > durable_) continue;
      if (!part.file && !part.sealed_index) continue;
      idle++;
      if (!oldest || part.last_use < oldest->last_use) oldest = &part;
    }
    if (idle <= kMaxIdle) return;
    oldest->file = nullptr;
    oldest->sealed_index = nullptr;
    // An empty list costs nothing, and saves looking for a file that is not there.
    if (oldest->sealed_aborted && !oldest->sealed_aborted->empty())
      oldest->sealed_aborted = nullptr;
  }
}

std::optional<DerivedStep> LogCore::unsaved_derived() {
  if (cutting_) return std::nullopt;
  for (size_t i = 0; i + 1 < segments_.size() && end_of(i) <= durable_; i++) {
    const Segment& part = segments_[i];
    if (!part.sealed_index || part.index_saved) continue;
    return DerivedStep{part.sealed_index, part.sealed_aborted, part.snapshot, end_of(i)};
  }
  return std::nullopt;
}

void LogCore::derived_saved(Offset base) {
  Segment& part = segment(base);
  part.index_saved = true;
  part.snapshot = nullptr;
  close_unused();
}

AbortedPlan LogCore::plan_aborted(Offset from, Offset upper) const {
  AbortedPlan plan;
  for (size_t i = segment_of(from); i < segments_.size(); i++) {
    const Segment& part = segments_[i];
    if (part.sealed && !part.sealed_aborted) {
      plan.load = part.base;
      return plan;
    }
    const AbortedList& list = part.sealed ? *part.sealed_aborted : part.aborted;
    if (collect_aborted(list, from, upper, plan.list)) break;
  }
  return plan;
}

void LogCore::aborted_loaded(Offset base, uint64_t generation, const AbortedRef& list) {
  Segment& part = segments_[segment_of(base)];
  if (part.base == base && part.generation == generation && part.sealed) part.sealed_aborted = list;
}

Offset LogCore::upper_bound_of(Offset base, int64_t position) const {
  size_t i = segment_of(base);
  const Segment& part = segments_[i];
  if (part.base != base) return end_;
  const SegmentIndex* index = part.sealed ? part.sealed_index.get() : &part.index;
  std::optional<Offset> bound = index ? index->bound_before(position) : std::nullopt;
  return bound.value_or(end_of(i));
}

Offset LogCore::last_stable(Offset high_watermark) {
  producers_.on_high_watermark(high_watermark);
  std::optional<Offset> undecided = producers_.first_unstable();
  return undecided ? std::min(std::max(*undecided, start_), high_watermark) : high_watermark;
}

DerivedStep LogCore::final_derived() const {
  const Segment& last = segments_.back();
  SegmentIndex index = last.index;
  index.seal();
  return {std::make_shared<const SegmentIndex>(std::move(index)),
          std::make_shared<const AbortedList>(last.aborted),
          std::make_shared<const std::vector<uint8_t>>(encode_producer_snapshot(producers_)), end_};
}

std::optional<EpochStep> LogCore::unsaved_epochs() const {
  if (!unsaved_epoch_ || cutting_) return std::nullopt;
  return EpochStep{epochs_.encode(), epochs_version_};
}

void LogCore::epochs_saved(uint64_t version) {
  if (version == epochs_version_) unsaved_epoch_ = std::nullopt;
}

}  // namespace moldau::log
