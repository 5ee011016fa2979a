// At which offset each leader epoch of a partition began, and its file leader-epoch-checkpoint.
// Pure.
#pragma once
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

class Epochs {
 public:
  // A batch of this epoch begins at start. Returns true if that made an entry: the file is to be
  // written again.
  bool assign(LeaderEpoch epoch, Offset start);
  // The log now ends at `end`: epochs that began there or behind are forgotten. True if any was.
  bool truncate_end(Offset end);
  const std::vector<EpochEntry>& entries() const { return entries_; }

  std::string encode() const;
  // An empty text is an empty list: Kafka makes the file before it has something to say.
  static Result<Epochs> decode(std::string_view text);

 private:
  std::vector<EpochEntry> entries_;  // epochs and starts rise strictly
};

}  // namespace moldau::log
