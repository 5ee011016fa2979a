// PushTelemetry: a client's metrics, which nobody takes yet. Told is whether they came in time and
// can be unpacked.
#include <array>

#include "broker/api/telemetry.h"
#include "broker/errors.h"
#include "broker/node.h"
#include "broker/services.h"
#include "host/loop.h"
#include "wire/inflate.h"
#include "wire/messages/push_telemetry.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::PushTelemetryRequest;
using wire::PushTelemetryResponse;

namespace {

constexpr int8_t kMagic = 2;  // lz4 and snappy as in batches of this format

// In pieces that are thrown away: what it would unpack to needs no room.
bool can_be_unpacked(int8_t codec, Bytes metrics) {
  if (metrics.empty()) return true;
  wire::InflateLimits limits{.ratio = 32, .least = size_t{4} << 20};  // the loop has others, too
  wire::Inflater inflater(limits);
  if (!inflater.begin(static_cast<wire::Codec>(codec), kMagic, metrics)) return false;
  std::array<uint8_t, 4096> piece;
  for (;;) {
    Result<size_t> got = inflater.read(piece);
    if (!got || *got == 0) return got.has_value();
  }
}

}  // namespace

Answer push_telemetry(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<PushTelemetryRequest>(request->body, request->version, request->arena));
  ClientTelemetry::Push push{.subscription = body.subscription_id,
                             .terminating = body.terminating,
                             .compression = body.compression_type,
                             .bytes = body.metrics.size()};
  Instant now = node.env.loop.now();
  ErrorCode error = node.services.telemetry.enter(
      [&](ClientTelemetry& all) { return all.push(body.client_instance_id, push, now); });
  if (error == ErrorCode::none && !can_be_unpacked(body.compression_type, body.metrics))
    error = ErrorCode::invalid_record;
  co_return reply(*request, PushTelemetryResponse{.error_code = code(error)});
}

}  // namespace moldau::broker
