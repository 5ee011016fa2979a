#include "broker/session.h"

#include <fmt/format.h>

#include "broker/api/handlers.h"

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
  co_return co_await served->handle(node_, std::move(request));
}

}  // namespace moldau::broker
