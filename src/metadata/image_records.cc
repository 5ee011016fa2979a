// An image as the records of a snapshot.
#include <algorithm>

#include "metadata/image.h"
#include "metadata/record.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/config_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/feature_level_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/producer_ids_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/topic_record.h"
#include "wire/messages/user_scram_credential_record.h"

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

class Out {
 public:
  explicit Out(const Image& image)
      : image_(image),
        level_(image.metadata_version()),
        elr_(image.features->contains("eligible.leader.replicas.version")) {}
  std::vector<std::vector<uint8_t>> run();

 private:
  template <class M>
  void put(const M& message, int16_t version = 0) {
    out_.push_back(write_record(message, version));
  }
  void put_features();
  void put_cluster();
  void put_topics();
  void put_partition(const Topic& topic, int32_t index, const Partition& partition);
  void put_configs();
  void put_quotas();
  void put_users();
  void put_acls();

  const Image& image_;
  const int16_t level_;
  const bool elr_;  // without that feature nobody uses them
  std::vector<std::vector<uint8_t>> out_;
};

// metadata.version first: it says how to read the rest.
void Out::put_features() {
  wire::FeatureLevelRecord record;
  if (image_.features->contains("metadata.version")) {
    record.name = "metadata.version";
    record.feature_level = level_;
    put(record);
  }
  for (const auto& [name, level] : *image_.features) {
    if (name == "metadata.version") continue;
    record.name = name;
    record.feature_level = level;
    put(record);
  }
}

void Out::put_cluster() {
  for (const auto& [id, broker] : *image_.brokers) {
    auto points = endpoints<wire::RegisterBrokerRecord::BrokerEndpoint>(broker.endpoints);
    auto supported = features<wire::RegisterBrokerRecord::BrokerFeature>(broker.features);
    wire::RegisterBrokerRecord record;
    record.broker_id = id.value;
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
    put(record, broker_record_version(level_));
  }
  for (const auto& [id, controller] : *image_.controllers) {
    auto points =
        endpoints<wire::RegisterControllerRecord::ControllerEndpoint>(controller.endpoints);
    auto supported =
        features<wire::RegisterControllerRecord::ControllerFeature>(controller.features);
    wire::RegisterControllerRecord record;
    record.controller_id = id.value;
    record.incarnation_id = controller.incarnation;
    record.zk_migration_ready = controller.migration_ready;
    record.end_points = view(points);
    record.features = view(supported);
    put(record);
  }
}

void Out::put_topics() {
  for (const auto& [name, id] : image_.topics->by_name) {
    const Topic& topic = *image_.topics->by_id.at(id);
    wire::TopicRecord record;
    record.name = name;
    record.topic_id = id;
    put(record);
    for (const auto& [index, partition] : topic.partitions) put_partition(topic, index, partition);
  }
}

void Out::put_partition(const Topic& topic, int32_t index, const Partition& partition) {
  wire::PartitionRecord record;
  record.partition_id = index;
  record.topic_id = topic.id;
  record.replicas = view(partition.replicas);
  record.isr = view(partition.isr);
  record.removing_replicas = view(partition.removing);
  record.adding_replicas = view(partition.adding);
  record.leader = partition.leader;
  record.leader_recovery_state = partition.recovery_state;
  record.leader_epoch = partition.leader_epoch;
  record.partition_epoch = partition.partition_epoch;
  record.directories = view(partition.directories);
  if (elr_ && !partition.elr.empty()) record.eligible_leader_replicas = view(partition.elr);
  if (elr_ && !partition.last_known_elr.empty())
    record.last_known_elr = view(partition.last_known_elr);
  put(record, partition_record_version(level_));
}

void Out::put_configs() {
  for (const auto& [resource, settings] : *image_.configs) {
    for (const auto& [name, value] : settings) {
      wire::ConfigRecord record;
      record.resource_type = resource.type;
      record.resource_name = resource.name;
      record.name = name;
      record.value = value;
      put(record);
    }
  }
}

void Out::put_quotas() {
  for (const auto& [entity, values] : *image_.quotas) {
    std::vector<wire::ClientQuotaRecord::EntityData> parts;
    for (const auto& [type, name] : entity) {
      wire::ClientQuotaRecord::EntityData part;
      part.entity_type = type;
      part.entity_name = name;
      parts.push_back(part);
    }
    for (const auto& [key, value] : values) {
      wire::ClientQuotaRecord record;
      record.entity = view(parts);
      record.key = key;
      record.value = value;
      put(record);
    }
  }
  if (image_.next_producer_id >= 0) {
    wire::ProducerIdsRecord record;
    record.broker_id = -1;
    record.next_producer_id = image_.next_producer_id;
    put(record);
  }
}

void Out::put_users() {
  for (const auto& [user, credential] : *image_.scram) {
    wire::UserScramCredentialRecord record;
    record.name = user.name;
    record.mechanism = user.mechanism;
    record.salt = credential.salt;
    record.stored_key = credential.stored_key;
    record.server_key = credential.server_key;
    record.iterations = credential.iterations;
    put(record);
  }
  for (const auto& [id, token] : *image_.tokens) {
    std::vector<std::string_view> renewers(token.renewers.begin(), token.renewers.end());
    wire::DelegationTokenRecord record;
    record.owner = token.owner;
    record.requester = token.requester;
    record.renewers = view(renewers);
    record.issue_timestamp = token.issued_millis;
    record.max_timestamp = token.max_millis;
    record.expiration_timestamp = token.expires_millis;
    record.token_id = id;
    put(record);
  }
}

void Out::put_acls() {
  for (const auto& [id, acl] : *image_.acls) {
    wire::AccessControlEntryRecord record;
    record.id = id;
    record.resource_type = acl.resource_type;
    record.resource_name = acl.resource_name;
    record.pattern_type = acl.pattern_type;
    record.principal = acl.principal;
    record.host = acl.host;
    record.operation = acl.operation;
    record.permission_type = acl.permission;
    put(record);
  }
}

std::vector<std::vector<uint8_t>> Out::run() {
  put_features();
  put_cluster();
  put_topics();
  put_configs();
  put_quotas();
  put_users();
  put_acls();
  return std::move(out_);
}

}  // namespace

std::vector<std::vector<uint8_t>> image_records(const Image& image) { return Out(image).run(); }

}  // namespace moldau::metadata
