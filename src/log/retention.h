// Which segments of a log may go because they are old, or because the log is large: Kafka's rules.
// Pure; asked by LogCore, which then raises the log's start.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "base/ids.h"
#include "base/time.h"

namespace moldau::log {

struct RetentionRules {
  bool delete_old = true;  // cleanup.policy names delete; without it only what lies below the start
  int64_t millis = int64_t{7} * 24 * 3600 * 1000;  // retention.ms; negative: for ever
  int64_t bytes = -1;                              // retention.bytes; negative: any size
};

struct SegmentAge {
  Offset base;
  Offset next;  // of the segment behind it; of the last one: the log's end
  int64_t size = 0;
  std::optional<WallTime> newest;  // its largest timestamp, or when it was made if it has none;
                                   // nothing: not known yet
};

struct RetentionVerdict {
  size_t count = 0;      // so many from the front may go
  bool unknown = false;  // the age of the next one would have to be known to say more
};

// segments: all of the log, the last one is being written. Nothing at or above high_watermark goes,
// and no last segment that is empty.
RetentionVerdict judge_retention(std::span<const SegmentAge> segments, const RetentionRules& rules,
                                 Offset start, Offset high_watermark, WallTime now);

}  // namespace moldau::log
