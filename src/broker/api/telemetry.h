// The APIs of client metrics (KIP-714). They are answered and not advertised, as Apache Kafka does
// without a plugin that takes metrics: clients push nothing that nobody wants.
#pragma once
#include "broker/request.h"

namespace moldau::broker {

struct Node;

Answer get_telemetry_subscriptions(Node& node, RequestPtr request);
Answer push_telemetry(Node& node, RequestPtr request);

}  // namespace moldau::broker
