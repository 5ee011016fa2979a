// The scenario of the toy log: one server that crashes, writers that remember what was
// acknowledged, a reader that compares.
#pragma once
#include "sim/scenario.h"

namespace moldau::toy {

sim::ScenarioEntry toy_log();

}  // namespace moldau::toy
