#include "metadata/controller/broker_registration.h"

#include <fmt/format.h>

#include <set>

#include "metadata/controller/availability.h"
#include "metadata/record.h"
#include "wire/messages/unregister_broker_record.h"

namespace moldau::metadata {

using wire::ErrorCode;

namespace {

constexpr int16_t kControllers = 15;  // 3.7-IV0: controllers register
constexpr int16_t kDirectories = 17;  // 3.7-IV2

// It must know every level that the cluster works with.
Verdict check_features(const Image& image, const Broker& broker) {
  for (const auto& [name, level] : *image.features) {
    auto known = broker.features.find(name);
    Levels levels = known == broker.features.end() ? Levels{} : known->second;
    if (level >= levels.min && level <= levels.max) continue;
    return {ErrorCode::unsupported_version,
            fmt::format("Unable to register because the broker does not support finalized version "
                        "{} of {}. The broker wants a version between {} and {}, inclusive.",
                        level, name, levels.min, levels.max)};
  }
  return {};
}

Verdict check_directories(const Image& image, const Broker& broker) {
  if (image.metadata_version() < kDirectories) return {};
  constexpr ErrorCode kBad = ErrorCode::invalid_registration;
  if (broker.log_dirs.empty()) return {kBad, "No directories specified in request"};
  std::set<Uuid> seen;
  for (const Uuid& one : broker.log_dirs) {
    bool reserved =
        one == kMigratingDirectory || one == kLostDirectory || one == kUnassignedDirectory;
    if (reserved)
      return {kBad, fmt::format("Reserved directory ID in request: {}", one.to_string())};
    if (!seen.insert(one).second) return {kBad, "Duplicate directory IDs found in request"};
    for (const auto& [id, other] : *image.brokers)
      if (id != broker.id && std::ranges::find(other.log_dirs, one) != other.log_dirs.end())
        return {kBad, fmt::format("Broker {} is already registered with directory {}", id,
                                  one.to_string())};
  }
  return {};
}

Verdict check(const View& view, const Sessions& sessions, const RegisterBroker& wanted,
              Instant now) {
  const Broker& broker = wanted.broker;
  if (wanted.cluster_id != view.settings.cluster_id)
    return {ErrorCode::inconsistent_cluster_id,
            fmt::format("Expected cluster ID {}, but got cluster ID {}", view.settings.cluster_id,
                        wanted.cluster_id)};
  auto at = view.image.brokers->find(broker.id);
  bool other = at != view.image.brokers->end() && at->second.incarnation != broker.incarnation;
  if (other && !at->second.in_controlled_shutdown &&
      sessions.valid(broker.id, at->second.epoch, now))
    return {
        ErrorCode::duplicate_broker_registration,
        "Another broker is registered with that broker id. If the broker was recently restarted "
        "this should self-resolve once the heartbeat manager expires the broker's session."};
  if (Verdict verdict = check_features(view.image, broker); !verdict.good()) return verdict;
  return check_directories(view.image, broker);
}

}  // namespace

Decision<BrokerRegistered> decide(const View& view, const Sessions& sessions,
                                  const RegisterBroker& wanted, Offset next, Instant now) {
  Decision<BrokerRegistered> out;
  static_cast<Verdict&>(out.reply) = check(view, sessions, wanted, now);
  if (!out.reply.good()) return out;
  RecordLevel level(view.image);
  Broker broker = wanted.broker;
  auto at = view.image.brokers->find(broker.id);
  const Broker* before = at == view.image.brokers->end() ? nullptr : &at->second;
  bool again = before && before->incarnation == broker.incarnation;
  // The same process asks again, it did not hear the answer: nothing is shifted.
  broker.epoch = again ? before->epoch : next.value;
  broker.fenced = !again || before->fenced;
  broker.in_controlled_shutdown = again && before->in_controlled_shutdown;
  out.reply.epoch = broker.epoch;
  if (before && !again) {
    bool clean = !level.elr || before->epoch == wanted.previous_epoch;
    if (clean)
      broker_leaves(view, broker.id.value, out.records);
    else
      broker_lost_data(view, broker.id.value, out.records);
  }
  out.records.push_back(broker_record(broker, level));
  return out;
}

Decision<Verdict> decide(const View& view, const UnregisterBroker& wanted) {
  Decision<Verdict> out;
  out.reply = check_broker(view.image, wanted.broker, std::nullopt);
  if (!out.reply.good()) return out;
  broker_leaves(view, wanted.broker.value, out.records);
  wire::UnregisterBrokerRecord record;
  record.broker_id = wanted.broker.value;
  record.broker_epoch = view.image.brokers->at(wanted.broker).epoch;
  out.records.push_back(write_record(record, 0));
  return out;
}

Decision<Verdict> decide(const View& view, const RegisterController& wanted) {
  Decision<Verdict> out;
  if (view.image.metadata_version() < kControllers) return out;
  out.records.push_back(controller_record(wanted.controller));
  return out;
}

}  // namespace moldau::metadata
