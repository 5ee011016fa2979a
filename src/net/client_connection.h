// The client's side of one Kafka connection: sends a framed request, awaits the frame that answers
// it. One request at a time; whoever wants several in flight opens several or uses send and receive
// apart.
#pragma once
#include <memory>

#include "base/chain.h"
#include "net/frame_reader.h"

namespace moldau::host {
struct Address;
struct Env;
class BufferPool;
class Stream;
}  // namespace moldau::host

namespace moldau::net {

class ClientConnection {
 public:
  static host::Task<Result<std::unique_ptr<ClientConnection>>> open(host::Env& env,
                                                                    host::BufferPool& pool,
                                                                    host::Address to);
  ~ClientConnection();

  // request begins with its frame length. Errors: the stream's; closed if the server ended the
  // connection.
  host::Task<Result<void>> send(Chain request);
  host::Task<Result<Frame>> receive();
  void close();

 private:
  ClientConnection(host::BufferPool& pool, std::unique_ptr<host::Stream> stream);
  host::BufferPool& pool_;
  std::unique_ptr<host::Stream> stream_;
  FrameReader reader_;
};

}  // namespace moldau::net
