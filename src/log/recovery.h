// Opens the files of one partition directory: after a clean stop by looking at the end of the last
// segment, after any other by reading what was not known durable, cutting it behind the last whole
// valid batch and making the rest durable. May be stopped at any point and begun again with the
// same result.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/disk.h"
#include "host/env.h"
#include "host/task.h"
#include "log/log_core.h"

namespace moldau::log {

struct RecoveryRequest {
  std::string path;                     // of the partition directory, which exists
  std::vector<host::DirEntry> entries;  // what is in it
  bool clean = false;                   // the last stop was
  Offset recovery_point;                // what lies below was known durable
  Offset log_start;                     // from the checkpoint
  int64_t index_interval_bytes = 4096;
  int64_t producer_expiration_millis = ProducerState::kDefaultExpiration;
};

struct Recovered {
  LogCore::Opened opened;
  bool fresh = false;  // there was no segment
  int segments_read = 0;
  int64_t bytes_cut = 0;            // behind the last whole batch, whole segments included
  std::string cut_because;          // empty: nothing was cut
  std::vector<std::string> mended;  // files that were missing or damaged, each a sentence
  // fingerprint() of the last segment's index files as they are on disk; nothing: not known.
  std::optional<uint64_t> index_on_disk;
};

// Errors: corrupt (below the recovery point: this copy has lost what it promised), and what the
// disk returns. A swap of the cleaner that was interrupted is finished or taken back.
host::Task<Result<Recovered>> recover(host::Env& env, RecoveryRequest request);

// Tells index files apart: of the same segment with the same content it is the same.
uint64_t fingerprint(Offset base, Bytes offsets, Bytes times);

// Builds the index of a segment from its file. Fails with corrupt unless all of it is whole valid
// batches.
host::Task<Result<SegmentIndex>> rebuild_index(host::Env& env, std::string directory, Offset base,
                                               int64_t interval);

}  // namespace moldau::log
