// One connection's requests: reads the header, finds the handler, answers what we do not serve as
// Kafka does.
#pragma once
#include "broker/request.h"
#include "host/address.h"
#include "net/server_connection.h"

namespace moldau::broker {

struct Node;

class Session : public net::RequestHandler {
 public:
  Session(Node& node, const host::Address& peer);
  // Errors (they end the connection): an unknown API, a version that is not served, a body that is
  // not that request.
  host::Task<Result<net::Outgoing>> handle(net::Frame frame) override;

 private:
  Node& node_;
  const std::string client_host_;
};

}  // namespace moldau::broker
