#include "metadata_story.h"

#include <fmt/format.h>

#include <deque>
#include <map>
#include <set>

#include "base/random.h"
#include "metadata/record.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/broker_registration_change_record.h"
#include "wire/messages/clear_elr_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/config_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/feature_level_record.h"
#include "wire/messages/fence_broker_record.h"
#include "wire/messages/no_op_record.h"
#include "wire/messages/partition_change_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/producer_ids_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/remove_access_control_entry_record.h"
#include "wire/messages/remove_delegation_token_record.h"
#include "wire/messages/remove_topic_record.h"
#include "wire/messages/remove_user_scram_credential_record.h"
#include "wire/messages/topic_record.h"
#include "wire/messages/unfence_broker_record.h"
#include "wire/messages/unregister_broker_record.h"
#include "wire/messages/user_scram_credential_record.h"

namespace moldau::compat {

namespace {

using metadata::write_record;

class Teller {
 public:
  Teller(uint64_t seed, int16_t level) : random_(seed), level_(level) {}
  Records begin();
  Records step();

 private:
  struct Topic {
    std::string name;
    int32_t partitions = 0;
  };
  uint64_t draw(uint64_t n) { return random_.below(n); }
  bool coin() { return draw(2) == 0; }
  Uuid uuid();
  // Texts and lists that live as long as the story.
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  wire::Array<int32_t> brokers(size_t n);
  wire::Array<Uuid> uuids(size_t n);
  int16_t version(int16_t third, int16_t fourth, int16_t highest) const;
  template <class M>
  void put(const M& message, int16_t version = 0) {
    out_.push_back(write_record(message, version));
  }
  void one();
  void cluster(uint64_t what);
  void topics(uint64_t what);
  void rest(uint64_t what);
  void register_broker();
  void change_broker();
  void register_controller();
  void make_topic();
  void make_partition();
  void change_partition();
  void config();
  void quota();
  void user();
  void token();
  void acl();

