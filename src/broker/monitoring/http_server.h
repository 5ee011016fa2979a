// The HTTP port for those who watch the broker: /metrics in Prometheus' text format, /healthz and
// /readyz (200 when clients are served, 503 with the reason when not), /livez. Open from before
// the first log is looked at until after the last one is closed. Few connections, short heads,
// short patience: nobody who knows the port can take the broker's memory.
#pragma once
#include <list>
#include <memory>
#include <string>

#include "host/address.h"
#include "host/env.h"
#include "host/event.h"
#include "host/gate.h"
#include "host/network.h"
#include "host/scope.h"

namespace moldau::broker {

struct Node;
struct HttpRequest;

class HttpServer {
 public:
  static constexpr size_t kMaxConnections = 32;
  static constexpr Duration kPatience = seconds(10);  // for a request, and for each piece of answer

  // Listens. any_port: if that port is taken another one will do. Errors: the network's.
  static Result<std::unique_ptr<HttpServer>> open(host::Env& env, const host::Address& at,
                                                  bool any_port);
  HttpServer(host::Env& env, std::unique_ptr<host::Listener> listener);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  host::Address address() const { return listener_->local(); }
  // Clients are served; the node is there for /metrics until not_ready says otherwise.
  void ready(Node& node);
  // From here on: why. Returns when nobody looks at the node any more.
  host::Task<void> not_ready(std::string why);
  host::Task<void> stop();

 private:
  struct Connection;
  struct Answer;
  host::Task<void> accept_connections();
  host::Task<void> watch();
  host::Task<void> serve(std::unique_ptr<host::Stream> stream);
  host::Task<void> converse(Connection& connection);
  host::Task<Answer> answer(const HttpRequest& request);
  host::Task<bool> send(Connection& connection, std::string bytes);

  host::Env& env_;
  std::unique_ptr<host::Listener> listener_;
  Node* node_ = nullptr;  // while it is ready
  std::string why_not_ = "starting";
  bool stopping_ = false;
  host::Semaphore page_{env_.loop, 1};  // one page of metrics at a time
  std::list<Connection*> live_;
  host::Event stopped_;
  host::Scope tasks_;  // dies first: they use all of the above
};

}  // namespace moldau::broker
