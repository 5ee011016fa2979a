// Address as the socket calls want it, and back. An IPv4 address that arrives in IPv6 clothes
// (::ffff:10.0.0.1, from a listener of both) becomes IPv4 again.
#pragma once
#include <sys/socket.h>

#include "host/address.h"

namespace moldau::host::posix {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const Address& address);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  // Of another family: 0.0.0.0:0.
  Address address() const;
};

Address local_address(int socket);

}  // namespace moldau::host::posix
