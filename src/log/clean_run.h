// One cleaning of one log: fills the offset map from its dirty part, writes its segments again
// without what is superseded, and swaps them in, group by group. Used by the cleaner.
#pragma once
#include <string>
#include <vector>

#include "host/env.h"
#include "host/monitor.h"
#include "host/task.h"
#include "log/clean_choice.h"
#include "log/clean_filter.h"
#include "log/log.h"

namespace moldau::log {

// log.cleaner.io.max.bytes.per.second, of all cleanings together. Pure.
class CleanThrottle {
 public:
  explicit CleanThrottle(double bytes_per_second) : rate_(bytes_per_second) {}
  // These bytes were read or written; until when to wait before the next ones.
  Instant spend(Instant now, int64_t bytes);

 private:
  double rate_;
  Instant free_at_{};
};

struct CleanRequest {
  CleanView view;  // with the sizes of the index files
  CleanRange range;
  CleanPolicy policy;
  LastRecords producers;
  AbortedList aborted;                  // those with a record below range.end
  size_t io_bytes = size_t{512} << 10;  // log.cleaner.io.buffer.size
};

struct CleanResult {
  Offset end;  // what lies before is clean now: the next checkpoint
  int64_t bytes_mapped = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  int64_t records_kept = 0;
  int64_t records_dropped = 0;
  std::vector<std::string> doomed;  // paths to be removed when nobody reads them any more
};

// The log, the map and the throttle outlive the task; the log's cleaning was begun and is ended by
// the caller. What was swapped in before an error stays. Errors: cancelled (the log wants it to
// stop), corrupt and unsupported (it cannot be cleaned as it is), offline, and what the disk
// returns.
host::Task<Result<CleanResult>> run_cleaning(host::Env& env, Log& log, OffsetMap& map,
                                             host::Monitor<CleanThrottle>& throttle,
                                             CleanRequest request);

}  // namespace moldau::log
