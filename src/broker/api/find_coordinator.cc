// FindCoordinator: who coordinates a group: this broker. The first request makes
// __consumer_offsets; Kafka answers it with COORDINATOR_NOT_AVAILABLE and lets the client ask
// again. Transactional ids and share groups have no coordinator yet.
#include "wire/messages/find_coordinator.h"

#include <fmt/format.h>

#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"

namespace moldau::broker {

using wire::ErrorCode;
using wire::FindCoordinatorResponse;

namespace {

constexpr int8_t kGroup = 0, kTransaction = 1, kShare = 2;
constexpr int16_t kFirstWithShare = 6, kFirstWithSeveral = 4;

// Kafka's sentences. Without an error the old versions say NONE, the new ones nothing.
std::string_view message(ErrorCode error, int16_t version) {
  if (error == ErrorCode::invalid_request)
    return "This most likely occurs because of a request being malformed by the client library or "
           "the message was sent to an incompatible broker. See the broker logs for more details.";
  if (error == ErrorCode::coordinator_not_available) return "The coordinator is not available.";
  return version < kFirstWithSeveral ? "NONE" : "";
}

struct Where {
  ErrorCode error = ErrorCode::none;
  int32_t node = -1;
  std::string host;
  int32_t port = -1;
};

host::Task<Where> coordinator_of(Node& node, int8_t type, int16_t version) {
  Where out;
  bool known =
      type == kGroup || type == kTransaction || (type == kShare && version >= kFirstWithShare);
  if (!known) out.error = ErrorCode::invalid_request;
  if (known && type != kGroup) out.error = ErrorCode::coordinator_not_available;
  if (out.error != ErrorCode::none) co_return out;
  Result<void> there = co_await node.need_offsets_topic();
  if (!there) {
    out.error = ErrorCode::coordinator_not_available;
    co_return out;
  }
  out.node = node.config.node_id.value;
  out.host = node.advertised_host();
  out.port = node.address.port;
  co_return out;
}

}  // namespace

Answer find_coordinator(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::FindCoordinatorRequest>(request->body, request->version,
                                                          request->arena));
  Where where = co_await coordinator_of(node, body.key_type, request->version);
  std::string_view text = message(where.error, request->version);
  FindCoordinatorResponse answer{.error_code = code(where.error),
                                 .error_message = text,
                                 .node_id = where.node,
                                 .host = where.host,
                                 .port = where.port};
  auto coordinators =
      request->arena.array<FindCoordinatorResponse::Coordinator>(body.coordinator_keys.size());
  for (size_t i = 0; i < coordinators.size(); i++)
    coordinators[i] = {.key = body.coordinator_keys[i],
                       .node_id = where.node,
                       .host = where.host,
                       .port = where.port,
                       .error_code = code(where.error),
                       .error_message = text};
  answer.coordinators = coordinators;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
