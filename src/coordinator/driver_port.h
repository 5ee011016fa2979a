// What a coordinator needs of the topic that its state is kept in. The coordinator owns the
// interface; the broker stands behind it with its partitions.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "coordinator/group/consumer/known_topics.h"
#include "host/task.h"
#include "host/wait_set.h"

namespace moldau::coordinator {

// One partition, from when it was opened until it fails or goes away. Of one loop.
class ShardLog {
 public:
  virtual ~ShardLog() = default;

  struct Written {
    Offset last;
    uint64_t ticket = 0;
  };
  enum class Fate : uint8_t { pending, committed, failed };
  struct Ends {
    Offset start;
    Offset committed;
    Offset end;
  };

  // Makes a batch the end of the log, in memory at once; the offsets in it are set. Follow it with
  // write_out. Errors: it cannot be appended; what is kept and what is in the log may differ now.
  virtual Result<Written> append(const std::vector<uint8_t>& batch, WallTime now) = 0;
  virtual host::Task<void> write_out() = 0;
  virtual Fate fate(const Written& written) const = 0;
  // Nothing more will come of it: the topic was deleted, or its disk failed.
  virtual bool gone() const = 0;
  virtual Ends ends() const = 0;
  // Committed batches from the one that holds `from` on, the last one maybe cut short; at least one
  // whole one, if there is one. Errors: the log's.
  virtual host::Task<Result<std::vector<uint8_t>>> read(Offset from, size_t max_bytes) = 0;
  // Raised when a fate is known, or it is gone.
  virtual host::Signal& moved() = 0;
};

class Port {
 public:
  virtual ~Port() = default;
  // Nothing: it is not here, or not now.
  virtual std::unique_ptr<ShardLog> open(int32_t partition) = 0;
  // The topics that there are now; the same pointer as long as they are the same.
  virtual group::TopicsRef topics() = 0;
};

}  // namespace moldau::coordinator
