// What others ask of a replica, from the wire to the wire: the requests of the quorum, each
// decoded, put to the driver and answered, held back for as long as its answer needs. Used by the
// controller's listener, and by whoever else serves these APIs.
#pragma once
#include "base/chain.h"
#include "raft/driver.h"
#include "wire/api_key.h"

namespace moldau::raft {

// Vote, BeginQuorumEpoch, EndQuorumEpoch, Fetch, FetchSnapshot, DescribeQuorum, AddRaftVoter,
// RemoveRaftVoter, UpdateRaftVoter.
std::span<const wire::ApiKey> quorum_apis();
bool is_quorum_api(wire::ApiKey key);

// A request whose version is served (wire::ApiInfo::in_4_3). The body outlives the task.
struct Asked {
  wire::ApiKey key;
  int16_t version;
  int32_t correlation_id;
  Bytes body;  // behind the header
};
// The whole frame of the answer. A Fetch of another topic than __cluster_metadata gets
// INVALID_REQUEST. Errors end the connection: a body that is not that request, and the driver's.
host::Task<Result<Chain>> answer(host::Env& env, Driver& driver, Asked asked);

}  // namespace moldau::raft
