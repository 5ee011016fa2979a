// Small whole files of a log directory: read at once, replaced at once. And the walk over batch
// headers in a segment.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/env.h"
#include "host/task.h"
#include "log/segment.h"

namespace moldau::host {
class File;
}

namespace moldau::log {

// At most this much of a file that must fit in memory: more is corrupt.
constexpr int64_t kMaxSmallFile = int64_t{256} << 20;
// The leader epochs of a partition, in its directory (log/epochs.h).
inline constexpr const char* kEpochsFile = "leader-epoch-checkpoint";

// Errors: as host::Disk::open and File::read_at; too_large.
host::Task<Result<std::vector<uint8_t>>> read_small_file(host::Env& env, std::string path);
// The same, and an empty result if there is no such file.
host::Task<Result<std::vector<uint8_t>>> read_if_exists(host::Env& env, std::string path);
// Makes or overwrites the file and syncs it; its name is for the caller to sync.
host::Task<Result<void>> write_file(host::Env& env, std::string path, std::vector<uint8_t> content);
// Writes directory/name.tmp, syncs, renames, syncs the directory: a crash leaves the old file or
// the new one.
host::Task<Result<void>> replace_file(host::Env& env, std::string directory, std::string name,
                                      std::vector<uint8_t> content);
host::Task<Result<void>> replace_text(host::Env& env, std::string directory, std::string name,
                                      std::string content);
// No error if it is not there.
host::Task<Result<void>> remove_if_exists(host::Env& env, std::string path);

// All files of a segment, its batches first and for sure. Who removes several goes from the last to
// the first: then a power loss leaves no hole.
host::Task<Result<void>> remove_segment(host::Env& env, std::string directory, Offset base);

// A directory of files, and then itself.
host::Task<Result<void>> remove_tree(host::Env& env, std::string path);

host::Task<Result<void>> rename_if_exists(host::Env& env, std::string from, std::string to);

// Both index files of a segment, each replaced as above. `index` outlives the task.
host::Task<Result<void>> save_index(host::Env& env, std::string directory,
                                    const SegmentIndex& index);

// Goes from batch header to batch header of a segment's file, reading little else.
class HeaderWalk {
 public:
  // file outlives the walk. Starts at a batch; stops at end.
  HeaderWalk(host::File& file, int64_t position, int64_t end)
      : file_(file), next_(position), end_(end) {}
  // The next batch; nothing at the end. Errors: corrupt (no batch, or one whose offsets do not
  // follow those before it: no checksum covers them); what read_at returns.
  host::Task<Result<std::optional<BatchInfo>>> next();

 private:
  host::Task<Result<Offset>> first_offset(const BatchInfo& batch);

  host::File& file_;
  int64_t next_;
  int64_t end_;
  Offset after_{INT64_MIN};      // of the batches so far
  std::vector<uint8_t> buffer_;  // the file's bytes from buffer_at_ on
  int64_t buffer_at_ = 0;
};

}  // namespace moldau::log
