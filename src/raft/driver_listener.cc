#include "raft/driver_listener.h"

#include <algorithm>

#include "host/logging.h"
#include "host/loop.h"
#include "host/network.h"
#include "raft/describe.h"
#include "wire/messages/api_versions.h"

namespace moldau::raft {

using host::Task;
using wire::ApiVersionsResponse;

namespace {

constexpr Duration kRetryAccept = milliseconds(20);  // when the process is out of descriptors
constexpr int16_t kUnsupportedVersion = 35;

// One connection's requests, one after the other.
class Session final : public net::RequestHandler {
 public:
  Session(host::Env& env, Driver& driver, ControllerApis& apis)
      : env_(env), driver_(driver), apis_(apis) {}

  Task<Result<net::Outgoing>> handle(net::Frame frame) override;

 private:
  net::Outgoing versions(int16_t version, int32_t correlation_id) const;
  Result<net::Outgoing> cluster(const Asked& asked) const;
  // In order of their keys.
  std::vector<wire::ApiKey> served() const {
    std::vector<wire::ApiKey> keys(quorum_apis().begin(), quorum_apis().end());
    keys.insert(keys.end(), apis_.apis().begin(), apis_.apis().end());
    keys.insert(keys.end(), {wire::ApiKey::api_versions, wire::ApiKey::describe_cluster});
    std::ranges::sort(keys);
    keys.erase(std::ranges::unique(keys).begin(), keys.end());
    return keys;
  }

  host::Env& env_;
  Driver& driver_;
  ControllerApis& apis_;
};

template <class M>
net::Outgoing framed(const M& body, int16_t version, int32_t correlation_id) {
  net::Outgoing out;
  wire::encode_response(body, version, correlation_id, out.chain);
  return out;
}

ApiVersionsResponse::ApiVersion range_of(wire::ApiKey key) {
  const wire::ApiInfo* api = wire::find_api(static_cast<int16_t>(key));
  return {.api_key = static_cast<int16_t>(key),
          .min_version = api->in_4_3.min,
          .max_version = api->in_4_3.max};
}

net::Outgoing Session::versions(int16_t version, int32_t correlation_id) const {
  std::vector<ApiVersionsResponse::ApiVersion> ranges;
  for (wire::ApiKey key : served()) ranges.push_back(range_of(key));
  Features features = apis_.features();
  std::vector<ApiVersionsResponse::SupportedFeatureKey> supported;
  for (const FeatureRange& f : features.supported)
    // Before version 4 nobody understands a range that begins at 0.
    if (version >= 4 || f.min > 0)
      supported.push_back({.name = f.name, .min_version = f.min, .max_version = f.max});
  std::vector<ApiVersionsResponse::FinalizedFeatureKey> finalized;
  for (const FeatureRange& f : features.finalized)
    finalized.push_back({.name = f.name, .max_version_level = f.max, .min_version_level = f.min});
  ApiVersionsResponse body;
  body.api_keys = std::span(ranges);
  body.supported_features = std::span(supported);
  body.finalized_features = std::span(finalized);
  body.finalized_features_epoch = features.epoch;
  return framed(body, version, correlation_id);
}

Result<net::Outgoing> Session::cluster(const Asked& asked) const {
  Arena arena;
  TRY(request, wire::decode<wire::DescribeClusterRequest>(asked.body, asked.version, arena));
  return framed(describe_controllers(driver_.core(), request, arena), asked.version,
                asked.correlation_id);
}

Task<Result<net::Outgoing>> Session::handle(net::Frame frame) {
  Arena arena;
  TRY_CO(start, wire::decode_request_start(frame.bytes, arena));
  wire::ApiKey key = start.api->key;
  int16_t version = start.header.request_api_version;
  int32_t id = start.header.correlation_id;
  if (!std::ranges::binary_search(served(), key))
    co_return fail(Errc::unsupported, fmt::format("{} is not served here", start.api->name));
  const wire::VersionRange& range = start.api->in_4_3;
  bool known = version >= range.min && version <= range.max;
  if (key == wire::ApiKey::api_versions) {
    if (known) co_return versions(version, id);
    ApiVersionsResponse::ApiVersion own = range_of(key);
    ApiVersionsResponse body{.error_code = kUnsupportedVersion, .api_keys = std::span(&own, 1)};
    co_return framed(body, 0, id);
  }
  if (!known)
    co_return fail(Errc::unsupported, fmt::format("{} version {} is not served ({} to {} are)",
                                                  start.api->name, version, range.min, range.max));
  Asked asked{key, version, id, start.body};
  if (std::ranges::count(apis_.apis(), key) > 0)
    co_return co_await apis_.handle(std::move(frame), std::move(start));
  if (key == wire::ApiKey::describe_cluster) co_return cluster(asked);
  CO_TRY(chain, answer(env_, driver_, asked));
  net::Outgoing out;
  out.chain = std::move(chain);
  co_return out;
}

}  // namespace

Task<Result<net::Outgoing>> ControllerApis::handle(net::Frame, wire::RequestStart start) {
  co_return fail(Errc::unsupported, fmt::format("{} is not served here", start.api->name));
}

Listener::Listener(host::Env& env, std::unique_ptr<host::Listener> listener, Driver& driver,
                   ControllerApis& apis, const host::Logger* logger)
    : env_(env),
      listener_(std::move(listener)),
      driver_(driver),
      apis_(apis),
      logger_(logger),
      tasks_(env.loop, "controller connections") {}
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(host::Env& env, const host::Address& at,
                                                 Driver& driver, ControllerApis& apis,
                                                 const host::Logger* logger) {
  TRY(listening, env.network.listen(at));
  std::unique_ptr<Listener> out(new Listener(env, std::move(listening), driver, apis, logger));
  out->tasks_.spawn(out->accept());
  return out;
}

host::Address Listener::address() const { return listener_->local(); }

Task<void> Listener::accept() {
  while (!stopping_) {
    Result<std::unique_ptr<host::Stream>> stream = co_await listener_->accept();
    if (stream) {
      tasks_.spawn(serve(std::move(*stream)));
      continue;
    }
    if (stream.error().code() == Errc::cancelled) co_return;
    if (logger_) MOLDAU_LOG_WARN(*logger_, "accept: {}", stream.error().to_string());
    co_await env_.loop.sleep(kRetryAccept);
  }
}

Task<void> Listener::serve(std::unique_ptr<host::Stream> stream) {
  if (stopping_) co_return;
  net::ConnectionLimits limits;
  net::ServerConnection connection(env_, pool_, std::move(stream), limits);
  host::Address peer = connection.peer();
  uint64_t number = next_connection_++;
  live_[number] = &connection;
  Session session(env_, driver_, apis_);
  Result<void> end = co_await connection.serve(session);
  live_.erase(number);
  bool usual = end || end.error().code() == Errc::reset || end.error().code() == Errc::closed ||
               end.error().code() == Errc::cancelled;
  if (!usual && !stopping_ && logger_)
    MOLDAU_LOG_WARN(*logger_, "closed the connection from {}: {}", peer.to_string(),
                    end.error().to_string());
}

Task<void> Listener::stop() {
  stopping_ = true;
  listener_->close();
  for (auto& [number, connection] : live_) connection->close();
  co_await tasks_.drained();
}

}  // namespace moldau::raft
