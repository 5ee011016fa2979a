// The page of metrics: names as the usual rules for Kafka's exporters give them, and those of
// kafka_exporter, so that dashboards made for a Kafka show ours.
#pragma once
#include <string>

#include "host/task.h"

namespace moldau::broker {

struct Node;

// In Prometheus' text format. Grows with partitions and with what groups have committed.
host::Task<std::string> metrics_page(Node& node);

}  // namespace moldau::broker
