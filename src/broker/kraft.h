// The metadata log of this node: raft's replica of it, and what follows it into images and decides
// as the controller. Opened before anything else that depends on the cluster, closed after it.
#pragma once
#include <memory>
#include <string>

#include "metadata/driver.h"
#include "raft/driver.h"

namespace moldau::broker {

struct BrokerConfig;

class Kraft {
 public:
  struct Place {
    log::LogDir& dir;  // of the metadata log; outlives it
    Uuid directory_id;
    std::string cluster_id;
    Uuid incarnation;  // of this process
  };
  // Returns when everything that was committed has been read and this node is the controller.
  // Errors: invalid (a quorum that we cannot be all of yet), corrupt, unsupported, and the disk's.
  static host::Task<Result<std::unique_ptr<Kraft>>> open(host::Env& env, const BrokerConfig& config,
                                                         Place place, host::Logger& logger);
  raft::Driver& raft() { return *raft_; }
  metadata::Driver& metadata() { return *metadata_; }
  // Why it works no more.
  std::optional<Error> failure() const;
  host::Task<Result<void>> close();

 private:
  host::Task<Result<void>> lead(const BrokerConfig& config, Uuid incarnation);
  std::unique_ptr<raft::Driver> raft_;
  std::unique_ptr<metadata::Driver> metadata_;
};

}  // namespace moldau::broker
