// The server's side of one Kafka connection: frames in, replies out in the order of the requests.
// While a reply waits for its group commit the next requests are read and begun, up to a bound; a
// reply that is ready leaves together with those behind it.
#pragma once
#include <cstddef>
#include <memory>

#include "host/address.h"
#include "net/frame_reader.h"
#include "net/outgoing.h"

namespace moldau::host {
struct Env;
class BufferPool;
class Stream;
}  // namespace moldau::host

namespace moldau::net {

// Who answers. One call after the other for one connection; the frame is the callee's.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // An error ends the connection; its text goes to the log.
  virtual host::Task<Result<Outgoing>> handle(Frame frame) = 0;
};

struct ConnectionLimits {
  size_t max_frame = 100 << 20;         // socket.request.max.bytes
  size_t max_pending = 64;              // replies that wait; then reading stops
  size_t max_pending_bytes = 16 << 20;  // and so it does with this much of requests that wait
};

class ServerConnection {
 public:
  ServerConnection(host::Env& env, host::BufferPool& pool, std::unique_ptr<host::Stream> stream,
                   ConnectionLimits limits);
  ~ServerConnection();
  // Serves until the peer or we close. The error says why it ended if not in order.
  host::Task<Result<void>> serve(RequestHandler& handler);
  // Ends serve() soon: nothing more is read, operations under way end.
  void close();
  host::Address peer() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moldau::net
