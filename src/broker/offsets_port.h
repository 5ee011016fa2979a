// The partitions of __consumer_offsets as the coordinator wants them (coordinator/driver_port.h).
#pragma once
#include "broker/catalog.h"
#include "broker/partitions.h"
#include "coordinator/driver_port.h"

namespace moldau::broker {

class OffsetsPort : public coordinator::Port {
 public:
  // All outlive it, and the logs that it opens.
  OffsetsPort(host::Env& env, Partitions& partitions, const Catalog& catalog)
      : env_(env), partitions_(partitions), catalog_(catalog) {}
  std::unique_ptr<coordinator::ShardLog> open(int32_t partition) override;
  coordinator::group::TopicsRef topics() override;

 private:
  host::Env& env_;
  Partitions& partitions_;
  const Catalog& catalog_;
  std::shared_ptr<const Topics> seen_;  // of which known_ was made
  coordinator::group::TopicsRef known_;
};

}  // namespace moldau::broker
