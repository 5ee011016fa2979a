#include "metadata/controller/broker_heartbeat.h"

#include <algorithm>

#include "metadata/controller/availability.h"
#include "metadata/record.h"
#include "wire/messages/broker_registration_change_record.h"

namespace moldau::metadata {

namespace {

enum class Standing : uint8_t { fenced, active, stopping, may_stop };

Standing standing_of(const Broker& broker) {
  if (broker.fenced) return Standing::fenced;
  return broker.in_controlled_shutdown ? Standing::stopping : Standing::active;
}

// Everybody who takes part has read what its going wrote.
bool others_know(const Image& image, const Sessions& sessions, int64_t offset) {
  for (const auto& [id, session] : sessions.all())
    if (is_active(image, id.value) && session.metadata_offset < offset) return false;
  return true;
}

Standing next_of_stopping(const View& view, const Sessions& sessions, const BrokerHeartbeat& beat) {
  if (leads_something(view.image, beat.broker.value)) return Standing::stopping;
  const Session* session = sessions.find(beat.broker);
  int64_t wait_for = session ? session->shutdown_offset.value_or(0) : 0;
  bool known = others_know(view.image, sessions, wait_for);
  return known ? Standing::may_stop : Standing::stopping;
}

Standing next_standing(const View& view, const Sessions& sessions, const Broker& broker,
                       const BrokerHeartbeat& beat) {
  switch (standing_of(broker)) {
    case Standing::fenced:
      if (beat.want_shutdown) return Standing::may_stop;
      // It has to know of its own registration first.
      if (beat.want_fence || beat.metadata_offset < broker.epoch) return Standing::fenced;
      return Standing::active;
    case Standing::active:
      if (beat.want_fence) return beat.want_shutdown ? Standing::may_stop : Standing::fenced;
      if (!beat.want_shutdown) return Standing::active;
      return leads_something(view.image, beat.broker.value) ? Standing::stopping
                                                            : Standing::may_stop;
    default:
      return next_of_stopping(view, sessions, beat);
  }
}

wire::BrokerRegistrationChangeRecord change_of(const Broker& broker) {
  wire::BrokerRegistrationChangeRecord record;
  record.broker_id = broker.id.value;
  record.broker_epoch = broker.epoch;
  return record;
}

// The lowest version that has what it says.
Record change_record(const wire::BrokerRegistrationChangeRecord& record) {
  int16_t version = record.in_controlled_shutdown != 0 ? 1 : 0;
  if (!record.log_dirs.empty()) version = 2;
  if (!record.cordoned_log_dirs.is_null()) version = 3;
  return write_record(record, version);
}

void fence(const View& view, const Broker& broker, Records& out) {
  broker_leaves(view, broker.id.value, out);
  wire::BrokerRegistrationChangeRecord record = change_of(broker);
  record.fenced = 1;
  out.push_back(change_record(record));
}

void move(const View& view, const Broker& broker, Standing to, Records& out) {
  if (to == standing_of(broker)) return;
  if (to == Standing::fenced || to == Standing::may_stop) {
    if (!broker.fenced) fence(view, broker, out);
    return;
  }
  wire::BrokerRegistrationChangeRecord record = change_of(broker);
  if (to == Standing::active)
    record.fenced = -1;
  else
    record.in_controlled_shutdown = 1;
  out.push_back(change_record(record));
  if (to == Standing::active)
    broker_comes(view, broker.id.value, out);
  else
    broker_leaves(view, broker.id.value, out);
}

void lose_directories(const View& view, const Broker& broker, const std::vector<Uuid>& offline,
                      Records& out) {
  std::vector<Uuid> failed, rest;
  for (const Uuid& one : broker.log_dirs)
    (std::ranges::find(offline, one) == offline.end() ? rest : failed).push_back(one);
  if (failed.empty()) return;
  directories_fail(view, broker.id.value, failed, out);
  wire::BrokerRegistrationChangeRecord record = change_of(broker);
  record.log_dirs = wire::Array<Uuid>(rest.data(), rest.size());
  out.push_back(change_record(record));
}

}  // namespace

Decision<BrokerState> decide(const View& view, const Sessions& sessions,
                             const BrokerHeartbeat& beat) {
  Decision<BrokerState> out;
  static_cast<Verdict&>(out.reply) = check_broker(view.image, beat.broker, beat.epoch);
  if (!out.reply.good()) return out;
  const Broker& broker = view.image.brokers->at(beat.broker);
  Standing to = next_standing(view, sessions, broker, beat);
  move(view, broker, to, out.records);
  // One change of a partition at a time: the next heartbeat says it again.
  if (out.records.empty()) lose_directories(view, broker, beat.offline_dirs, out.records);
  out.reply.caught_up = beat.metadata_offset >= broker.epoch;
  out.reply.fenced = to == Standing::fenced || to == Standing::may_stop;
  out.reply.may_stop = to == Standing::may_stop;
  out.reply.shutdown_began = to == Standing::stopping && !broker.in_controlled_shutdown;
  return out;
}

Records fence_silent(const View& view, BrokerId broker) {
  Records out;
  auto at = view.image.brokers->find(broker);
  bool there = at != view.image.brokers->end() && !at->second.fenced;
  if (there) fence(view, at->second, out);
  return out;
}

}  // namespace moldau::metadata
