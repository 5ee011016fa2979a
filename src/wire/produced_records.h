// The walk over the records of a produced batch: every record of every producer passes here. For
// produced_batch.cc.
#pragma once
#include <cstdint>

#include "wire/produced_batch.h"

namespace moldau::wire {

// Kafka's rules about single records, and what their timestamps add up to.
class RecordRules {
 public:
  explicit RecordRules(const ProduceRules& rules);
  // index: in the batch. offset: as sent. timestamp: -1 if there is none.
  void look(int32_t index, int64_t offset, int64_t timestamp, bool has_key) {
    if (timestamp > max_timestamp_) max_timestamp_ = timestamp;
    bool late = timestamp < earliest_ || timestamp > latest_;
    if ((late && timestamp != -1) || (compacted_ && !has_key)) [[unlikely]]
      add_fault(index, offset, timestamp, has_key);
  }
  void add_fault(int32_t index, std::string text);
  int64_t max_timestamp() const { return max_timestamp_; }
  // none, or what the records looked at are refused for.
  BatchFault fault() const;

 private:
  void add_fault(int32_t index, int64_t offset, int64_t timestamp, bool has_key);

  const ProduceRules& rules_;
  int64_t earliest_ = INT64_MIN, latest_ = INT64_MAX;
  bool compacted_ = false;
  int64_t max_timestamp_ = -1;
  bool bad_timestamp_ = false;
  int64_t faults_ = 0;
  std::vector<RecordFault> first_;
};

// Walks the records of a batch of format 2; one that is compressed is inflated through a window.
// The fault of what is no sequence of `count` records; rules tells of the records themselves.
// in_sequence: whether the offset deltas are 0, 1, 2 ...
BatchFault walk_produced(Bytes batch, Inflater& inflater, RecordRules& rules, bool& in_sequence);

}  // namespace moldau::wire
