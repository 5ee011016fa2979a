// How a replica reaches the others of its quorum. The driver asks; raft/driver_network.h carries it
// over Kafka's protocol.
#pragma once
#include <vector>

#include "base/result.h"
#include "host/task.h"
#include "raft/messages.h"

namespace moldau::raft {

class Peers {
 public:
  virtual ~Peers() = default;
  // One exchange; at most one with a node at a time, another one is refused (busy). The answer is
  // of the request's kind. to: below -1 a server that was only named, not known. Ends within the
  // time that an answer may take, and the time that making a connection takes. Errors: whatever
  // kept the answer away.
  virtual host::Task<Result<Response>> ask(BrokerId to, std::vector<Endpoint> endpoints,
                                           Request request) = 0;
  // What is under way ends soon, and all that comes after it fails (closed).
  virtual void close() = 0;
};

}  // namespace moldau::raft
