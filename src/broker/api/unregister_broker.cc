// UnregisterBroker: removes a broker that is gone for good from the cluster.
#include "wire/messages/unregister_broker.h"
#include "broker/api/handlers.h"
#include "broker/errors.h"
#include "broker/kraft.h"
#include "broker/node.h"

namespace moldau::broker {

Answer unregister_broker(Node& node, RequestPtr request) {
  TRY_CO(body, wire::decode<wire::UnregisterBrokerRequest>(request->body, request->version,
                                                           request->arena));
  metadata::UnregisterBroker wanted{BrokerId(body.broker_id)};
  auto done = co_await node.kraft.metadata().ask(wanted);
  metadata::Verdict verdict;
  if (done)
    verdict = std::move(*done);
  else
    verdict = {to_kafka(done.error()), std::string(done.error().text())};
  wire::UnregisterBrokerResponse answer{.error_code = code(verdict.error)};
  if (!verdict.good()) answer.error_message = verdict.text;
  co_return reply(*request, answer);
}

}  // namespace moldau::broker
