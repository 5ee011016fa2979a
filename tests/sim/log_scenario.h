// Logs of src/log alone, in the simulated world: appended to, read, rolled, closed and reopened
// while the disk and the machine fail.
#pragma once
#include "sim/scenario.h"

namespace moldau::logsim {

// flush=ack: what was committed is there for ever.
sim::ScenarioEntry log_ack();
// flush=async: a power loss or a failed sync may take what was not synced.
sim::ScenarioEntry log_async();
sim::ScenarioEntry log_follower();
// Bits flip: whatever is served with a checksum that holds is what was written.
sim::ScenarioEntry log_damage();
// Compaction while it is appended to (log_clean.cc).
sim::ScenarioEntry log_clean();
// A short story, stopped at every disk operation (log_each.cc).
sim::ScenarioEntry log_each();

}  // namespace moldau::logsim
