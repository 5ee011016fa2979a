// UpdateFeatures: the levels of features, all of a request or none (KIP-584, KIP-778).
#include "wire/messages/update_features.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/kraft.h"
#include "broker/node.h"

namespace moldau::broker {

using metadata::FeatureUpdate;
using wire::UpdateFeaturesResponse;

namespace {

FeatureUpdate::Kind kind_of(const wire::UpdateFeaturesRequest::FeatureUpdateKey& one,
                            int16_t version) {
  using Kind = FeatureUpdate::Kind;
  // Kafka does not look at version 0's allow_downgrade any more.
  if (version == 0) return Kind::upgrade;
  bool known = one.upgrade_type >= 1 && one.upgrade_type <= 3;
  return known ? static_cast<Kind>(one.upgrade_type) : Kind::unknown;
}

// A refusal is one of the whole request. Up to version 1 each feature is answered for by itself
// when all is well.
net::Outgoing outcome(Request& request, const wire::UpdateFeaturesRequest& body,
                      const metadata::Verdict& verdict) {
  UpdateFeaturesResponse answer;
  answer.error_message = std::nullopt;
  if (!verdict.good()) {
    answer.error_code = code(verdict.error);
    answer.error_message = request.arena.copy(
        "The update failed for all features since the following feature had an error: " +
        verdict.text);
    return reply(request, answer);
  }
  auto results = request.arena.array<UpdateFeaturesResponse::UpdatableFeatureResult>(
      body.feature_updates.size());
  for (size_t i = 0; i < results.size(); i++)
    results[i] = {.feature = body.feature_updates[i].feature, .error_message = "NONE"};
  if (request.version < 2) answer.results = results;
  return reply(request, answer);
}

}  // namespace

Answer update_features(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::UpdateFeaturesRequest>(request->body, request->version,
                                                         request->arena));
  metadata::UpdateFeatures wanted{.validate_only = body.validate_only};
  for (const auto& one : body.feature_updates)
    wanted.updates.push_back(
        {std::string(one.feature), one.max_version_level, kind_of(one, request->version)});
  auto done = co_await node.kraft.metadata().ask(std::move(wanted));
  metadata::Verdict verdict;
  if (done)
    verdict = std::move(*done);
  else
    verdict = {to_kafka(done.error()), std::string(done.error().text())};
  co_return outcome(*request, body, verdict);
}

}  // namespace moldau::broker
