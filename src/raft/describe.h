// The answers to DescribeQuorum (who leads, who votes, who watches, and how far each of them is)
// and to a controller's DescribeCluster. Pure.
#pragma once
#include "base/arena.h"
#include "raft/core.h"
#include "wire/messages/describe_cluster.h"
#include "wire/messages/describe_quorum.h"

namespace moldau::raft {

// Borrows from core and arena. Version 2 has nodes and directories.
wire::DescribeQuorumResponse describe_quorum(const Core& core, Now now,
                                             const wire::DescribeQuorumRequest& request,
                                             int16_t version, Arena& arena);

// The answer to DescribeCluster on a controller's listener: the voters, as far as it is known where
// they listen. For brokers: MISMATCHED_ENDPOINT_TYPE.
wire::DescribeClusterResponse describe_controllers(const Core& core,
                                                   const wire::DescribeClusterRequest& request,
                                                   Arena& arena);

}  // namespace moldau::raft
