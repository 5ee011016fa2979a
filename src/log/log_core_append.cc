// The part of LogCore that takes appends: a leader's, whose batches get their offsets, and a
// follower's, whose batches have them.
#include <fmt/format.h>

#include <algorithm>

#include "base/bug.h"
#include "base/check.h"
#include "log/batch_info.h"
#include "log/log_core.h"

namespace moldau::log {

Result<void> LogCore::may_append(size_t bytes) const {
  if (offline_) return moldau::fail(Errc::offline, offline_->to_string());
  if (cutting_) return moldau::fail(Errc::busy, "the log is being truncated");
  if (std::cmp_less_equal(bytes, config_.segment_bytes)) return {};
  return moldau::fail(Errc::too_large,
                      fmt::format("{} bytes of batches do not fit a segment of {} (segment.bytes)",
                                  bytes, config_.segment_bytes));
}

LogCore::Extent LogCore::measure(Bytes batches) const {
  Extent extent{.last = end_ - 1};
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    CHECK(header.last_offset_delta >= 0, "a batch of {} records was not validated",
          header.last_offset_delta);
    extent.last += int64_t{header.last_offset_delta} + 1;
    extent.max_timestamp = std::max(extent.max_timestamp, header.max_timestamp);
    extent.batches++;
    extent.producers = extent.producers || header.has_producer();
  }
  Result<void> whole = walk.finish();
  CHECK(whole, "an append was not validated: {}", whole.error().to_string());
  return extent;
}

// What is not in its file yet may still be taken back: the original's fate is the duplicate's.
Appended LogCore::answer_again(const SeenBatch& seen) {
  Appended appended{.base = seen.first_offset(),
                    .last = seen.last_offset,
                    .log_start = start_,
                    .ticket = 0,
                    .duplicate = true,
                    .timestamp = seen.timestamp};
  auto run = std::ranges::lower_bound(tail_, seen.last_offset, {}, &Run::last);
  bool found = run != tail_.end() && run->base <= seen.last_offset;
  appended.ticket = found ? run->ticket : next_ticket_++;
  return appended;
}

// Looks at each batch as if those before it were in the log. Where it is, if it is there already.
Result<std::optional<Appended>> LogCore::admit(Bytes batches, const Extent& extent, Origin origin) {
  Offset at = end_;
  Result<void> verdict;
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::refuse);
  while (verdict && walk.next()) {
    const wire::BatchHeader& header = walk.header();
    PlacedBatch batch{read_producer_part(header, walk.batch()), at, header.last_offset_delta,
                      header.max_timestamp};
    at = batch.last() + 1;
    if (!batch.producer.any()) continue;
    if (origin == Origin::client)
      if (auto seen = producers_.duplicate(batch)) {
        producers_.take_back(end_);
        return std::optional(answer_again(*seen));
      }
    verdict = producers_.check(batch, origin);
    if (verdict && extent.batches > 1) (void)producers_.apply(batch);
  }
  producers_.take_back(end_);
  if (!verdict) return std::move(verdict.error());
  return std::optional<Appended>();
}

void LogCore::place_batch(const wire::BatchHeader& header, Bytes bytes, Segment& segment) {
  BatchInfo batch = batch_info(header, segment.size);
  segment.index.add(batch, config_.index_interval_bytes);
  if (!segment.first_timestamp) segment.first_timestamp = batch.max_timestamp;
  segment.size += batch.size;
  end_ = batch.last + 1;
  if (planted(Bug::offset_twice)) [[unlikely]]
    end_ = batch.last;
  if (epochs_.assign(batch.epoch, batch.base)) {
    epochs_version_++;
    unsaved_epoch_ = std::min(unsaved_epoch_.value_or(batch.base), batch.base);
  }
  if (!batch.producer.any()) return;
  batch.producer = read_producer_part(header, bytes);
  if (auto aborted = producers_.apply(placed(batch))) segment.aborted.push_back(*aborted);
}

