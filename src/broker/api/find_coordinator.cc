// FindCoordinator: COORDINATOR_NOT_AVAILABLE until there are coordinators. It is advertised all the
// same, because librdkafka takes a broker without it for one that cannot store lz4 and sends such
// batches uncompressed.
#include "wire/messages/find_coordinator.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"

namespace moldau::broker {

using wire::FindCoordinatorResponse;

namespace {
constexpr int16_t kNotAvailable = code(wire::ErrorCode::coordinator_not_available);
}

Answer find_coordinator(Node&, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::FindCoordinatorRequest>(request->body, request->version,
                                                          request->arena));
  FindCoordinatorResponse answer{.error_code = kNotAvailable, .node_id = -1, .port = -1};
  auto coordinators =
      request->arena.array<FindCoordinatorResponse::Coordinator>(body.coordinator_keys.size());
  for (size_t i = 0; i < coordinators.size(); i++)
    coordinators[i] = {
        .key = body.coordinator_keys[i], .node_id = -1, .port = -1, .error_code = kNotAvailable};
  answer.coordinators = coordinators;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
