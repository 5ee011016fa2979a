#include "host/posix/ports.h"

#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>

#include "host/posix/descriptor.h"
#include "host/posix/errors.h"
#include "host/posix/port_holder.h"
#include "host/posix/socket_address.h"

namespace moldau::host::posix {
namespace {

constexpr int kBacklog = 4096;  // the system takes what it allows of it

void allow(int socket, int option) {
  int on = 1;
  ::setsockopt(socket, SOL_SOCKET, option, &on, sizeof on);
}

// 0, or the system's error number.
int bind_and_listen(int socket, const Address& at, bool shared) {
  allow(socket, SO_REUSEADDR);
  if (shared) allow(socket, SO_REUSEPORT);
  if (at.ip.v6) {
    int only = !at.ip.is_any();  // [::] listens for IPv4 as well
    ::setsockopt(socket, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
  }
  SocketAddress to(at);
  if (::bind(socket, to.get(), to.length)) return errno;
  // Bound alone; from here on our other loops may join. Without the option they cannot, which is
  // their error.
  if (!shared) allow(socket, SO_REUSEPORT);
  return ::listen(socket, kBacklog) ? errno : 0;
}

bool no_ipv6(int error) { return error == EAFNOSUPPORT || error == EADDRNOTAVAIL; }

}  // namespace

Result<Ports::Bound> Ports::listen(const Address& at) {
  std::scoped_lock lock(mutex_);
  bool shared = listeners_.contains(at);
  Descriptor socket(
      ::socket(at.ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int error = socket ? bind_and_listen(socket.get(), at, shared) : errno;
  if (error && at.ip.v6 && at.ip.is_any() && no_ipv6(error)) {
    // A host without IPv6: "everywhere" is then 0.0.0.0.
    Descriptor plain(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    Address everywhere{.ip = {}, .port = at.port};
    shared = listeners_.contains(everywhere);
    error = plain ? bind_and_listen(plain.get(), everywhere, shared) : errno;
    socket.close();
    if (!error) socket.reset(plain.release());
  }
  if (error) {
    std::string holder = error == EADDRINUSE ? describe_port_holder(at.port) : std::string();
    return Error(errc_of(error),
                 fmt::format("listen on {}: {}{}", at.to_string(), text_of(error), holder));
  }
  Address local = local_address(socket.get());
  listeners_[local]++;
  return Bound{socket.release(), local};
}

void Ports::forget(const Address& local) {
  std::scoped_lock lock(mutex_);
  auto found = listeners_.find(local);
  if (found != listeners_.end() && --found->second == 0) listeners_.erase(found);
}

}  // namespace moldau::host::posix
