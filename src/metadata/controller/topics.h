// Topics are made, get more partitions, and go. Pure.
#pragma once
#include "metadata/controller/decision.h"

namespace moldau::metadata {

struct CreateTopic {
  std::string name;
  Uuid id;                  // never given before
  int32_t partitions = -1;  // -1: the usual number
  int16_t replication_factor = -1;
  // Instead of the two: who has the replicas of each partition, from 0 on.
  std::vector<std::vector<int32_t>> assignment = {};
  std::map<std::string, std::string> configs = {};  // were looked at by who asks
  uint64_t seed = 0;                                // of the placement
};
struct TopicCreated : Verdict {
  int32_t partitions = 0;
  int32_t replication_factor = 0;
};
// Errors: topic_already_exists, invalid_topic_exception (it collides with another name),
// invalid_partitions, invalid_replication_factor, invalid_replica_assignment.
Decision<TopicCreated> decide(const View& view, const CreateTopic& wanted);

struct DeleteTopic {
  Uuid id;
};
// Errors: unknown_topic_id.
Decision<Verdict> decide(const View& view, const DeleteTopic& wanted);

struct CreatePartitions {
  std::string topic;
  int32_t count = 0;                                  // then
  std::vector<std::vector<int32_t>> assignment = {};  // of the new ones; empty: as usual
  uint64_t seed = 0;
};
// Errors: unknown_topic_or_partition, invalid_partitions, invalid_replica_assignment,
// invalid_replication_factor.
Decision<Verdict> decide(const View& view, const CreatePartitions& wanted);

// A broker says in which of its directories its replicas are (KIP-858).
struct AssignDirectories {
  BrokerId broker;
  int64_t epoch = -1;
  struct Place {
    Uuid topic;
    int32_t partition = 0;
    Uuid directory;
  };
  std::vector<Place> places;
};
// What is not there, or is no replica of that broker, is left out. Errors:
// broker_id_not_registered, stale_broker_epoch.
Decision<Verdict> decide(const View& view, const AssignDirectories& wanted);

// '.' and '_' are the same in the names of metrics.
const std::string* colliding_name(const Topics& topics, std::string_view name);

}  // namespace moldau::metadata
