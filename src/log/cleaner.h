// Compaction of all compacted logs of a broker: picks the dirtiest that is worth it, cleans it,
// remembers how far in the data directory's cleaner-offset-checkpoint, and begins anew. So many
// tasks on one loop as log.cleaner.threads says; they share the throttle, each has an offset map.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/env.h"
#include "host/monitor.h"
#include "host/scope.h"
#include "host/wait_set.h"
#include "log/clean_run.h"

namespace moldau::log {

struct CleanerConfig {
  int tasks = 1;                                     // log.cleaner.threads
  OffsetMap::Config map;                             // of all tasks together
  size_t io_bytes = size_t{512} << 10;               // log.cleaner.io.buffer.size
  double bytes_per_second = 1.7976931348623157e308;  // log.cleaner.io.max.bytes.per.second
  Duration backoff = seconds(15);                    // log.cleaner.backoff.ms
};

struct CleanerStats {
  int64_t cleanings = 0;
  int64_t bytes_read = 0;
  int64_t bytes_written = 0;
  int64_t records_dropped = 0;
  int64_t uncleanable = 0;   // logs that cannot be cleaned as they are
  int64_t failed_looks = 0;  // a log could not even be looked at: it is tried again
  std::string last_error;    // why the last cleaning that failed did
};

// The logs, and who is at work on which. Pure; in Cleaner's monitor.
class CleanerCore {
 public:
  void add(Log& log);
  // False: a cleaning is at it.
  bool remove(const Log& log);
  // Marks it busy. nullptr: it is, or it is broken or gone.
  Log* take(const std::string& path);
  void give(const Log& log, bool broken);
  std::vector<std::string> idle() const;  // paths
  std::vector<Log*> logs() const;

  CleanerStats stats;
  bool stopping = false;

 private:
  struct Entry {
    Log* log = nullptr;
    bool busy = false;
    bool broken = false;  // cannot be cleaned as it is: left alone
  };
  std::map<std::string, Entry, std::less<>> entries_;  // by path
};

class Cleaner {
 public:
  Cleaner(host::Env& env, const CleanerConfig& config);
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;

  // What is cleaned by and by while its policy says so. The log outlives its membership.
  void add(Log& log);
  // When it returns nothing of it is used any more. A cleaning is stopped for that.
  host::Task<void> remove(host::Env& env, Log& log);

  void start();
  // Ends the tasks; cleanings are stopped. Nobody adds or removes meanwhile. Files that wait to be
  // removed are left to the next open of their logs.
  host::Task<void> stop();
  // Cleans the log that needs it most. False: none does. Errors are counted in stats() and keep the
  // log, or the disk, from being tried at once again.
  host::Task<bool> clean_dirtiest(OffsetMap& map);
  CleanerStats stats() const;

 private:
  struct Candidate {
    Log* log = nullptr;
    CleanView view;
    CleanRange range;
  };
  host::Task<void> work();
  host::Task<std::optional<Candidate>> choose();
  host::Task<bool> look_at(Log& log, std::optional<Candidate>& best);
  host::Task<Result<void>> measure(Log& log, Candidate& candidate);
  host::Task<Result<CleanResult>> clean(Candidate& candidate, OffsetMap& map);
  host::Task<void> remove_later(std::vector<std::string> paths, Duration delay);
  void count(const Result<CleanResult>& result);
  SipKey hash_key();
  OffsetMap::Config map_share() const;

  host::Env& env_;
  const CleanerConfig config_;
  host::Monitor<CleanerCore> core_;
  host::Monitor<CleanThrottle> throttle_;
  host::Signal changed_;  // stopping, or a log is idle again
  host::Scope workers_;
  host::Scope removers_;
};

}  // namespace moldau::log
