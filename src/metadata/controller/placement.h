// Which brokers get the replicas of new partitions: striped over racks, the leader on one that
// takes part. Pure.
#pragma once
#include <vector>

#include "base/random.h"
#include "metadata/controller/decision.h"

namespace moldau::metadata {

class Placement {
 public:
  // seed: where the stripes begin.
  Placement(const Image& image, uint64_t seed);
  // Why so many replicas cannot be had; good if they can.
  Verdict check(int32_t replication) const;
  // The replicas of the next partition, the leader first. check() was good.
  std::vector<int32_t> next(int32_t replication);

 private:
  struct Rack {
    std::vector<int32_t> active, fenced;
    size_t at = 0;  // of the next stripe
  };
  void shuffle();
  std::vector<Rack> racks_;
  size_t first_rack_ = 0;
  size_t active_ = 0, all_ = 0;
  size_t given_ = 0;  // since the last shuffle
  Random random_;
};

// The directory of a new replica on that broker, as far as it is known before the broker has
// chosen.
Uuid first_directory(const Image& image, int32_t broker);
// A new partition: leads who is active, the others are in sync if they are active. Nobody leads:
// nobody of them is active.
Partition new_partition(const Image& image, const std::vector<int32_t>& replicas);

}  // namespace moldau::metadata
