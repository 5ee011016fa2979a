// InitProducerId: an id for an idempotent producer, never given twice. Transactions come with their
// coordinator; until then a transactional id gets COORDINATOR_NOT_AVAILABLE. Version 6 (two-phase
// commit) is unstable in 4.3.1.
#include "wire/messages/init_producer_id.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/node.h"

namespace moldau::broker {

namespace {

net::Outgoing failure(const Request& request, wire::ErrorCode error) {
  return reply(request, wire::InitProducerIdResponse{
                            .error_code = code(error), .producer_id = -1, .producer_epoch = -1});
}

}  // namespace

Answer init_producer_id(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::InitProducerIdRequest>(request->body, request->version,
                                                         request->arena));
  bool has_id = body.producer_id >= 0;
  bool has_epoch = body.producer_epoch >= 0;
  bool malformed = body.producer_id < -1 || has_id != has_epoch;
  if (malformed || body.transactional_id == std::string_view())
    co_return failure(*request, wire::ErrorCode::invalid_request);
  if (body.transactional_id)
    co_return failure(*request, wire::ErrorCode::coordinator_not_available);
  Result<ProducerId> id = co_await node.catalog.next_producer_id();
  if (!id) co_return failure(*request, to_kafka(id.error()));
  wire::InitProducerIdResponse answer{.producer_id = id->value, .producer_epoch = 0};
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
