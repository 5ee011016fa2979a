// Compaction of all compacted logs of a broker: picks the dirtiest that is worth it, cleans it,
// remembers how far in the data directory's cleaner-offset-checkpoint, and begins anew. So many
// tasks on one loop as log.cleaner.threads says; they share the throttle, each has an offset map.
#pragma once
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

// What the cleaner asks the owner of a log. Called on the cleaner's loop.
class CleanSubject {
 public:
  virtual ~CleanSubject() = default;
  virtual Log& log() = 0;
  virtual CleanPolicy clean_policy() const = 0;
  // Nothing at or above it is cleaned: at most the high watermark, at most the first offset of an
  // open transaction.
  virtual Offset last_stable() const = 0;
  // Of the producers that are still known.
  virtual LastRecords last_records() const = 0;
  // Aborted transactions with a record below end.
  virtual host::Task<Result<AbortedList>> aborted(host::Env& env, Offset end) = 0;
};

struct CleanerConfig {
  int tasks = 1;                                     // log.cleaner.threads
  OffsetMap::Config map;                             // of all tasks together
  size_t io_bytes = size_t{512} << 10;               // log.cleaner.io.buffer.size
  double bytes_per_second = 1.7976931348623157e308;  // log.cleaner.io.max.bytes.per.second
  Duration backoff = seconds(15);                    // log.cleaner.backoff.ms
  Duration delete_delay = seconds(60);               // log.segment.delete.delay.ms
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

// The subjects and who is at work on which. Pure; in Cleaner's monitor.
class CleanerCore {
 public:
  struct Entry {
    CleanSubject* subject = nullptr;
    bool busy = false;
    bool broken = false;  // cannot be cleaned as it is: left alone
  };
  void add(CleanSubject& subject) { entries_.push_back({.subject = &subject}); }
  // False: a cleaning is at it.
  bool remove(CleanSubject& subject);
  // Marks it busy. False: it is, or it is broken or gone.
  bool take(CleanSubject& subject);
  void give(CleanSubject& subject, bool broken);
  std::vector<CleanSubject*> idle() const;
  std::vector<CleanSubject*> subjects() const;

  CleanerStats stats;
  bool stopping = false;

 private:
  std::vector<Entry> entries_;
};

class Cleaner {
 public:
  Cleaner(host::Env& env, const CleanerConfig& config);
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;

  // The subject outlives its membership.
  void add(CleanSubject& subject);
  // When it returns nothing of it is used any more. A cleaning is stopped for that.
  host::Task<void> remove(CleanSubject& subject);

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
    CleanSubject* subject = nullptr;
    CleanView view;
    CleanRange range;
    CleanPolicy policy;
  };
  host::Task<void> work();
  host::Task<std::optional<Candidate>> choose();
  host::Task<bool> look_at(CleanSubject& subject, std::optional<Candidate>& best);
  host::Task<Result<void>> measure(CleanSubject& subject, Candidate& candidate);
  host::Task<Result<CleanResult>> clean(Candidate& candidate, OffsetMap& map);
  host::Task<void> remove_later(std::vector<std::string> paths);
  void count(const Result<CleanResult>& result);
  SipKey hash_key();
  OffsetMap::Config map_share() const;

  host::Env& env_;
  const CleanerConfig config_;
  host::Monitor<CleanerCore> core_;
  host::Monitor<CleanThrottle> throttle_;
  host::Signal changed_;  // stopping, or a subject is idle again
  host::Scope workers_;
  host::Scope removers_;
};

}  // namespace moldau::log
