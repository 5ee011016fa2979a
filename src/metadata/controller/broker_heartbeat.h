// A broker is alive: whether it takes part from here on, has to wait, or may stop. And those that
// are silent. Pure.
#pragma once
#include "metadata/controller/decision.h"
#include "metadata/controller/sessions.h"

namespace moldau::metadata {

struct BrokerHeartbeat {
  BrokerId broker;
  int64_t epoch = -1;
  int64_t metadata_offset = -1;  // it has read up to there, inclusive
  bool want_fence = false;
  bool want_shutdown = false;
  std::vector<Uuid> offline_dirs = {};
};
struct BrokerState : Verdict {
  bool caught_up = false;
  bool fenced = true;
  bool may_stop = false;
  bool shutdown_began = false;  // the driver tells the sessions where its records end
};
// Errors: broker_id_not_registered, stale_broker_epoch.
Decision<BrokerState> decide(const View& view, const Sessions& sessions,
                             const BrokerHeartbeat& beat);

// Silent for too long: fenced. No records: it is fenced already, or not registered.
Records fence_silent(const View& view, BrokerId broker);

}  // namespace moldau::metadata
