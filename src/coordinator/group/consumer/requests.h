// What members of the consumer group protocol say, and what they are told: values.
#pragma once
#include "coordinator/group/consumer/known_topics.h"
#include "coordinator/group/consumer/stored.h"
#include "coordinator/group/requests.h"

namespace moldau::coordinator::group {

// Epochs that a member says instead of its own.
constexpr int32_t kJoining = 0, kLeaving = -1, kLeavingForAWhile = -2;

struct Refusal {
  ErrorCode error = ErrorCode::none;
  std::string message;
  explicit operator bool() const { return error != ErrorCode::none; }
};

struct ConsumerHeartbeat {
  std::string group;
  std::string member;
  int32_t epoch = kJoining;
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  int32_t rebalance_millis = -1;  // -1: not said
  // Not said: as before.
  std::optional<std::vector<std::string>> topics;
  std::optional<std::string> regex;
  std::optional<std::string> assignor;
  std::optional<Parts> owned;
  std::string client_id;
  std::string client_host;
  bool makes_own_id = true;  // version 1 and up
  Uuid unique;               // for the id of a member that makes none
};

struct ConsumerAnswer {
  Refusal refusal;
  std::string member;
  int32_t epoch = 0;
  int32_t interval_millis = 0;
  std::optional<Parts> assignment;  // nothing: as it was
};

struct DescribedConsumer {
  std::string id;
  ConsumerMember said;
  int32_t epoch = 0;
  Parts assignment;
  Parts target;
};
struct DescribedConsumers {
  Refusal refusal;
  std::string state;
  int32_t epoch = 0;
  int32_t target_epoch = 0;
  std::string assignor;
  std::vector<DescribedConsumer> members;
};

// Which way a live group may change its protocol.
enum class MigrationPolicy : uint8_t { disabled, upgrade, downgrade, bidirectional };

struct ConsumerConfig {
  bool enabled = true;                       // group.coordinator.rebalance.protocols
  Duration session_timeout = seconds(45);    // group.consumer.session.timeout.ms
  Duration heartbeat_interval = seconds(5);  // group.consumer.heartbeat.interval.ms
  size_t max_size = 2147483647;              // group.consumer.max.size
  std::vector<std::string> assignors = {"uniform", "range"};  // group.consumer.assignors
  MigrationPolicy migration = MigrationPolicy::bidirectional;
  Duration assignment_interval = seconds(1);  // group.consumer.assignment.interval.ms
  Duration regex_refresh = seconds(600);      // group.consumer.regex.refresh.interval.ms
  Duration regex_pause = seconds(10);         // between two looks at new topics
};

}  // namespace moldau::coordinator::group
