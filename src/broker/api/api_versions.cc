// ApiVersions: what we serve, which levels of features we can run, and which the cluster has agreed
// on.
#include <algorithm>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/kraft.h"
#include "broker/node.h"
#include "metadata/features.h"
#include "wire/messages/api_versions.h"

namespace moldau::broker {

using wire::ApiVersionsRequest;
using wire::ApiVersionsResponse;
using Supported = ApiVersionsResponse::SupportedFeatureKey;
using Finalized = ApiVersionsResponse::FinalizedFeatureKey;

namespace {

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Letters, digits, '-' and '.', and a letter or digit at both ends (KIP-511).
bool valid_software(std::string_view text) {
  if (text.empty() || !letter_or_digit(text.front()) || !letter_or_digit(text.back())) return false;
  return std::ranges::all_of(text,
                             [](char c) { return letter_or_digit(c) || c == '-' || c == '.'; });
}

ApiVersionsResponse failure(wire::ErrorCode error) { return {.error_code = code(error)}; }

// Clients before version 4 take a minimum of 0 for a mistake (KAFKA-17011): such a feature is left
// out.
std::span<Supported> supported(Request& request) {
  const auto& all = metadata::supported_features();
  auto out = request.arena.array<Supported>(all.size());
  size_t count = 0;
  for (const auto& [name, levels] : all)
    if (request.version >= 4 || levels.min > 0)
      out[count++] = {.name = name, .min_version = levels.min, .max_version = levels.max};
  return out.first(count);
}

// kraft.version stands in control records, not among the others; 0 is none.
std::span<Finalized> finalized(Request& request, const metadata::Image& image, int16_t kraft) {
  auto out = request.arena.array<Finalized>(image.features->size() + 1);
  size_t count = 0;
  for (const auto& [name, level] : *image.features)
    out[count++] = {
        .name = request.arena.copy(name), .max_version_level = level, .min_version_level = level};
  if (kraft > 0)
    out[count++] = {
        .name = "kraft.version", .max_version_level = kraft, .min_version_level = kraft};
  return out.first(count);
}

}  // namespace

Answer api_versions(Node& node, RequestPtr request) {
  TRY_CO(body,
         wire::decode<wire::ApiVersionsRequest>(request->body, request->version, request->arena));
  if (request->version >= 3 &&
      !(valid_software(body.client_software_name) && valid_software(body.client_software_version)))
    co_return reply(*request, failure(wire::ErrorCode::invalid_request));
  std::span<const Served> served = served_apis();
  std::span<ApiVersionsResponse::ApiVersion> keys =
      request->arena.array<ApiVersionsResponse::ApiVersion>(served.size());
  size_t count = 0;
  for (const Served& one : served) {
    if (one.hidden) continue;
    keys[count++] = {.api_key = static_cast<int16_t>(one.key),
                     .min_version = one.min_advertised,
                     .max_version = one.max};
  }
  ApiVersionsResponse answer{.api_keys = keys.first(count)};
  std::shared_ptr<const metadata::Image> image = node.kraft.metadata().image();
  int16_t kraft = node.kraft.raft().core().voters().kraft_version();
  answer.supported_features = supported(*request);
  answer.finalized_features = finalized(*request, *image, kraft);
  answer.finalized_features_epoch = image->at.next.value - 1;
  co_return reply(*request, answer);
}

net::Outgoing api_versions_unsupported(Request& request) {
  ApiVersionsResponse::ApiVersion own{.api_key = static_cast<int16_t>(wire::ApiKey::api_versions),
                                      .min_version = 0,
                                      .max_version = 4};
  ApiVersionsResponse answer = failure(wire::ErrorCode::unsupported_version);
  answer.api_keys = std::span(&own, 1);
  request.version = 0;
  return reply(request, answer);
}

}  // namespace moldau::broker
