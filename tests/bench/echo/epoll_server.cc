// The server as one would write it by hand: level-triggered epoll, one recv an event, no layers.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "frames.h"
#include "servers.h"

namespace moldau::bench {
namespace {

struct Connection {
  int fd = -1;
  FrameBuffer in;
  Replies out;
  bool waits_for_room = false;
};

struct Server {
  int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  int listener = -1;
  int file = -1;
  Place place;

  void listen(int ready) {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    if (::bind(listener, address, length) || ::listen(listener, 4096)) std::abort();
    ::getsockname(listener, address, &length);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN, nullptr);
    uint16_t port = ntohs(at.sin_port);
    if (::write(ready, &port, sizeof port) != sizeof port) std::abort();
  }
  void watch(int what, int fd, uint32_t events, Connection* connection) const {
    epoll_event e{};
    e.events = events;
    e.data.ptr = connection;
    ::epoll_ctl(epoll, what, fd, &e);
  }
  void accept_all() {
    for (int fd; (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto* connection = new Connection;  // freed by drop
      connection->fd = fd;
      watch(EPOLL_CTL_ADD, fd, EPOLLIN, connection);
    }
  }
  static void drop(Connection* connection) {
    ::close(connection->fd);
    delete connection;
  }
  // false: the connection is over.
  bool receive(Connection& c) {
    MutableBytes space = c.in.space();
    ssize_t n = ::recv(c.fd, space.data(), space.size(), 0);
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    c.in.commit(static_cast<size_t>(n));
    FrameBuffer::Batch batch = c.in.whole_frames();
    if (batch.frames > 0) {
      ssize_t written =
          ::pwrite(file, batch.bytes.data(), batch.bytes.size(), place.take(batch.bytes.size()));
      if (written != static_cast<ssize_t>(batch.bytes.size())) std::abort();
      c.out.add(batch.frames);
    }
    c.in.release(batch);
    return true;
  }
  bool flush(Connection& c) {
    if (!c.out.empty()) {
      ssize_t n = ::send(c.fd, c.out.bytes().data(), c.out.bytes().size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return false;
      if (n > 0) c.out.sent(static_cast<size_t>(n));
    }
    bool waits = !c.out.empty();
    if (waits != c.waits_for_room) {
      c.waits_for_room = waits;
      watch(EPOLL_CTL_MOD, c.fd, waits ? EPOLLOUT : EPOLLIN, &c);
    }
    return true;
  }
};

}  // namespace

void serve_by_epoll(int ready, const std::string& file) {
  Server server;
  server.file = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  server.listen(ready);
  std::array<epoll_event, 256> events;
  for (;;) {
    int n = ::epoll_wait(server.epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < n; i++) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* connection = static_cast<Connection*>(event.data.ptr);
      if (!connection) {
        server.accept_all();
        continue;
      }
      bool alive = !(event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || server.receive(*connection);
      if (!alive || !server.flush(*connection)) Server::drop(connection);
    }
  }
}

}  // namespace moldau::bench
