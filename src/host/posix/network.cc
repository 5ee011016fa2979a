#include "host/posix/network.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "host/posix/errors.h"
#include "host/posix/listener.h"
#include "host/posix/socket_address.h"
#include "host/posix/stream.h"

namespace moldau::host::posix {
namespace {

// On a helper thread.
void look_up(void*, Op& base) {
  auto& op = static_cast<ResolveOp&>(base);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int error = ::getaddrinfo(op.host.c_str(), nullptr, &hints, &found)) {
    op.fail(Errc::unreachable, ::gai_strerror(error));
    return;
  }
  for (const addrinfo* at = found; at; at = at->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, at->ai_addr,
                std::min<size_t>(at->ai_addrlen, sizeof address.storage));
    IpAddress ip = address.address().ip;
    if (std::ranges::find(op.addresses, ip) == op.addresses.end()) op.addresses.push_back(ip);
  }
  ::freeaddrinfo(found);
  op.succeed();
}

}  // namespace

Result<std::unique_ptr<host::Listener>> Network::listen(const Address& at) {
  TRY(bound, ports_.listen(at));
  auto listener = std::make_unique<Listener>(reactor_, helpers_, ports_, bound);
  if (int error = listener->attach()) return error_of(error).in("listen on " + at.to_string());
  return listener;
}

bool Network::start(ConnectOp& op) {
  int family = op.to.ip.v6 ? AF_INET6 : AF_INET;
  int socket = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail_with(op, errno);
  auto stream = std::make_unique<Stream>(reactor_, helpers_, socket, op.to);
  Stream& connecting = *stream;
  op.stream = std::move(stream);
  return connecting.connect(op);
}

bool Network::start(ResolveOp& op) {
  if (Result<IpAddress> number = IpAddress::parse(op.host)) {
    op.addresses.push_back(*number);
    return op.succeed();
  }
  resolvers_.submit({.work = &look_up, .op = &op, .home = &reactor_});
  return false;
}

}  // namespace moldau::host::posix
