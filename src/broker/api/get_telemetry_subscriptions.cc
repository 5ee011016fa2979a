// GetTelemetrySubscriptions: nothing is subscribed to; a client that has no id yet gets one.
#include <array>

#include "broker/api/telemetry.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "broker/services.h"
#include "host/entropy.h"
#include "host/loop.h"
#include "wire/messages/get_telemetry_subscriptions.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::GetTelemetrySubscriptionsRequest;
using wire::GetTelemetrySubscriptionsResponse;

namespace {
constexpr std::array<int8_t, 4> kCodecs = {4, 3, 1, 2};  // the best one first
}

Answer get_telemetry_subscriptions(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<GetTelemetrySubscriptionsRequest>(request->body, request->version,
                                                              request->arena));
  Uuid client = body.client_instance_id;
  if (client.is_zero()) client = node.env.entropy.uuid();
  Instant now = node.env.loop.now();
  GetTelemetrySubscriptionsResponse answer;
  node.services.telemetry.enter([&](ClientTelemetry& all) {
    answer.error_code = code(all.subscribe(client, now));
    answer.telemetry_max_bytes = static_cast<int32_t>(all.max_bytes());
  });
  if (answer.error_code != code(ErrorCode::none))
    co_return reply(*request, GetTelemetrySubscriptionsResponse{.error_code = answer.error_code});
  answer.client_instance_id = client;
  answer.subscription_id = ClientTelemetry::subscription_of(client);
  std::span<int8_t> codecs = request->arena.array<int8_t>(kCodecs.size());
  std::ranges::copy(kCodecs, codecs.begin());
  answer.accepted_compression_types = codecs;
  answer.push_interval_ms = static_cast<int32_t>(ClientTelemetry::kPushInterval.nanos / 1'000'000);
  answer.delta_temporality = true;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
