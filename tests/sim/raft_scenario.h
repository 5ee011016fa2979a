// A quorum of the metadata log in the simulated world: three or five drivers of src/raft with their
// listeners, connections and disks, and an observer.
#pragma once
#include "sim/scenario.h"

namespace moldau::raftsim {

sim::ScenarioEntry raft_quorum();

}  // namespace moldau::raftsim
