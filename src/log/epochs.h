// At which offset each leader epoch of a partition began, and its file leader-epoch-checkpoint.
// Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace moldau::log {

struct EpochEntry {
  LeaderEpoch epoch;
  Offset start;  // of the first record that was written in it
  bool operator==(const EpochEntry&) const = default;
};

// Where the log leaves an epoch: the first offset that is not of it.
struct EpochEnd {
  LeaderEpoch epoch;
  Offset end;
  bool operator==(const EpochEnd&) const = default;
};

class Epochs {
 public:
  // A batch of this epoch begins at start. Returns true if that made an entry: the file is to be
  // written again.
  bool assign(LeaderEpoch epoch, Offset start);
  // The log now ends at `end`: epochs that began there or behind are forgotten. True if any was.
  bool truncate_end(Offset end);
  // The log now begins at `start`: the epoch that start is in begins there, those before are
  // forgotten. True if anything changed.
  bool truncate_start(Offset start);
  // The largest epoch up to `asked` that has records, and where the next one begins (for the last
  // epoch: log_end). Of an epoch before all of them: itself, and where the first one begins.
  // Nothing if asked is behind the last one. As Kafka answers OffsetForLeaderEpoch (KIP-101).
  std::optional<EpochEnd> end_of(LeaderEpoch asked, Offset log_end) const;
  const std::vector<EpochEntry>& entries() const { return entries_; }

  std::string encode() const;
  // An empty text is an empty list: Kafka makes the file before it has something to say.
  static Result<Epochs> decode(std::string_view text);

 private:
  std::vector<EpochEntry> entries_;  // epochs and starts rise strictly
};

}  // namespace moldau::log
