#include "metadata/entity_records.h"

#include "metadata/record.h"
#include "wire/messages/clear_elr_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/config_record.h"
#include "wire/messages/feature_level_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/producer_ids_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/topic_record.h"

namespace moldau::metadata {

namespace {

// Levels of metadata.version from which a record has its next version.
constexpr int16_t kMigration = 8;     // 3.4-IV0: is_migrating_zk_broker
constexpr int16_t kDirectories = 17;  // 3.7-IV2: log directories (KIP-858)
constexpr int16_t kElr = 23;          // 4.0-IV1: eligible leader replicas (KIP-966)
constexpr int16_t kCordoned = 30;     // 4.3-IV0: cordoned directories (KIP-1066)

int16_t broker_record_version(int16_t level) {
  if (level >= kCordoned) return 4;
  if (level >= kDirectories) return 3;
  return level >= kMigration ? 2 : 1;
}
int16_t partition_record_version(int16_t level) {
  if (level >= kElr) return 2;
  return level >= kDirectories ? 1 : 0;
}

template <class T>
wire::Array<T> view(const std::vector<T>& all) {
  return wire::Array<T>(all.data(), all.size());
}

template <class T>
std::vector<T> endpoints(const std::vector<Endpoint>& all) {
  std::vector<T> out;
  for (const Endpoint& one : all) {
    T point;
    point.name = one.listener;
    point.host = one.host;
    point.port = one.port;
    point.security_protocol = one.security_protocol;
    out.push_back(point);
  }
  return out;
}

template <class T>
std::vector<T> features(const std::map<std::string, Levels>& all) {
  std::vector<T> out;
  for (const auto& [name, levels] : all) {
    T feature;
    feature.name = name;
    feature.min_supported_version = levels.min;
    feature.max_supported_version = levels.max;
    out.push_back(feature);
  }
  return out;
}

}  // namespace

RecordLevel::RecordLevel(const Image& image)
    : metadata_version(image.metadata_version()),
      elr(image.features->contains("eligible.leader.replicas.version")) {}

Record broker_record(const Broker& broker, RecordLevel level) {
  auto points = endpoints<wire::RegisterBrokerRecord::BrokerEndpoint>(broker.endpoints);
  auto supported = features<wire::RegisterBrokerRecord::BrokerFeature>(broker.features);
  wire::RegisterBrokerRecord record;
  record.broker_id = broker.id.value;
  record.is_migrating_zk_broker = broker.migrating_zk;
  record.incarnation_id = broker.incarnation;
  record.broker_epoch = broker.epoch;
  record.end_points = view(points);
  record.features = view(supported);
  record.rack = broker.rack;
  record.fenced = broker.fenced;
  record.in_controlled_shutdown = broker.in_controlled_shutdown;
  record.log_dirs = view(broker.log_dirs);
  if (broker.cordoned_log_dirs) record.cordoned_log_dirs = view(*broker.cordoned_log_dirs);
  return write_record(record, broker_record_version(level.metadata_version));
}

Record controller_record(const Controller& controller) {
  auto points = endpoints<wire::RegisterControllerRecord::ControllerEndpoint>(controller.endpoints);
  auto supported = features<wire::RegisterControllerRecord::ControllerFeature>(controller.features);
  wire::RegisterControllerRecord record;
  record.controller_id = controller.id.value;
  record.incarnation_id = controller.incarnation;
  record.zk_migration_ready = controller.migration_ready;
  record.end_points = view(points);
  record.features = view(supported);
  return write_record(record, 0);
}

Record topic_record(std::string_view name, const Uuid& id) {
  wire::TopicRecord record;
  record.name = name;
  record.topic_id = id;
  return write_record(record, 0);
}

Record partition_record(const Uuid& topic, int32_t index, const Partition& partition,
                        RecordLevel level) {
  wire::PartitionRecord record;
  record.partition_id = index;
  record.topic_id = topic;
  record.replicas = view(partition.replicas);
  record.isr = view(partition.isr);
  record.removing_replicas = view(partition.removing);
  record.adding_replicas = view(partition.adding);
  record.leader = partition.leader;
  record.leader_recovery_state = partition.recovery_state;
  record.leader_epoch = partition.leader_epoch;
  record.partition_epoch = partition.partition_epoch;
  record.directories = view(partition.directories);
  if (level.elr && !partition.elr.empty()) record.eligible_leader_replicas = view(partition.elr);
  if (level.elr && !partition.last_known_elr.empty())
    record.last_known_elr = view(partition.last_known_elr);
  return write_record(record, partition_record_version(level.metadata_version));
}

Record config_record(const ConfigResource& resource, std::string_view name,
                     std::optional<std::string_view> value) {
  wire::ConfigRecord record;
  record.resource_type = resource.type;
  record.resource_name = resource.name;
  record.name = name;
  record.value = value;
  return write_record(record, 0);
}

Record clear_elr_record(std::string_view topic) {
  wire::ClearElrRecord record;
  record.topic_name = topic;
  return write_record(record, 0);
}

Record feature_record(std::string_view name, int16_t level) {
  wire::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return write_record(record, 0);
}

Record quota_record(const QuotaEntity& entity, std::string_view key, std::optional<double> value) {
  std::vector<wire::ClientQuotaRecord::EntityData> parts;
  for (const auto& [type, name] : entity) {
    wire::ClientQuotaRecord::EntityData part;
    part.entity_type = type;
    part.entity_name = name;
    parts.push_back(part);
  }
  wire::ClientQuotaRecord record;
  record.entity = view(parts);
  record.key = key;
  record.value = value.value_or(0);
  record.remove = !value;
  return write_record(record, 0);
}

Record producer_ids_record(BrokerId broker, int64_t epoch, int64_t next) {
  wire::ProducerIdsRecord record;
  record.broker_id = broker.value;
  record.broker_epoch = epoch;
  record.next_producer_id = next;
  return write_record(record, 0);
}

}  // namespace moldau::metadata
