// The files that are derived from a partition's batches and stand beside its segments: indexes,
// aborted transactions, producer snapshots. How they are written, read, and made again.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/disk.h"
#include "host/env.h"
#include "host/task.h"
#include "log/log_core.h"

namespace moldau::log {

// All of a sealed segment, each replaced whole. `step` outlives the task.
host::Task<Result<void>> save_derived_files(host::Env& env, std::string directory,
                                            const DerivedStep& step);
// Empty if there is no such file. Errors: corrupt, and what the disk returns.
host::Task<Result<AbortedList>> load_aborted(host::Env& env, std::string directory, Offset base);
// The offsets of the producer snapshots in a directory, sorted.
host::Task<Result<std::vector<Offset>>> list_snapshots(host::Env& env, std::string directory);
std::vector<Offset> snapshots_among(const std::vector<host::DirEntry>& entries);
// What they know is not in the log any more, or not for sure.
host::Task<Result<void>> remove_snapshots_above(host::Env& env, std::string directory,
                                                Offset through);

// What is to be known to tell the producers as of an offset.
struct ProducerSources {
  struct Span {
    Offset base;
    int64_t size = 0;  // bytes of the segment's file that count
  };
  std::string directory;
  std::vector<Span> segments;  // by base
  // The offsets of the snapshots in it, sorted; nothing: the directory is to be listed.
  std::optional<std::vector<Offset>> snapshots;
  Offset end;  // as of this offset
  int64_t expiration_millis = ProducerState::kDefaultExpiration;
};
// From the newest snapshot that can be used, and the batches behind it. A damaged snapshot is
// removed. Errors: corrupt (a segment), and what the disk returns.
host::Task<Result<ProducerState>> rebuild_producers(host::Env& env, ProducerSources sources);

}  // namespace moldau::log
