// What a replica must not forget: its epoch, whom it voted for in it, and who leads it. The file
// quorum-state beside the metadata log, in Kafka's JSON (docs/formats/quorum-state.md). Pure.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "raft/types.h"

namespace moldau::raft {

struct QuorumState {
  LeaderEpoch epoch;
  BrokerId leader{-1};  // -1: not known, or none yet
  ReplicaKey voted;     // id -1: for nobody in this epoch
  // data_version 0 only; Kafka writes them and does not use them.
  std::vector<BrokerId> voters;
  bool operator==(const QuorumState&) const = default;
};

constexpr int16_t kQuorumStateVersions = 2;  // 0: kraft.version 0; 1: kraft.version 1

// version: 0 or 1.
std::string encode_quorum_state(const QuorumState& state, int16_t version);
// Errors: corrupt (not such a file), unsupported (another data_version).
Result<QuorumState> decode_quorum_state(std::string_view text);

}  // namespace moldau::raft
