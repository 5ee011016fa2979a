// UpdateFeatures: the levels of features, all of a request or none (KIP-584, KIP-778).
#include <fmt/format.h>

#include <set>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/kraft.h"
#include "broker/node.h"
#include "wire/messages/update_features.h"

namespace moldau::broker {

using metadata::FeatureUpdate;
using wire::ErrorCode;
using wire::UpdateFeaturesResponse;

namespace {

FeatureUpdate::Kind kind_of(const wire::UpdateFeaturesRequest::FeatureUpdateKey& one,
                            int16_t version) {
  using Kind = FeatureUpdate::Kind;
  if (version == 0) return one.allow_downgrade ? Kind::safe_downgrade : Kind::upgrade;
  bool known = one.upgrade_type >= 1 && one.upgrade_type <= 3;
  return known ? static_cast<Kind>(one.upgrade_type) : Kind::unknown;
}

// Each feature is answered for by itself up to version 1; later only the whole.
net::Outgoing outcome(Request& request, const wire::UpdateFeaturesRequest& body,
                      const metadata::Verdict& verdict) {
  UpdateFeaturesResponse answer;
  std::string_view text = request.arena.copy(verdict.text);
  bool each = request.version < 2;
  auto results = request.arena.array<UpdateFeaturesResponse::UpdatableFeatureResult>(
      body.feature_updates.size());
  for (size_t i = 0; i < results.size(); i++) {
    results[i].feature = body.feature_updates[i].feature;
    results[i].error_code = code(verdict.error);
    if (!verdict.good()) results[i].error_message = text;
  }
  if (each && verdict.error != ErrorCode::invalid_request) {
    answer.results = results;
    return reply(request, answer);
  }
  answer.error_code = code(verdict.error);
  if (!verdict.good()) answer.error_message = text;
  return reply(request, answer);
}

}  // namespace

Answer update_features(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::UpdateFeaturesRequest>(request->body, request->version,
                                                         request->arena));
  metadata::UpdateFeatures wanted{.validate_only = body.validate_only};
  std::set<std::string_view> names;
  metadata::Verdict verdict;
  for (const auto& one : body.feature_updates) {
    if (!names.insert(one.feature).second)
      verdict = {ErrorCode::invalid_request, "Provided feature update is a duplicate."};
    wanted.updates.push_back(
        {std::string(one.feature), one.max_version_level, kind_of(one, request->version)});
  }
  if (verdict.good()) {
    auto done = co_await node.kraft.metadata().ask(std::move(wanted));
    if (done)
      verdict = std::move(*done);
    else
      verdict = {to_kafka(done.error()), std::string(done.error().text())};
  }
  co_return outcome(*request, body, verdict);
}

}  // namespace moldau::broker
