// The parts of a cluster's metadata, as values: brokers, topics, settings, users and so on. An
// Image (image.h) holds them all.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace moldau::metadata {

// Directory ids with a meaning of their own (KIP-858).
inline constexpr Uuid kMigratingDirectory{};
inline constexpr Uuid kLostDirectory{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
inline constexpr Uuid kUnassignedDirectory{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}};

struct Endpoint {
  std::string listener;
  std::string host;
  uint16_t port = 0;
  int16_t security_protocol = 0;  // 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL
  bool operator==(const Endpoint&) const = default;
};

struct Levels {
  int16_t min = 0, max = 0;
  bool operator==(const Levels&) const = default;
};

struct Broker {
  BrokerId id;
  Uuid incarnation;
  int64_t epoch = -1;
  std::vector<Endpoint> endpoints;
  std::map<std::string, Levels> features;  // what it supports
  std::optional<std::string> rack;
  bool fenced = true;
  bool in_controlled_shutdown = false;
  bool migrating_zk = false;
  std::vector<Uuid> log_dirs;                          // in Kafka's order of ids
  std::optional<std::vector<Uuid>> cordoned_log_dirs;  // KIP-1066
  bool operator==(const Broker&) const = default;
};

struct Controller {
  BrokerId id;
  Uuid incarnation;
  bool migration_ready = false;
  std::vector<Endpoint> endpoints;
  std::map<std::string, Levels> features;
  bool operator==(const Controller&) const = default;
};

constexpr int32_t kNoLeader = -1;

struct Partition {
  std::vector<int32_t> replicas;
  std::vector<Uuid> directories;  // of each replica
  std::vector<int32_t> isr;
  std::vector<int32_t> removing, adding;
  std::vector<int32_t> elr, last_known_elr;  // KIP-966
  int32_t leader = kNoLeader;
  int8_t recovery_state = 0;  // 1: recovering from an unclean election
  int32_t leader_epoch = 0;
  int32_t partition_epoch = 0;
  bool operator==(const Partition&) const = default;
};

struct Topic {
  std::string name;
  Uuid id;
  std::map<int32_t, Partition> partitions;
  bool operator==(const Topic&) const = default;
};

struct Topics {
  std::map<Uuid, std::shared_ptr<const Topic>> by_id;
  std::map<std::string, Uuid, std::less<>> by_name;
  const Topic* find(const Uuid& id) const;
  const Topic* find(std::string_view name) const;
};

// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group; a name of "" is the default.
struct ConfigResource {
  int8_t type = 0;
  std::string name;
  auto operator<=>(const ConfigResource&) const = default;
};
using Configs = std::map<ConfigResource, std::map<std::string, std::string>>;

// user, client-id, ip: of what; no name: of all that have no quota of their own.
using QuotaEntity = std::map<std::string, std::optional<std::string>>;
using Quotas = std::map<QuotaEntity, std::map<std::string, double>>;

struct ScramCredential {
  std::vector<uint8_t> salt, stored_key, server_key;
  int32_t iterations = 0;
  bool operator==(const ScramCredential&) const = default;
};
struct ScramUser {
  int8_t mechanism = 0;  // 1 SCRAM-SHA-256, 2 SCRAM-SHA-512
  std::string name;
  auto operator<=>(const ScramUser&) const = default;
};
using Scram = std::map<ScramUser, ScramCredential>;

struct DelegationToken {
  std::string owner, requester;
  std::vector<std::string> renewers;
  int64_t issued_millis = 0, max_millis = 0, expires_millis = 0;
  bool operator==(const DelegationToken&) const = default;
};
using DelegationTokens = std::map<std::string, DelegationToken>;  // by token id

struct Acl {
  int8_t resource_type = 0;
  std::string resource_name;
  int8_t pattern_type = 0;
  std::string principal, host;
  int8_t operation = 0;
  int8_t permission = 0;
  bool operator==(const Acl&) const = default;
};
using Acls = std::map<Uuid, Acl>;

using Features = std::map<std::string, int16_t>;  // finalized levels; metadata.version among them
using Brokers = std::map<BrokerId, Broker>;
using Controllers = std::map<BrokerId, Controller>;

}  // namespace moldau::metadata
