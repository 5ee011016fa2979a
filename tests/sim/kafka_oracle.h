// What clients have been promised, and what they have seen. Acknowledged records stay where they
// are; what was served below the high watermark is a promise as well; a record is there once.
#pragma once
#include <map>
#include <vector>

#include "base/time.h"
#include "kafka_batch.h"
#include "sim/scenario.h"

namespace moldau::kafka {

class Oracle {
 public:
  Oracle(sim::Findings& findings, int32_t partitions)
      : findings_(findings), partitions_(static_cast<size_t>(partitions)) {}

  void acked(int32_t partition, Offset offset, RecordId id, Instant now);
  void served(int32_t partition, Offset offset, RecordId id);
  // Of an answer that was asked for when `promised` had been acknowledged.
  void high_watermark(int32_t partition, Offset high_watermark, Offset promised);
  // One past the last offset that was acknowledged.
  Offset end(int32_t partition) const { return partitions_[static_cast<size_t>(partition)].end; }
  Instant last_ack() const { return last_ack_; }
  void report(std::string checker, std::string text) {
    findings_.add(std::move(checker), std::move(text));
  }

 private:
  struct Partition {
    std::map<Offset, RecordId> at;
    std::map<RecordId, Offset> where;
    std::map<uint32_t, Offset> last_of_client;
    Offset end;
  };
  void agree(int32_t partition, Offset offset, RecordId id, const char* how);
  sim::Findings& findings_;
  std::vector<Partition> partitions_;
  Instant last_ack_{};
};

}  // namespace moldau::kafka
