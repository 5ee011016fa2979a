// Batches for a simulated log, of random shape: few sizes, so that one fits exactly where another
// was cut; timestamps that mostly rise.
#pragma once
#include <vector>

#include "base/random.h"
#include "base/shared_bytes.h"
#include "wire/record_batch_builder.h"

namespace moldau::logsim {

struct Incoming {
  BlockRef block;
  MutableBytes bytes;  // 1 to 3 batches
};

Incoming incoming(Bytes batches);

class BatchMaker {
 public:
  explicit BatchMaker(Random random) : random_(random) {}
  // At most max_bytes, if one small batch fits that.
  Incoming next(size_t max_bytes);
  // Of a producer.
  std::vector<uint8_t> batch(const wire::RecordBatchBuilder::Options& options, size_t max_bytes);
  // A control batch that ends a transaction.
  std::vector<uint8_t> marker(wire::RecordBatchBuilder::Options options, bool abort,
                              int32_t coordinator_epoch);
  // So many keys, of which some lose their value now and then. Without: none has a key.
  void use_keys(uint64_t keys) { keys_ = keys; }
  // Around which the timestamps are now.
  int64_t clock() const { return clock_; }

 private:
  std::vector<uint8_t> one(const wire::RecordBatchBuilder::Options& options);

  Random random_;
  uint64_t keys_ = 0;
  int64_t clock_ = 1'000'000;
};

}  // namespace moldau::logsim
