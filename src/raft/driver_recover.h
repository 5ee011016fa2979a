// What a replica finds on its disk when it starts: the log, the snapshots beside it, quorum-state.
// Used by the driver.
#pragma once
#include "host/env.h"
#include "log/log.h"
#include "raft/core.h"

namespace moldau::raft {

// Puts right what a crash left half done: a snapshot that was received whole takes the place of a
// log that is behind it, parts of others go. configured: the voters if neither log nor snapshot
// says them. Errors: as Driver::open.
host::Task<Result<Recovered>> recover(host::Env& env, log::Log& log, VoterHistory configured);

// The voters that a snapshot says; `otherwise` if it says none. Errors: corrupt, truncated (it is
// no whole snapshot).
Result<VoterHistory> voters_of_snapshot(std::string_view content, const VoterHistory& otherwise);

std::string snapshot_path(const log::Log& log, OffsetAndEpoch id);
std::string state_path(const log::Log& log);
constexpr size_t kMaxSnapshot = size_t{1} << 30;

host::Task<Result<std::vector<uint8_t>>> read_batches(host::Env& env, log::Log& log,
                                                      log::ReadRequest request);

}  // namespace moldau::raft
