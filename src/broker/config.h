// What the operator decides about a broker. Kafka's names in the comments; read by app from flags
// and properties.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "coordinator/driver.h"
#include "host/address.h"
#include "log/cleaner.h"
#include "log/log_core.h"
#include "raft/voters.h"
#include "wire/produced_batch.h"

namespace moldau::broker {

// What a topic goes by that says nothing else.
struct TopicDefaults {
  std::optional<wire::Codec> codec;      // compression.type; nothing: producer
  std::optional<int> compression_level;  // compression.gzip.level and so on
  wire::TimestampType timestamp_type = wire::TimestampType::create_time;  // message.timestamp.type
  int64_t timestamp_before_max_millis =
      std::numeric_limits<int64_t>::max();           // message.timestamp.before.max.ms
  int64_t timestamp_after_max_millis = 3600 * 1000;  // message.timestamp.after.max.ms
  // Ours: header leaves what is in compressed batches to their readers.
  wire::BatchValidation validation = wire::BatchValidation::full;
};

// What the broker does by the clock for its logs.
struct MaintenanceConfig {
  Duration retention_check = seconds(300);        // log.retention.check.interval.ms
  Duration producer_expiry_check = seconds(600);  // producer.id.expiration.check.interval.ms
};

// The topic that keeps groups and their offsets.
struct OffsetsTopicConfig {
  int32_t partitions = 50;              // offsets.topic.num.partitions
  int64_t segment_bytes = 104'857'600;  // offsets.topic.segment.bytes
};

// What the metadata log, its quorum and its controller go by.
struct KraftConfig {
  std::string metadata_dir;  // metadata.log.dir; empty: the first of log.dirs
  bool alone = false;  // where neither the log nor the operator says who votes, this node does
  raft::VoterSet static_voters;                      // controller.quorum.voters
  std::vector<raft::Endpoint> controller_endpoints;  // listeners of the controller, as others see
  std::string listener = "PLAINTEXT";                // the name of the clients' listener
  std::optional<std::string> rack;                   // broker.rack
  int32_t min_insync_replicas = 1;                   // min.insync.replicas
  bool unclean_leader_election = false;              // unclean.leader.election.enable
  Duration election_timeout = seconds(1);            // controller.quorum.election.timeout.ms
  Duration fetch_timeout = seconds(2);               // controller.quorum.fetch.timeout.ms
  Duration request_timeout = seconds(2);             // controller.quorum.request.timeout.ms
  Duration retry_backoff = milliseconds(20);         // controller.quorum.retry.backoff.ms
  Duration election_backoff_max = seconds(1);        // controller.quorum.election.backoff.max.ms
  Duration session_timeout = seconds(9);             // broker.session.timeout.ms
  Duration heartbeat = seconds(2);                   // broker.heartbeat.interval.ms
  Duration max_idle = milliseconds(500);             // metadata.max.idle.interval.ms
  int64_t snapshot_bytes = 20 << 20;           // metadata.log.max.record.bytes.between.snapshots
  Duration snapshot_interval = seconds(3600);  // metadata.log.max.snapshot.interval.ms
  int64_t segment_bytes = 1 << 30;             // metadata.log.segment.bytes
  int64_t segment_millis = int64_t{7} * 24 * 3600 * 1000;  // metadata.log.segment.ms
};

struct BrokerConfig {
  std::map<std::string, std::string> given;  // Kafka's keys as the operator wrote them
  BrokerId node_id{1};                       // node.id
  host::Address listen;                      // listeners
  std::optional<host::Address> http;         // moldau.http.listener: metrics and health
  bool http_any_port = false;                // if that one is taken
  std::string advertised_host;               // advertised.listeners; empty: the listener's address
  uint16_t advertised_port = 0;              // the same; 0: the listener's port
  std::vector<std::string> log_dirs;         // log.dirs
  int recovery_tasks_per_dir = 2;            // num.recovery.threads.per.data.dir: opened at a time
  int32_t num_partitions = 1;                // num.partitions
  bool auto_create_topics = true;            // auto.create.topics.enable
  bool delete_topics = true;                 // delete.topic.enable
  size_t max_request_bytes = 100 << 20;      // socket.request.max.bytes
  int32_t max_message_bytes = 1048588;       // message.max.bytes: of one batch
  int32_t fetch_max_bytes =
      55 << 20;                  // fetch.max.bytes: of one reply, whatever the consumer asks for
  size_t fetch_sessions = 1000;  // max.incremental.fetch.session.cache.slots
  size_t telemetry_max_bytes = 1 << 20;  // telemetry.max.bytes
  int32_t max_described_partitions =
      2000;  // max.request.partition.size.limit: of one answer to DescribeTopicPartitions
  TopicDefaults topic;
  log::LogConfig log;
  MaintenanceConfig maintenance;
  bool cleaner_enabled = true;  // log.cleaner.enable
  log::CleanerConfig cleaner;
  OffsetsTopicConfig offsets_topic;
  coordinator::DriverConfig groups;
  KraftConfig kraft;
};

}  // namespace moldau::broker
