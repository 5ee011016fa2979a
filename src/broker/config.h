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

struct BrokerConfig {
  std::map<std::string, std::string> given;  // Kafka's keys as the operator wrote them
  BrokerId node_id{1};                       // node.id
  host::Address listen;                      // listeners
  std::string advertised_host;               // advertised.listeners; empty: the listener's address
  uint16_t advertised_port = 0;              // the same; 0: the listener's port
  std::vector<std::string> log_dirs;         // log.dirs; the first one holds the metadata as well
  int recovery_tasks_per_dir = 2;            // num.recovery.threads.per.data.dir: opened at a time
  int32_t num_partitions = 1;                // num.partitions
  bool auto_create_topics = true;            // auto.create.topics.enable
  bool delete_topics = true;                 // delete.topic.enable
  size_t max_request_bytes = 100 << 20;      // socket.request.max.bytes
  int32_t max_message_bytes = 1048588;       // message.max.bytes: of one batch
  int32_t fetch_max_bytes =
      55 << 20;  // fetch.max.bytes: of one reply, whatever the consumer asks for
  TopicDefaults topic;
  log::LogConfig log;
  MaintenanceConfig maintenance;
  bool cleaner_enabled = true;  // log.cleaner.enable
  log::CleanerConfig cleaner;
  OffsetsTopicConfig offsets_topic;
  coordinator::DriverConfig groups;
};

}  // namespace moldau::broker