// epoch: set for a leader, whose batches get it and their offsets.
Appended LogCore::place(BlockRef block, MutableBytes batches, const Extent& extent,
                        std::optional<LeaderEpoch> epoch, WallTime now) {
  if (must_roll(batches.size(), extent, now)) roll(now);
  Segment& last = segments_.back();
  Run run{.bytes = SharedBytes(std::move(block), batches),
          .base = end_,
          .last = end_,
          .segment = last.base,
          .position = last.size,
          .ticket = next_ticket_++,
          .before = last.index.mark(),
          .aborted_before = last.aborted.size()};
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::refuse);
  bool first = true;
  while (walk.next()) {
    wire::BatchHeader header = walk.header();
    if (epoch) {
      MutableBytes bytes = batches.subspan(walk.position(), walk.batch().size());
      wire::set_base_offset(bytes, end_);
      wire::set_leader_epoch(bytes, *epoch);
      header.base_offset = end_;
      header.leader_epoch = *epoch;
    }
    if (std::exchange(first, false)) run.base = header.base_offset;
    place_batch(header, walk.batch(), last);
  }
  run.last = end_ - 1;
  Appended appended{.base = run.base, .last = run.last, .log_start = start_, .ticket = run.ticket};
  tail_size_ += batches.size();
  unwritten_size_ += batches.size();
  tail_.push_back(std::move(run));
  return appended;
}

Result<Appended> LogCore::append(BlockRef block, MutableBytes batches, LeaderEpoch epoch,
                                 WallTime now, Origin origin) {
  TRY_(may_append(batches.size()));
  CHECK(!batches.empty(), "an append of nothing");
  Extent extent = measure(batches);
  if (extent.producers) {
    TRY(again, admit(batches, extent, origin));
    if (again) return *again;
  }
  return place(std::move(block), batches, extent, epoch, now);
}

namespace {

// A follower's batches that fit into one segment.
struct Group {
  size_t position = 0;
  size_t size = 0;
  Offset last{-1};
  int64_t max_timestamp = -1;
};

Result<void> check_verbatim(const wire::BatchHeader& header, Bytes batch, Offset expected,
                            LeaderEpoch epoch) {
  if (header.last_offset_delta < 0 || header.base_offset < expected ||
      header.base_offset.value > INT64_MAX - 1 - header.last_offset_delta)
    return fail(Errc::invalid, fmt::format("a batch of offset {} and {} more, expected from {} on",
                                           header.base_offset, header.last_offset_delta, expected));
  if (header.leader_epoch < epoch)
    return fail(Errc::invalid, fmt::format("the batch at offset {} is of epoch {}, after epoch {}",
                                           header.base_offset, header.leader_epoch, epoch));
  return wire::check_batch_crc(batch);
}

}  // namespace

Result<Appended> LogCore::append_verbatim(BlockRef block, MutableBytes batches, WallTime now) {
  TRY_(may_append(0));
  std::vector<Group> groups;
  Offset expected = end_;
  LeaderEpoch epoch = epochs_.entries().empty() ? LeaderEpoch(-1) : epochs_.entries().back().epoch;
  int64_t used = segments_.back().size;
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    TRY_(may_append(walk.batch().size()));
    TRY_(check_verbatim(header, walk.batch(), expected, epoch));
    int64_t size = std::ssize(walk.batch());
    if (groups.empty() || used + size > config_.segment_bytes) {
      groups.push_back({.position = walk.position()});
      used = groups.size() == 1 ? used : 0;
    }
    Group& group = groups.back();
    group.size += walk.batch().size();
    group.last = header.last_offset();
    group.max_timestamp = std::max(group.max_timestamp, header.max_timestamp);
    used += size;
    expected = header.next_offset();
    epoch = header.leader_epoch;
  }
  TRY_(walk.finish());
  if (groups.empty()) return moldau::fail(Errc::invalid, "an append of nothing");
  Appended all;
  for (const Group& group : groups) {
    Extent extent{.last = group.last, .max_timestamp = group.max_timestamp, .batches = 1};
    Appended one =
        place(block, batches.subspan(group.position, group.size), extent, std::nullopt, now);
    if (&group == &groups.front()) all = one;
    all.last = one.last;
    all.ticket = one.ticket;
  }
  return all;
}

}  // namespace moldau::log
