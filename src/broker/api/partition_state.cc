#include "broker/api/partition_state.h"

#include "broker/node.h"
#include "replica/driver.h"

namespace moldau::broker {

using wire::ErrorCode;

PartitionState partition_state(const Node& node, const Topic& topic, int32_t index) {
  PartitionState state{.leader = node.config.node_id.value};
  Partitions::Ref here = node.partitions.find(topic.name, index);
  if (here) state.leader_epoch = here->watermarks().leader_epoch.value;
  if (node.partitions.absent(topic.name, index) == ErrorCode::kafka_storage_error)
    state = {.error = ErrorCode::leader_not_available, .offline = true};
  return state;
}

}  // namespace moldau::broker
