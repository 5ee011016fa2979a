// The broker in the simulated world: producers that remember what was acknowledged, consumers that
// compare.
#pragma once
#include "sim/scenario.h"

namespace moldau::kafka {

// flush=ack: nothing that breaks, power included, loses what was acknowledged.
sim::ScenarioEntry broker();
// flush=async, Kafka's way: nothing but a power loss does.
sim::ScenarioEntry broker_async();

}  // namespace moldau::kafka
