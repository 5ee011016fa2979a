#include "broker/client_telemetry.h"

#include "base/bytes.h"
#include "base/crc32c.h"

namespace moldau::broker {

using wire::ErrorCode;

namespace {
constexpr int8_t kLastCodec = 4;  // zstd
// Kafka's own numbers among ids: nobody's.
bool is_reserved(const Uuid& id) {
  for (size_t i = 0; i + 1 < id.bytes.size(); i++)
    if (id.bytes[i] != 0) return false;
  return id.bytes.back() <= 1;
}
}  // namespace

int32_t ClientTelemetry::subscription_of(const Uuid& client) {
  constexpr std::string_view kNoMetrics = "[]300000";  // none, so often
  uint64_t folded =
      load_be<uint64_t>(client.bytes.data()) ^ load_be<uint64_t>(client.bytes.data() + 8);
  uint32_t of_client = static_cast<uint32_t>(folded >> 32) ^ static_cast<uint32_t>(folded);
  return static_cast<int32_t>(crc32c(as_bytes(kNoMetrics)) ^ of_client);
}

ClientTelemetry::Client& ClientTelemetry::find(const Uuid& id) {
  auto found = clients_.find(id);
  if (found != clients_.end()) {
    order_.splice(order_.end(), order_, found->second.place);
    return found->second;
  }
  if (clients_.size() == kMaxClients) {
    clients_.erase(order_.front());
    order_.pop_front();
  }
  Client& client = clients_[id];
  client.place = order_.insert(order_.end(), id);
  return client;
}

ErrorCode ClientTelemetry::subscribe(const Uuid& client, Instant now) {
  Client& known = find(client);
  std::optional<Instant> last = std::max(known.subscribed, known.pushed);
  bool due = !last || now - *last >= kPushInterval;
  // Who has the wrong subscription, or cannot compress as we like it, may ask again at once.
  bool sent_here = known.last == ErrorCode::unknown_subscription_id ||
                   known.last == ErrorCode::unsupported_compression_type;
  if (due) known.subscribed = now;
  known.last = due || sent_here ? ErrorCode::none : ErrorCode::throttling_quota_exceeded;
  return known.last;
}

ErrorCode ClientTelemetry::judge(Client& client, const Uuid& id, const Push& push,
                                 Instant now) const {
  if (client.terminated) return ErrorCode::invalid_request;
  bool first = client.subscribed > client.pushed;  // since it asked
  bool due = first || !client.pushed || now - *client.pushed >= kPushInterval;
  if (due) client.pushed = now;
  if (!due && !push.terminating) return ErrorCode::throttling_quota_exceeded;
  if (push.subscription != subscription_of(id)) return ErrorCode::unknown_subscription_id;
  if (push.compression < 0 || push.compression > kLastCodec)
    return ErrorCode::unsupported_compression_type;
  if (push.bytes > max_bytes_) return ErrorCode::telemetry_too_large;
  client.terminated = push.terminating;
  return ErrorCode::none;
}

ErrorCode ClientTelemetry::push(const Uuid& client, const Push& push, Instant now) {
  if (is_reserved(client)) return ErrorCode::invalid_request;
  Client& known = find(client);
  known.last = judge(known, client, push, now);
  return known.last;
}

}  // namespace moldau::broker
