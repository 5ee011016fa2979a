#include "broker/session.h"

#include <fmt/format.h>

#include "broker/api/handlers.h"
#include "broker/node.h"
#include "broker/services.h"
#include "host/loop.h"

namespace moldau::broker {

using host::Task;

namespace {

const Served* find_served(wire::ApiKey key) {
  for (const Served& api : served_apis())
    if (api.key == key) return &api;
  return nullptr;
}

// As Java prints an address, which is how tools show where a member of a group lives: a slash, and
// all eight numbers of an IPv6 address.
std::string spelled(const host::IpAddress& ip) {
  if (!ip.v6) return "/" + ip.to_string();
  std::string out;
  for (size_t i = 0; i < ip.bytes.size(); i += 2)
    fmt::format_to(std::back_inserter(out), "{}{:x}", i == 0 ? '/' : ':',
                   load_be<uint16_t>(ip.bytes.data() + i));
  return out;
}

// How long a request takes, for the metrics.
class Stopwatch {
 public:
  Stopwatch(Node& node, wire::ApiKey key, size_t bytes_in)
      : node_(node), key_(key), bytes_in_(bytes_in), began_(node.env.loop.now()) {}
  void stop(size_t bytes_out, bool closed) const {
    Metrics::Handled handled{.key = key_,
                             .took = node_.env.loop.now() - began_,
                             .bytes_in = bytes_in_,
                             .bytes_out = bytes_out,
                             .closed = closed};
    node_.services.metrics.enter([&](Metrics& metrics) { metrics.handled(handled); });
  }

 private:
  Node& node_;
  const wire::ApiKey key_;
  const size_t bytes_in_;
  const Instant began_;
};

// A reply that waits, with the watch running until it is there.
class Timed final : public net::Later {
 public:
  Timed(const Stopwatch& watch, std::unique_ptr<net::Later> inner)
      : watch_(watch), inner_(std::move(inner)) {}
  bool ready() const override { return inner_->ready(); }
  Task<net::Outgoing> finish() override {
    net::Outgoing out = co_await inner_->finish();
    watch_.stop(out.chain.size(), out.close);
    co_return out;
  }

 private:
  const Stopwatch watch_;
  std::unique_ptr<net::Later> inner_;
};

}  // namespace

Session::Session(Node& node, const host::Address& peer)
    : node_(node), client_host_(spelled(peer.ip)) {}

Task<Result<net::Outgoing>> Session::handle(net::Frame frame) {
  auto request = std::make_unique<Request>(std::move(frame));
  TRY_CO(start, wire::decode_request_start(request->frame.bytes, request->arena));
  int16_t version = start.header.request_api_version;
  request->version = version;
  request->correlation_id = start.header.correlation_id;
  request->client_id = start.header.client_id.value_or("");
  request->client_host = client_host_;
  request->body = start.body;
  const Served* served = find_served(start.api->key);
  if (!served) co_return fail(Errc::unsupported, fmt::format("{} is not served", start.api->name));
  if (version < served->min_served || version > served->max) {
    if (served->key == wire::ApiKey::api_versions) co_return api_versions_unsupported(*request);
    co_return fail(Errc::unsupported,
                   fmt::format("{} version {} is not served ({} to {} are)", start.api->name,
                               version, served->min_served, served->max));
  }
  Stopwatch watch(node_, served->key, request->frame.bytes.size());
  Result<net::Outgoing> out = co_await served->handle(node_, std::move(request));
  if (out && out->later)
    out->later = std::make_unique<Timed>(watch, std::move(out->later));
  else
    watch.stop(out ? out->chain.size() : 0, !out);
  co_return out;
}

}  // namespace moldau::broker
