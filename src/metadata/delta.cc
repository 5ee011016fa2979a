#include "metadata/delta.h"

#include <fmt/format.h>

#include <algorithm>

#include "wire/messages/broker_registration_change_record.h"
#include "wire/messages/fence_broker_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/unregister_broker_record.h"
#include "wire/messages/unregister_controller_record.h"

namespace moldau::metadata {

namespace {

enum Type : int16_t {
  kRegisterBroker = 0,
  kUnregisterBroker = 1,
  kTopic = 2,
  kPartition = 3,
  kConfig = 4,
  kPartitionChange = 5,
  kFenceBroker = 7,
  kUnfenceBroker = 8,
  kRemoveTopic = 9,
  kDelegationToken = 10,
  kUserScramCredential = 11,
  kFeatureLevel = 12,
  kClientQuota = 14,
  kProducerIds = 15,
  kBrokerRegistrationChange = 17,
  kAccessControlEntry = 18,
  kRemoveAccessControlEntry = 19,
  kNoOp = 20,
  kZkMigrationState = 21,
  kRemoveUserScramCredential = 22,
  kBeginTransaction = 23,
  kEndTransaction = 24,
  kAbortTransaction = 25,
  kRemoveDelegationToken = 26,
  kRegisterController = 27,
  kClearElr = 28,
  kUnregisterController = 29,
};

template <class Points>
std::vector<Endpoint> endpoints_of(const Points& points) {
  std::vector<Endpoint> all;
  for (const auto& one : points)
    all.push_back({std::string(one.name), std::string(one.host), one.port, one.security_protocol});
  return all;
}

template <class List>
std::map<std::string, Levels> levels_of(const List& features) {
  std::map<std::string, Levels> all;
  for (const auto& one : features)
    all[std::string(one.name)] = {one.min_supported_version, one.max_supported_version};
  return all;
}

// As Kafka sorts ids: by two signed numbers.
std::vector<Uuid> sorted(const wire::Array<Uuid>& ids) {
  std::vector<Uuid> all(ids.begin(), ids.end());
  std::ranges::sort(all, {}, [](const Uuid& id) {
    return std::pair(load_be<int64_t>(id.bytes.data()), load_be<int64_t>(id.bytes.data() + 8));
  });
  return all;
}

}  // namespace

Result<void> Delta::replay(Bytes value) {
  TRY(head, read_record_head(value));
  arena_->reset();
  switch (head.type) {
    case kRegisterBroker:
    case kUnregisterBroker:
    case kFenceBroker:
    case kUnfenceBroker:
    case kBrokerRegistrationChange:
    case kRegisterController:
    case kUnregisterController:
      return replay_cluster(head);
    case kTopic:
    case kRemoveTopic:
    case kPartition:
    case kPartitionChange:
    case kClearElr:
      return replay_topic(head);
    default:
      return replay_rest(head);
  }
}

Image Delta::finish(const Position& at) {
  image_.at = at;
  own_ = {};
  return image_;
}

Result<void> Delta::replay_cluster(const RecordHead& head) {
  switch (head.type) {
    case kRegisterBroker:
      return register_broker(head);
    case kUnregisterBroker:
      return unregister_broker(head);
    case kFenceBroker:
      return fence(head, true);
    case kUnfenceBroker:
      return fence(head, false);
    case kBrokerRegistrationChange:
      return change_broker(head);
    case kRegisterController:
      return register_controller(head);
    default:
      return unregister_controller(head);
  }
}

Result<void> Delta::replay_topic(const RecordHead& head) {
  switch (head.type) {
    case kTopic:
      return topic(head);
    case kRemoveTopic:
      return remove_topic(head);
    case kPartition:
      return partition(head);
    case kPartitionChange:
      return change_partition(head);
    default:
      return clear_elr(head);
  }
}

Result<void> Delta::replay_rest(const RecordHead& head) {
  switch (head.type) {
    case kConfig:
      return config(head);
    case kFeatureLevel:
      return feature_level(head);
    case kClientQuota:
      return quota(head);
    case kProducerIds:
      return producer_ids(head);
    case kUserScramCredential:
      return scram(head);
    case kRemoveUserScramCredential:
      return remove_scram(head);
    case kDelegationToken:
      return token(head);
    case kRemoveDelegationToken:
      return remove_token(head);
    case kAccessControlEntry:
      return acl(head);
    case kRemoveAccessControlEntry:
      return remove_acl(head);
    case kNoOp:
    case kZkMigrationState:  // of a time that is over
    case kBeginTransaction:  // what a transaction is for lies with who reads the log (loader.h)
    case kEndTransaction:
    case kAbortTransaction:
      return {};
    default:
      return fail(Errc::unsupported, fmt::format("metadata records of type {}", head.type));
  }
}

Result<void> Delta::register_broker(const RecordHead& head) {
  TRY(record, read_body<wire::RegisterBrokerRecord>(head, *arena_));
  Broker broker;
  broker.id = BrokerId(record.broker_id);
  broker.incarnation = record.incarnation_id;
  broker.epoch = record.broker_epoch;
  broker.endpoints = endpoints_of(record.end_points);
  broker.features = levels_of(record.features);
  if (record.rack) broker.rack = *record.rack;
  broker.fenced = record.fenced;
  broker.in_controlled_shutdown = record.in_controlled_shutdown;
  broker.migrating_zk = record.is_migrating_zk_broker;
  broker.log_dirs = sorted(record.log_dirs);
  if (!record.cordoned_log_dirs.is_null())
    broker.cordoned_log_dirs = sorted(record.cordoned_log_dirs);
  changes_.brokers.insert(broker.id);
  brokers()[broker.id] = std::move(broker);
  return {};
}

// Of another incarnation than that one: the record and we do not mean the same broker (K12).
Result<Broker*> Delta::find_broker(int32_t id, int64_t epoch, const char* record) {
  auto at = image_.brokers->find(BrokerId(id));
  if (at == image_.brokers->end())
    return fail(Errc::corrupt, fmt::format("{} of broker {}, which is not registered", record, id));
  if (at->second.epoch != epoch)
    return fail(Errc::corrupt,
                fmt::format("{} of broker {} with epoch {}; it is registered with {}", record, id,
                            epoch, at->second.epoch));
  changes_.brokers.insert(at->first);
  return &brokers().at(BrokerId(id));
}

Result<void> Delta::unregister_broker(const RecordHead& head) {
  TRY(record, read_body<wire::UnregisterBrokerRecord>(head, *arena_));
  TRY(broker, find_broker(record.broker_id, record.broker_epoch, "UnregisterBrokerRecord"));
  brokers().erase(broker->id);
  return {};
}

Result<void> Delta::fence(const RecordHead& head, bool fenced) {
  // Both messages have the same fields.
  TRY(record, read_body<wire::FenceBrokerRecord>(head, *arena_));
  TRY(broker,
      find_broker(record.id, record.epoch, fenced ? "FenceBrokerRecord" : "UnfenceBrokerRecord"));
  broker->fenced = fenced;
  return {};
}

Result<void> Delta::change_broker(const RecordHead& head) {
  TRY(record, read_body<wire::BrokerRegistrationChangeRecord>(head, *arena_));
  TRY(broker, find_broker(record.broker_id, record.broker_epoch, "BrokerRegistrationChangeRecord"));
  if (record.fenced < -1 || record.fenced > 1 || record.in_controlled_shutdown < 0 ||
      record.in_controlled_shutdown > 1)
    return fail(Errc::invalid, fmt::format("BrokerRegistrationChangeRecord: fenced {}, shutdown {}",
                                           record.fenced, record.in_controlled_shutdown));
  if (record.fenced != 0) broker->fenced = record.fenced > 0;
  if (record.in_controlled_shutdown != 0) broker->in_controlled_shutdown = true;
  if (!record.log_dirs.empty()) broker->log_dirs = sorted(record.log_dirs);
  if (!record.cordoned_log_dirs.is_null())
    broker->cordoned_log_dirs = sorted(record.cordoned_log_dirs);
  return {};
}

Result<void> Delta::register_controller(const RecordHead& head) {
  TRY(record, read_body<wire::RegisterControllerRecord>(head, *arena_));
  Controller controller;
  controller.id = BrokerId(record.controller_id);
  controller.incarnation = record.incarnation_id;
  controller.migration_ready = record.zk_migration_ready;
  controller.endpoints = endpoints_of(record.end_points);
  controller.features = levels_of(record.features);
  changes_.controllers.insert(controller.id);
  controllers()[controller.id] = std::move(controller);
  return {};
}

Result<void> Delta::unregister_controller(const RecordHead& head) {
  TRY(record, read_body<wire::UnregisterControllerRecord>(head, *arena_));
  changes_.controllers.insert(BrokerId(record.controller_id));
  if (controllers().erase(BrokerId(record.controller_id)) == 0)
    return fail(Errc::corrupt,
                fmt::format("UnregisterControllerRecord of controller {}, which is not registered",
                            record.controller_id));
  return {};
}

}  // namespace moldau::metadata
