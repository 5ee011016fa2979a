// Brokers come and go by their own will: registration, unregistration. Pure.
#pragma once
#include "metadata/controller/decision.h"
#include "metadata/controller/sessions.h"

namespace moldau::metadata {

struct RegisterBroker {
  Broker broker;  // epoch, fenced and shutdown are the controller's to say
  std::string cluster_id;
  int64_t previous_epoch = -1;  // of its last clean stop
};
struct BrokerRegistered : Verdict {
  int64_t epoch = -1;
};
// next: where the first record will stand; it is the broker's epoch. Errors: unsupported_version,
// inconsistent_cluster_id, duplicate_broker_registration, invalid_registration.
Decision<BrokerRegistered> decide(const View& view, const Sessions& sessions,
                                  const RegisterBroker& wanted, Offset next, Instant now);

struct UnregisterBroker {
  BrokerId broker;
};
// Errors: broker_id_not_registered.
Decision<Verdict> decide(const View& view, const UnregisterBroker& wanted);

struct RegisterController {
  Controller controller;
};
// No records at a level that does not know them.
Decision<Verdict> decide(const View& view, const RegisterController& wanted);

}  // namespace moldau::metadata
