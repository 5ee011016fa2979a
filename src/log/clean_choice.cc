#include "log/clean_choice.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/bug.h"

namespace moldau::log {
namespace {

// Those from the one that holds `from` on; none if `from` lies behind them all.
std::span<const CleanSegment> from_offset(std::span<const CleanSegment> segments, Offset from) {
  auto first = std::ranges::upper_bound(segments, from, {}, &CleanSegment::base);
  if (first != segments.begin() && std::prev(first)->end > from) --first;
  return segments.subspan(static_cast<size_t>(first - segments.begin()));
}

std::span<const CleanSegment> before_offset(std::span<const CleanSegment> segments, Offset end) {
  auto last = std::ranges::lower_bound(segments, end, {}, &CleanSegment::base);
  return segments.first(static_cast<size_t>(last - segments.begin()));
}

int64_t bytes_of(std::span<const CleanSegment> segments) {
  int64_t sum = 0;
  for (const CleanSegment& segment : segments) sum += segment.size;
  return sum;
}

// now - lag, without overflow.
int64_t before(WallTime now, int64_t lag) { return now.millis - std::max<int64_t>(lag, 0); }

// Base of the segment that holds the first offset that may not be cleaned.
Offset uncleanable(const CleanView& view, Offset first_dirty, const CleanPolicy& policy,
                   WallTime now) {
  Offset limit = std::min(view.last_stable, view.active);
  if (planted(Bug::cleaner_past_stable)) [[unlikely]]
    limit = view.active;
  if (policy.min_lag_millis > 0)
    for (const CleanSegment& segment : from_offset(view.segments, first_dirty)) {
      if (segment.largest_timestamp <= before(now, policy.min_lag_millis)) continue;
      limit = std::min(limit, segment.base);
      break;
    }
  limit = std::max(limit, first_dirty);
  auto holds = from_offset(view.segments, limit);
  bool sealed = limit < view.active && !holds.empty();
  return sealed ? holds.front().base : view.active;
}

}  // namespace

double CleanRange::dirty_ratio() const {
  int64_t total = clean_bytes + dirty_bytes;
  return total == 0 ? 0 : static_cast<double>(dirty_bytes) / static_cast<double>(total);
}

CleanRange choose_range(const CleanView& view, std::optional<Offset> checkpoint,
                        const CleanPolicy& policy, WallTime now) {
  CleanRange range;
  range.first_dirty = checkpoint.value_or(view.start);
  range.checkpoint_off = range.first_dirty < view.start || range.first_dirty > view.end;
  if (range.checkpoint_off) range.first_dirty = view.start;
  range.end = uncleanable(view, range.first_dirty, policy, now);
  auto dirty = from_offset(view.segments, std::min(range.first_dirty, range.end));
  range.clean_bytes = bytes_of(before_offset(view.segments, range.first_dirty));
  range.dirty_bytes = bytes_of(before_offset(dirty, range.end));
  int64_t deadline = before(now, policy.max_lag_millis);
  for (const CleanSegment& segment : from_offset(view.segments, range.first_dirty))
    if (segment.first_timestamp > 0 && segment.first_timestamp < deadline) range.overdue = true;
  return range;
}

bool worth_cleaning(const CleanRange& range, const CleanPolicy& policy) {
  if (range.dirty_bytes == 0) return false;
  return range.overdue || range.dirty_ratio() > policy.min_dirty_ratio;
}

std::vector<std::span<const CleanSegment>> group_segments(std::span<const CleanSegment> segments,
                                                          Offset end, Offset uncleanable,
                                                          const CleanPolicy& policy) {
  std::vector<std::span<const CleanSegment>> groups;
  auto left = before_offset(segments, end);
  while (!left.empty()) {
    const CleanSegment& first = left.front();
    int64_t size = 0, index = 0, times = 0;
    size_t count = 0;
    for (const CleanSegment& next : left) {
      Offset last = count + 1 < left.size() ? next.end - 1 : uncleanable - 1;
      bool offsets_fit = next.size == 0 || last - first.base <= std::numeric_limits<int32_t>::max();
      bool fits = size + next.size <= policy.segment_bytes &&
                  index + next.index_bytes <= policy.index_bytes &&
                  times + next.time_index_bytes <= policy.index_bytes && offsets_fit;
      if (count > 0 && !fits) break;
      size += next.size;
      index += next.index_bytes;
      times += next.time_index_bytes;
      count++;
    }
    groups.push_back(left.first(count));
    left = left.subspan(count);
  }
  return groups;
}

}  // namespace moldau::log
