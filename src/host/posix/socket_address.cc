#include "host/posix/socket_address.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace moldau::host::posix {

SocketAddress::SocketAddress(const Address& address) {
  if (address.ip.v6) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    std::memcpy(&v6.sin6_addr, address.ip.bytes.data(), 16);
    std::memcpy(&storage, &v6, sizeof v6);
    length = sizeof v6;
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    std::memcpy(&v4.sin_addr, address.ip.bytes.data(), 4);
    std::memcpy(&storage, &v4, sizeof v4);
    length = sizeof v4;
  }
}

Address SocketAddress::address() const {
  Address out;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    std::memcpy(out.ip.bytes.data(), &v4.sin_addr, 4);
    out.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    out.port = ntohs(v6.sin6_port);
    const uint8_t* bytes = v6.sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      std::copy_n(bytes + 12, 4, out.ip.bytes.begin());
    } else {
      out.ip.v6 = true;
      std::copy_n(bytes, 16, out.ip.bytes.begin());
    }
  }
  return out;
}

Address local_address(int socket) {
  SocketAddress at;
  if (::getsockname(socket, at.get(), &at.length)) return {};
  return at.address();
}

}  // namespace moldau::host::posix
