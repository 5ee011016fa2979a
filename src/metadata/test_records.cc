#include "metadata/test_records.h"

#include <gtest/gtest.h>

#include "metadata/delta.h"
#include "wire/messages/config_record.h"
#include "wire/messages/feature_level_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/topic_record.h"
#include "wire/record_batch_builder.h"

namespace moldau::metadata {

Uuid id_of(uint8_t n) {
  Uuid id;
  id.bytes[3] = 9;
  id.bytes[15] = n;
  return id;
}

Record topic_record(std::string_view name, Uuid id) {
  wire::TopicRecord record;
  record.name = name;
  record.topic_id = id;
  return write_record(record, 0);
}

Record partition_record(Uuid topic, int32_t index, std::vector<int32_t> replicas) {
  std::vector<Uuid> directories(replicas.size(), id_of(100));
  wire::PartitionRecord record;
  record.partition_id = index;
  record.topic_id = topic;
  record.replicas = wire::Array<int32_t>(replicas.data(), replicas.size());
  record.isr = record.replicas;
  record.leader = replicas.front();
  record.leader_epoch = 0;
  record.partition_epoch = 0;
  record.directories = wire::Array<Uuid>(directories.data(), directories.size());
  return write_record(record, 2);
}

Record config_record(int8_t type, std::string_view name, std::string_view key, const char* value) {
  wire::ConfigRecord record;
  record.resource_type = type;
  record.resource_name = name;
  record.name = key;
  record.value = value ? wire::NullableString(value) : std::nullopt;
  return write_record(record, 0);
}

Record broker_record(int32_t id, int64_t epoch) {
  wire::RegisterBrokerRecord::BrokerEndpoint point;
  point.name = "PLAINTEXT";
  point.host = "host";
  point.port = 9092;
  wire::RegisterBrokerRecord record;
  record.broker_id = id;
  record.broker_epoch = epoch;
  record.incarnation_id = id_of(static_cast<uint8_t>(id));
  record.end_points = wire::Array<wire::RegisterBrokerRecord::BrokerEndpoint>(&point, 1);
  return write_record(record, 4);
}

Record level_record(std::string_view name, int16_t level) {
  wire::FeatureLevelRecord record;
  record.name = name;
  record.feature_level = level;
  return write_record(record, 0);
}

std::vector<uint8_t> batch_of(Offset base, const std::vector<Record>& records, LeaderEpoch epoch) {
  wire::RecordBatchBuilder builder({.base_offset = base, .leader_epoch = epoch});
  for (const Record& record : records) builder.add(1000, std::nullopt, record);
  return builder.finish();
}

std::vector<uint8_t> control_batch(Offset base, int16_t type) {
  wire::RecordBatchBuilder builder({.base_offset = base, .control = true});
  std::vector<uint8_t> key{0, 0, 0, static_cast<uint8_t>(type)}, value{0, 0};
  builder.add(1000, key, value);
  return builder.finish();
}

Image image_of(const std::vector<Record>& records) {
  Delta delta{Image()};
  for (const Record& record : records) {
    Result<void> done = delta.replay(record);
    EXPECT_TRUE(done) << done.error().to_string();
  }
  return delta.finish({});
}

}  // namespace moldau::metadata
