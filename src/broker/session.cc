#include "broker/session.h"

#include <fmt/format.h>

#include "broker/api/handlers.h"

namespace moldau::broker {

using host::Task;

namespace {

constexpr size_t kLeastHeader = 8;   // key, version, correlation id

const Served* find_served(wire::ApiKey key) {
  for (const Served& api : served_apis())
    if (api.key == key) return &api;
  return nullptr;
}

}  // namespace

Task<Result<net::Outgoing>> Session::handle(net::Frame frame) {
  if (frame.bytes.size() < kLeastHeader)
    co_return fail(Errc::truncated, fmt::format("a request of {} bytes has no header", frame.bytes.size()));
  int16_t key = load_be<int16_t>(frame.bytes.data());
  int16_t version = load_be<int16_t>(frame.bytes.data() + 2);
  const wire::ApiInfo* api = wire::find_api(key);
  const Served* served = api ? find_served(api->key) : nullptr;
  if (!served) co_return fail(Errc::unsupported, fmt::format("API key {} is not served", key));
  auto request = std::make_unique<Request>(std::move(frame), *api);
  request->version = version;
  if (version < served->min_served || version > served->max) {
    request->correlation_id = load_be<int32_t>(request->frame.bytes.data() + 4);
    if (api->key == wire::ApiKey::api_versions) co_return api_versions_unsupported(*request);
    co_return fail(Errc::unsupported, fmt::format("{} version {} is not served ({} to {} are)", api->name, version,
                                                  served->min_served, served->max));
  }
  TRY_CO(header, wire::decode_request_header(request->body, api->request_header(version)));
  request->correlation_id = header.correlation_id;
  request->client_id = header.client_id.value_or("");
  co_return co_await served->handle(node_, std::move(request));
}

}  // namespace moldau::broker
