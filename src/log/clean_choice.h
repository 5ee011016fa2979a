// What compaction takes on next: how much of a log is dirty, how far it may be cleaned, whether
// that is worth it, and which segments become one. Pure; Apache Kafka's rules. Used by the cleaner.
#pragma once
#include <optional>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace moldau::log {

// The settings of one topic.
struct CleanPolicy {
  bool compact = false;                                         // cleanup.policy has compact
  double min_dirty_ratio = 0.5;                                 // min.cleanable.dirty.ratio
  int64_t min_lag_millis = 0;                                   // min.compaction.lag.ms
  int64_t max_lag_millis = INT64_MAX;                           // max.compaction.lag.ms
  int64_t delete_retention_millis = int64_t{24} * 3600 * 1000;  // delete.retention.ms
  int64_t segment_bytes = int64_t{1} << 30;                     // of a cleaned segment at most
  int64_t index_bytes = 10 << 20;                               // of each of its indexes
};

// A sealed segment whose files are complete and durable.
struct CleanSegment {
  Offset base;
  Offset end;  // of the next segment
  int64_t size = 0;
  int64_t index_bytes = 0;
  int64_t time_index_bytes = 0;
  int64_t first_timestamp = -1;    // largest one of its first batch; -1: none
  int64_t largest_timestamp = -1;  // -1: none
};

// A log as the cleaner sees it.
struct CleanView {
  std::vector<CleanSegment> segments;  // by offset, without a gap, those that may be cleaned
  Offset start;                        // of the log
  Offset end;
  Offset last_stable;  // nothing at or above it is decided: high watermark and open transactions
  // Base of the first segment that is not in `segments`: the active one, at the latest.
  Offset active;
};

struct CleanRange {
  Offset first_dirty;  // what lies before was cleaned
  Offset end;          // base of the first segment that may not be cleaned
  int64_t clean_bytes = 0;
  int64_t dirty_bytes = 0;
  bool overdue = false;         // a dirty record is older than max.compaction.lag.ms
  bool checkpoint_off = false;  // the checkpoint does not fit the log: it starts over
  double dirty_ratio() const;
};

// checkpoint: first dirty offset as the last cleaning left it.
CleanRange choose_range(const CleanView& view, std::optional<Offset> checkpoint,
                        const CleanPolicy& policy, WallTime now);
bool worth_cleaning(const CleanRange& range, const CleanPolicy& policy);

// Neighbours that fit into one segment of the policy's sizes. Only segments that begin before `end`
// (what the offset map covers) are in a group. uncleanable: CleanRange::end.
std::vector<std::span<const CleanSegment>> group_segments(std::span<const CleanSegment> segments,
                                                          Offset end, Offset uncleanable,
                                                          const CleanPolicy& policy);

}  // namespace moldau::log
