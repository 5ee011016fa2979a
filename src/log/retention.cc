#include "log/retention.h"

#include "base/bug.h"

namespace moldau::log {

// A segment goes if any of the three rules wants it and all before it go.
RetentionVerdict judge_retention(std::span<const SegmentAge> segments, const RetentionRules& rules,
                                 Offset start, Offset high_watermark, WallTime now) {
  int64_t total = 0;
  for (const SegmentAge& segment : segments) total += segment.size;
  size_t count = 0;
  for (; count < segments.size(); count++) {
    const SegmentAge& segment = segments[count];
    bool last = count + 1 == segments.size();
    bool undecided = segment.next > high_watermark;
    if (planted(Bug::retention_takes_uncommitted)) [[unlikely]]
      undecided = false;
    if (undecided || (last && segment.size == 0)) break;
    bool below_start = !last && segment.next <= start;
    // What is left without it is still as much as shall be kept.
    bool too_large = rules.delete_old && rules.bytes >= 0 && total - segment.size >= rules.bytes;
    if (!below_start && !too_large) {
      if (!rules.delete_old || rules.millis < 0) break;
      if (!segment.newest) return {count, true};
      if (now.millis - segment.newest->millis <= rules.millis) break;
    }
    total -= segment.size;
  }
  return {count, false};
}

}  // namespace moldau::log