  Random random_;
  int16_t level_;
  Records out_;
  std::deque<std::string> texts_;
  std::deque<std::vector<int32_t>> lists_;
  std::deque<std::vector<Uuid>> id_lists_;
  std::map<int32_t, int64_t> brokers_;  // and their epochs
  std::map<Uuid, Topic> topics_;
  std::set<Uuid> acls_;
  std::set<std::pair<std::string, int8_t>> users_;
  std::set<std::string> tokens_;
  int64_t clock_ = 100;
  bool configured_ = false;  // in this step
};

Uuid Teller::uuid() {
  Uuid id;
  for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(draw(256));
  return id;
}

wire::Array<int32_t> Teller::brokers(size_t n) {
  std::vector<int32_t> all;
  auto first = static_cast<int32_t>(draw(5));
  for (size_t i = 0; i < n; i++) all.push_back((first + static_cast<int32_t>(i)) % 7);
  const std::vector<int32_t>& kept = lists_.emplace_back(std::move(all));
  return {kept.data(), kept.size()};
}

wire::Array<Uuid> Teller::uuids(size_t n) {
  std::vector<Uuid> all;
  for (size_t i = 0; i < n; i++) all.push_back(uuid());
  const std::vector<Uuid>& kept = id_lists_.emplace_back(std::move(all));
  return {kept.data(), kept.size()};
}

// Of a record whose versions began with directories (17) and with something later.
int16_t Teller::version(int16_t third, int16_t fourth, int16_t highest) const {
  if (level_ >= fourth) return highest;
  return static_cast<int16_t>(level_ >= third ? highest - 1 : highest - 2);
}

Records Teller::begin() {
  wire::FeatureLevelRecord record;
  record.name = "metadata.version";
  record.feature_level = level_;
  put(record);
  if (level_ >= 23 && coin()) {
    record.name = "eligible.leader.replicas.version";
    record.feature_level = 1;
    put(record);
  }
  return std::exchange(out_, {});
}

void Teller::register_broker() {
  auto id = static_cast<int32_t>(draw(5));
  std::vector<wire::RegisterBrokerRecord::BrokerEndpoint> points(1 + draw(2));
  for (size_t i = 0; i < points.size(); i++) {
    // In the order in which Kafka's hash map has them.
    points[i].name = i + 1 < points.size() ? "SASL" : "PLAINTEXT";
    points[i].host = keep(fmt::format("host-{}", draw(3)));
    points[i].port = static_cast<uint16_t>(9092 + i);
    points[i].security_protocol = static_cast<int16_t>(i + 1 < points.size() ? 3 : 0);
  }
  std::vector<wire::RegisterBrokerRecord::BrokerFeature> features(1);
  features[0].name = "metadata.version";
  features[0].min_supported_version = 7;
  features[0].max_supported_version = 30;
  wire::RegisterBrokerRecord record;
  record.broker_id = id;
  record.incarnation_id = uuid();
  record.broker_epoch = brokers_[id] = clock_++;
  record.end_points = {points.data(), points.size()};
  record.features = {features.data(), features.size()};
  record.rack = coin() ? wire::NullableString("rack") : std::nullopt;
  record.fenced = coin();
  record.in_controlled_shutdown = draw(4) == 0;
  record.log_dirs = uuids(draw(3));
  put(record, level_ >= 30 ? 4 : level_ >= 17 ? 3 : 1);
}

void Teller::change_broker() {
  if (brokers_.empty()) return register_broker();
  auto [id, epoch] = *brokers_.begin();
  switch (draw(4)) {
    case 0: {
      wire::FenceBrokerRecord record;
      record.id = id;
      record.epoch = epoch;
      return put(record);
    }
    case 1: {
      wire::UnfenceBrokerRecord record;
      record.id = id;
      record.epoch = epoch;
      return put(record);
    }
    case 2: {
      wire::UnregisterBrokerRecord record;
      record.broker_id = id;
      record.broker_epoch = epoch;
      brokers_.erase(id);
      return put(record);
    }
    default: {
      wire::BrokerRegistrationChangeRecord record;
      record.broker_id = id;
      record.broker_epoch = epoch;
      record.fenced = static_cast<int8_t>(static_cast<int>(draw(3)) - 1);
      record.in_controlled_shutdown = static_cast<int8_t>(draw(2));
      if (level_ >= 17) record.log_dirs = uuids(draw(3));
      if (level_ >= 30 && coin()) record.cordoned_log_dirs = uuids(draw(2));
      return put(record, version(17, 30, 3));
    }
  }
}

void Teller::register_controller() {
  wire::RegisterControllerRecord record;
  record.controller_id = static_cast<int32_t>(3000 + draw(3));
  record.incarnation_id = uuid();
  put(record);
}

void Teller::make_topic() {
  wire::TopicRecord record;
  record.topic_id = uuid();
  record.name = keep(fmt::format("topic-{}", clock_++));
  topics_[record.topic_id] = {std::string(record.name), 0};
  put(record);
}

void Teller::make_partition() {
  if (topics_.empty()) return make_topic();
  auto topic = topics_.begin();
  std::advance(topic, draw(topics_.size()));
  wire::PartitionRecord record;
  record.partition_id = topic->second.partitions++;
  record.topic_id = topic->first;
  record.replicas = brokers(1 + draw(3));
  record.isr = {record.replicas.begin(), 1 + draw(record.replicas.size())};
  record.leader = draw(5) == 0 ? -1 : record.replicas[0];
  record.leader_recovery_state = static_cast<int8_t>(draw(4) == 0);
  record.leader_epoch = static_cast<int32_t>(draw(9));
  record.partition_epoch = static_cast<int32_t>(draw(9));
  if (coin()) record.adding_replicas = brokers(1);
  if (coin()) record.removing_replicas = brokers(1);
  if (level_ >= 17) record.directories = uuids(record.replicas.size());
  if (level_ >= 23 && coin()) record.eligible_leader_replicas = brokers(1);
  if (level_ >= 23 && coin()) record.last_known_elr = brokers(1);
  put(record, version(17, 23, 2));
}

void Teller::change_partition() {
  auto topic = topics_.begin();
  if (!topics_.empty()) std::advance(topic, draw(topics_.size()));
  if (topic == topics_.end() || topic->second.partitions == 0) return make_partition();
  wire::PartitionChangeRecord record;
  record.topic_id = topic->first;
  record.partition_id = static_cast<int32_t>(draw(static_cast<uint64_t>(topic->second.partitions)));
  if (coin()) record.isr = brokers(1 + draw(2));
  if (coin()) record.leader = static_cast<int32_t>(draw(4)) - 1;
  if (coin()) record.leader_recovery_state = static_cast<int8_t>(draw(2));
  if (coin()) record.adding_replicas = brokers(draw(2));
  if (coin()) record.removing_replicas = brokers(draw(2));
  if (draw(3) == 0) {
    record.replicas = brokers(1 + draw(3));
    if (level_ >= 17) record.directories = uuids(record.replicas.size());
  }
  if (level_ >= 23 && coin()) record.eligible_leader_replicas = brokers(draw(2));
  if (level_ >= 23 && coin()) record.last_known_elr = brokers(draw(2));
  put(record, version(17, 23, 2));
}

void Teller::config() {
  wire::ConfigRecord record;
  record.resource_type = static_cast<int8_t>(coin() ? 2 : 4);
  bool default_one = coin() || topics_.empty();
  if (!default_one) record.resource_name = topics_.begin()->second.name;
  if (record.resource_type == 2 && record.resource_name.empty()) record.resource_name = "other";
  if (record.resource_type == 4) record.resource_name = coin() ? "" : "1";
  record.name = keep(fmt::format("key.{}", draw(4)));
  record.value = draw(3) == 0 ? std::nullopt : wire::NullableString("value");
  configured_ = true;
  put(record);
}

void Teller::quota() {
  wire::ClientQuotaRecord::EntityData parts[2];
  parts[0].entity_type = coin() ? "user" : "client-id";
  parts[0].entity_name = coin() ? wire::NullableString("someone") : std::nullopt;
  parts[1].entity_type = "ip";
  parts[1].entity_name = "127.0.0.1";
  wire::ClientQuotaRecord record;
  record.entity = {&parts[draw(2)], 1};
  record.key = coin() ? "producer_byte_rate" : "consumer_byte_rate";
  record.value = static_cast<double>(draw(1000)) / 8;
  record.remove = draw(3) == 0;
  put(record);
}

void Teller::user() {
  auto name = keep(fmt::format("user-{}", draw(3)));
  auto mechanism = static_cast<int8_t>(1 + draw(2));
  std::pair<std::string, int8_t> key(name, mechanism);
  if (draw(3) == 0 && users_.contains(key)) {
    wire::RemoveUserScramCredentialRecord record;
    record.name = name;
    record.mechanism = mechanism;
    users_.erase(key);
    return put(record);
  }
  std::string_view salt = keep(fmt::format("salt-{}", draw(100)));
  wire::UserScramCredentialRecord record;
  record.name = name;
  record.mechanism = mechanism;
  record.salt = record.stored_key = record.server_key = as_bytes(salt);
  record.iterations = static_cast<int32_t>(4096 + draw(10));
  users_.insert(key);
  put(record);
}

void Teller::token() {
  auto id = keep(fmt::format("token-{}", draw(3)));
  if (draw(3) == 0 && tokens_.contains(std::string(id))) {
    wire::RemoveDelegationTokenRecord record;
    record.token_id = id;
    tokens_.erase(std::string(id));
    return put(record);
  }
  std::string_view renewers[] = {"User:a", "User:b"};
  wire::DelegationTokenRecord record;
  record.owner = "User:owner";
  record.requester = "User:requester";
  record.renewers = {renewers, draw(3)};
  record.issue_timestamp = clock_++;
  record.max_timestamp = clock_ + 1000;
  record.expiration_timestamp = clock_ + 500;
  record.token_id = id;
  tokens_.insert(std::string(id));
  put(record);
}

void Teller::acl() {
  if (draw(3) == 0 && !acls_.empty()) {
    wire::RemoveAccessControlEntryRecord record;
    record.id = *acls_.begin();
    acls_.erase(record.id);
    return put(record);
  }
  wire::AccessControlEntryRecord record;
  record.id = uuid();
  record.resource_type = static_cast<int8_t>(2 + draw(3));
  record.resource_name = keep(fmt::format("resource-{}", draw(100)));
  record.pattern_type = static_cast<int8_t>(3 + draw(2));
  record.principal = "User:alice";
  record.host = "*";
  record.operation = static_cast<int8_t>(3 + draw(5));
  record.permission_type = static_cast<int8_t>(2 + draw(2));
  acls_.insert(record.id);
  put(record);
}

void Teller::cluster(uint64_t what) {
  if (what == 0) return register_broker();
  if (what == 1 && level_ >= 15) return register_controller();
  change_broker();
}

void Teller::topics(uint64_t what) {
  if (what == 0) return make_topic();
  if (what < 4) return make_partition();
  if (what < 9) return change_partition();
  // Kafka's delta forgets settings of a removed topic only if an earlier delta had made them.
  if (what == 9 && topics_.size() > 2 && !configured_) {
    wire::RemoveTopicRecord record;
    record.topic_id = topics_.begin()->first;
    topics_.erase(record.topic_id);
    return put(record);
  }
  if (what == 10 && level_ >= 23) {
    wire::ClearElrRecord record;
    if (coin() && !topics_.empty()) record.topic_name = topics_.begin()->second.name;
    return put(record);
  }
  config();
}

void Teller::rest(uint64_t what) {
  switch (what) {
    case 0:
      return quota();
    case 1:
      return level_ >= 11 ? user() : acl();
    case 2:
      return level_ >= 14 ? token() : acl();
    case 3:
      return acl();
    case 4:
      return put(wire::NoOpRecord());
    case 5: {
      wire::FeatureLevelRecord record;
      record.name = coin() ? "group.version" : "transaction.version";
      record.feature_level = static_cast<int16_t>(draw(2));
      return put(record);
    }
    default: {
      wire::ProducerIdsRecord record;
      record.broker_id = 1;
      record.broker_epoch = 1;
      record.next_producer_id = clock_ += 1000;
      return put(record);
    }
  }
}

void Teller::one() {
  switch (draw(4)) {
    case 0:
      return cluster(draw(4));
    case 1:
      return rest(draw(7));
    default:
      return topics(draw(12));
  }
}

Records Teller::step() {
  configured_ = false;
  for (size_t n = 1 + draw(12); n > 0; n--) one();
  return std::exchange(out_, {});
}

}  // namespace

std::vector<Records> metadata_story(uint64_t seed, int16_t metadata_version, size_t steps) {
  Teller teller(seed, metadata_version);
  std::vector<Records> story{teller.begin()};
  for (size_t i = 0; i < steps; i++) story.push_back(teller.step());
  return story;
}

}  // namespace moldau::compat
