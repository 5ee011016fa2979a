// A partition as Metadata and DescribeTopicPartitions show it, while this broker is the only one.
#pragma once
#include <cstdint>

#include "wire/error_code.h"

namespace moldau::broker {

struct Node;
struct Topic;

constexpr int32_t kNobody = -1;  // leads it
// Bit i stands for the operation with Kafka's number i. Without an authorizer everything is
// allowed.
constexpr int32_t kTopicOperations = 3576;

struct PartitionState {
  wire::ErrorCode error = wire::ErrorCode::none;
  int32_t leader = kNobody;
  int32_t leader_epoch = 0;
  bool offline = false;  // its directory does not work: nobody can lead it
};
PartitionState partition_state(const Node& node, const Topic& topic, int32_t index);

}  // namespace moldau::broker
