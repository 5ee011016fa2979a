// This broker as a member of its cluster: it registers with the controller, says that it is alive,
// takes part once it has read its own registration, and leaves in order. The controller may be
// anywhere; metadata::Driver knows where.
#pragma once
#include <string>

#include "host/logging.h"
#include "host/wait_set.h"
#include "metadata/driver.h"

namespace moldau::broker {

struct MembershipConfig {
  metadata::RegisterBroker registration;  // as it begins
  Duration heartbeat = seconds(2);        // broker.heartbeat.interval.ms
};

class Membership {
 public:
  // All outlive it.
  Membership(host::Env& env, metadata::Driver& metadata, host::Logger& logger)
      : env_(env), metadata_(metadata), logger_(logger) {}
  // Returns when this broker takes part and its image says so. Errors: refused (the text says why
  // the controller does not take it), the driver's.
  host::Task<Result<void>> join(MembershipConfig config);
  // Heartbeats, until leave() or stop().
  host::Task<void> run();
  // What it leads moves to others where there are others. Returns when the controller lets it go.
  // Errors: refused, the driver's; then others find out by its silence.
  host::Task<Result<void>> leave();
  void stop();
  // Of the registration; -1 before that.
  int64_t epoch() const { return epoch_; }

 private:
  host::Task<Result<metadata::BrokerState>> beat(bool leaving);
  host::Env& env_;
  metadata::Driver& metadata_;
  host::Logger& logger_;
  MembershipConfig config_;
  int64_t epoch_ = -1;
  bool stopping_ = false;
  host::Signal stop_;
};

}  // namespace moldau::broker
