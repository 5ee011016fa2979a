// The leader of one partition, pure: which copies count, and up to which offset they all hold the
// log. That offset is the high watermark: what lies below is committed, consumers see nothing else.
// Today the in-sync set is this broker alone; followers join it with replication.
#pragma once
#include <algorithm>

#include "base/ids.h"

namespace moldau::replica {

class Leader {
 public:
  Leader(LeaderEpoch epoch, Offset high_watermark)
      : epoch_(epoch), high_watermark_(high_watermark), local_(high_watermark) {}

  LeaderEpoch epoch() const { return epoch_; }
  Offset high_watermark() const { return high_watermark_; }
  // The controller has said that it leads from here on in this epoch; an older one changes nothing.
  void begin_epoch(LeaderEpoch epoch) { epoch_ = std::max(epoch_, epoch); }
  // Our own copy counts up to (not including) end: on stable storage with flush=ack, written with
  // flush=async. True if the high watermark moved.
  bool on_local_commit(Offset end);

 private:
  bool advance();
  LeaderEpoch epoch_;
  Offset high_watermark_;
  Offset local_;  // of our own copy, never goes back
};

}  // namespace moldau::replica
