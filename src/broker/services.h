// What single APIs keep between requests. Node only names it: what changes here concerns the
// handlers that include it.
#pragma once
#include "broker/client_telemetry.h"
#include "broker/config.h"
#include "broker/fetch_sessions.h"
#include "broker/monitoring/metrics.h"
#include "host/monitor.h"

namespace moldau::broker {

struct Services {
  explicit Services(const BrokerConfig& config)
      : fetch_sessions(FetchSessionConfig{.slots = config.fetch_sessions}),
        telemetry(config.telemetry_max_bytes) {}

  host::Monitor<FetchSessions> fetch_sessions;
  host::Monitor<Metrics> metrics;
  host::Monitor<ClientTelemetry> telemetry;
};

}  // namespace moldau::broker
