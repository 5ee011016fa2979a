// The partitions of __consumer_offsets as the coordinator wants them (coordinator/driver_port.h).
#pragma once
#include "broker/partitions.h"
#include "coordinator/driver_port.h"

namespace moldau::broker {

class OffsetsPort : public coordinator::Port {
 public:
  // Both outlive it, and the logs that it opens.
  OffsetsPort(host::Env& env, Partitions& partitions) : env_(env), partitions_(partitions) {}
  std::unique_ptr<coordinator::ShardLog> open(int32_t partition) override;

 private:
  host::Env& env_;
  Partitions& partitions_;
};

}  // namespace moldau::broker
