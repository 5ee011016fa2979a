// Which clients have asked what metrics they should push (KIP-714), and whether what they send now
// is in its time. Nobody here takes metrics yet, as with an Apache Kafka without a plugin for them:
// the subscription is empty, and what is pushed all the same is looked at and dropped. Pure; sits
// in a host::Monitor of Services.
#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "wire/error_code.h"

namespace moldau::broker {

class ClientTelemetry {
 public:
  static constexpr Duration kPushInterval = seconds(300);
  static constexpr size_t kMaxClients =
      16'384;  // then those not heard of for longest are forgotten

  explicit ClientTelemetry(size_t max_bytes) : max_bytes_(max_bytes) {}

  // A client asks for its subscription. Errors: throttling_quota_exceeded (too early).
  wire::ErrorCode subscribe(const Uuid& client, Instant now);
  // A client sends metrics. Errors: invalid_request (no id, or it had sent its last),
  // throttling_quota_exceeded, unknown_subscription_id, unsupported_compression_type,
  // telemetry_too_large.
  struct Push {
    int32_t subscription = 0;
    bool terminating = false;
    int8_t compression = 0;
    size_t bytes = 0;
  };
  wire::ErrorCode push(const Uuid& client, const Push& push, Instant now);

  // The id of the subscription of a client; Kafka's, for one without metrics.
  static int32_t subscription_of(const Uuid& client);
  size_t max_bytes() const { return max_bytes_; }
  size_t size() const { return clients_.size(); }

 private:
  struct Client {
    std::optional<Instant> subscribed;  // the last time that it might
    std::optional<Instant> pushed;
    bool terminated = false;
    wire::ErrorCode last = wire::ErrorCode::none;  // what it was told last
    std::list<Uuid>::iterator place;
  };
  Client& find(const Uuid& id);
  wire::ErrorCode judge(Client& client, const Uuid& id, const Push& push, Instant now) const;
  const size_t max_bytes_;
  std::map<Uuid, Client> clients_;
  std::list<Uuid> order_;  // the one heard of last is at the end
};

}  // namespace moldau::broker
