// What a broker does by the clock for its logs: raises their starts and removes what is old
// (retention), deletes the files of removed segments after a while, forgets silent producers. The
// cleaner is beside it (log/cleaner.h). Run by the server in its scope.
#pragma once
#include <set>
#include <vector>

#include "broker/config.h"
#include "broker/partitions.h"
#include "host/logging.h"
#include "host/task.h"
#include "host/wait_set.h"

namespace moldau::broker {

class Maintenance {
 public:
  // All outlive it.
  Maintenance(host::Env& env, const MaintenanceConfig& config, Partitions& partitions,
              log::LogDirs& dirs, host::Logger& logger)
      : env_(env), config_(config), partitions_(partitions), dirs_(dirs), logger_(logger) {}
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // Until stop(); what is under way then is finished first.
  host::Task<void> run();
  void stop();

 private:
  host::Task<void> retention_round();
  host::Task<void> deletion_round();
  void expire_producers();
  std::vector<Partitions::Ref> working() const;
  void judge(const replica::Partition& partition, const Error& error);
  Instant next_due() const;

  host::Env& env_;
  const MaintenanceConfig config_;
  Partitions& partitions_;
  log::LogDirs& dirs_;
  host::Logger& logger_;
  host::Signal stopping_;
  bool stop_ = false;
  Instant next_retention_{};
  Instant next_expiry_{};
  std::set<Instant> deletions_;  // when files are due
};

}  // namespace moldau::broker
