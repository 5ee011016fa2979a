#include "client.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/check.h"
#include "frames.h"

namespace moldau::bench {
namespace {

double seconds_of(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Peer {
  int fd = -1;
  size_t to_send = 0;  // bytes that may go out now
  size_t offset = 0;   // into the repeating frame
  size_t partial = 0;  // bytes of a reply that has begun
  bool waits_for_room = false;
};

class Client {
 public:
  Client(const Load& load, uint16_t port)
      : load_(load), wire_(4 + load.frame), peers_(load.connections) {
    size_t repeat = std::min(load.depth, (64 << 10) / wire_ + 1);
    frames_.resize(wire_ * repeat, 'x');
    for (size_t i = 0; i < repeat; i++)
      store_be(&frames_[i * wire_], static_cast<uint32_t>(load.frame));
    for (Peer& peer : peers_) {
      connect(peer, port);
      peer.to_send = wire_ * load.depth;
      pump(peer);
    }
  }
  ~Client() {
    for (Peer& peer : peers_) ::close(peer.fd);
    ::close(epoll_);
  }
  // Replies that came within one wait.
  size_t step() {
    std::array<epoll_event, 256> events;
    int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 10);
    size_t replies = 0;
    for (int i = 0; i < n; i++) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      Peer& peer = *static_cast<Peer*>(event.data.ptr);
      if (event.events & EPOLLIN) replies += drain(peer);
      pump(peer);
    }
    return replies;
  }

 private:
  void connect(Peer& peer, uint16_t port) {
    peer.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::connect(peer.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0, "error {}", errno);
    int on = 1;
    ::setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(peer.fd, F_SETFL, O_NONBLOCK);
    watch(peer, EPOLL_CTL_ADD, EPOLLIN);
  }
  void watch(Peer& peer, int what, uint32_t events) const {
    epoll_event e{};
    e.events = events;
    e.data.ptr = &peer;
    ::epoll_ctl(epoll_, what, peer.fd, &e);
  }
  void pump(Peer& peer) {
    bool full = false;
    while (peer.to_send > 0 && !full) {
      size_t piece = std::min(peer.to_send, frames_.size() - peer.offset);
      ssize_t n = ::send(peer.fd, &frames_[peer.offset], piece, MSG_NOSIGNAL);
      CHECK(n > 0 || errno == EAGAIN, "send: error {}", errno);
      full = n < 0;
      if (full) break;
      peer.to_send -= static_cast<size_t>(n);
      peer.offset = (peer.offset + static_cast<size_t>(n)) % wire_;
    }
    if (full == peer.waits_for_room) return;
    peer.waits_for_room = full;
    watch(peer, EPOLL_CTL_MOD, full ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
  size_t drain(Peer& peer) {
    std::array<uint8_t, 16 << 10> space;
    ssize_t n = ::recv(peer.fd, space.data(), space.size(), 0);
    if (n < 0 && errno == EAGAIN) return 0;
    CHECK(n > 0, "the server left, error {}", errno);
    peer.partial += static_cast<size_t>(n);
    size_t replies = peer.partial / kReply;
    peer.partial %= kReply;
    peer.to_send += replies * wire_;
    return replies;
  }

  const Load load_;
  const size_t wire_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<uint8_t> frames_;
  std::vector<Peer> peers_;
};

}  // namespace

Figures run_load(const Load& load, uint16_t port, pid_t server) {
  clockid_t server_clock{};
  CHECK(::clock_getcpuclockid(server, &server_clock) == 0);
  Client client(load, port);
  double start = seconds_of(CLOCK_MONOTONIC);
  while (seconds_of(CLOCK_MONOTONIC) < start + load.seconds * 0.2) client.step();
  start = seconds_of(CLOCK_MONOTONIC);
  double cpu = seconds_of(server_clock), now = start;
  size_t replies = 0;
  while (now < start + load.seconds) {
    replies += client.step();
    now = seconds_of(CLOCK_MONOTONIC);
  }
  cpu = seconds_of(server_clock) - cpu;
  auto count = static_cast<double>(std::max<size_t>(replies, 1));
  return {.requests_per_second = count / (now - start), .server_micros = cpu * 1e6 / count};
}

}  // namespace moldau::bench
