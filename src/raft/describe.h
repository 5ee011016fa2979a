// The answer to DescribeQuorum: who leads, who votes, who watches, and how far each of them is.
// Pure.
#pragma once
#include "base/arena.h"
#include "raft/core.h"
#include "wire/messages/describe_quorum.h"

namespace moldau::raft {

// Borrows from core and arena. Version 2 has nodes and directories.
wire::DescribeQuorumResponse describe_quorum(const Core& core, Now now,
                                             const wire::DescribeQuorumRequest& request,
                                             int16_t version, Arena& arena);

}  // namespace moldau::raft
