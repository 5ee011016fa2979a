#include "net/client_connection.h"

#include "host/env.h"
#include "host/network.h"
#include "net/outgoing.h"

namespace moldau::net {

using host::Task;

namespace {
constexpr size_t kMaxReply =
    256 << 20;  // a fetch reply holds at most fetch.max.bytes and one batch more
}

ClientConnection::ClientConnection(host::BufferPool& pool, std::unique_ptr<host::Stream> stream)
    : pool_(pool), stream_(std::move(stream)), reader_(pool, *stream_, kMaxReply) {}
ClientConnection::~ClientConnection() = default;

Task<Result<std::unique_ptr<ClientConnection>>> ClientConnection::open(host::Env& env,
                                                                       host::BufferPool& pool,
                                                                       host::Address to) {
  CO_TRY(stream, env.network.connect(to));
  std::unique_ptr<ClientConnection> connection(new ClientConnection(pool, std::move(stream)));
  co_return connection;
}

Task<Result<void>> ClientConnection::send(Chain request) {
  std::vector<Outgoing> messages(1);
  messages[0].chain = std::move(request);
  Result<void> sent = co_await send_all(*stream_, pool_, std::move(messages));
  co_return sent;
}

Task<Result<Frame>> ClientConnection::receive() {
  CO_TRY(frame, reader_.next());
  if (!frame.has_value()) co_return fail(Errc::closed, "the server ended the connection");
  co_return std::move(*frame);
}

void ClientConnection::close() { stream_->close(); }

}  // namespace moldau::net
