#include "host/posix/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "base/check.h"
#include "host/posix/errors.h"
#include "host/posix/socket_address.h"
#include "host/posix/stream.h"

namespace moldau::host::posix {

Listener::Listener(Reactor& reactor, Helpers& helpers, Ports& ports, Ports::Bound bound)
    : reactor_(reactor), helpers_(helpers), ports_(ports), fd_(bound.socket), local_(bound.local) {
  retry_.listener = this;
  retry_.fire = [](Timer& timer) {
    Listener& listener = *static_cast<Retry&>(timer).listener;
    listener.readable_ = true;
    listener.progress();
  };
}

Listener::~Listener() { close(); }

int Listener::attach() { return reactor_.watch(fd_.get(), *this); }

void Listener::on_events(uint32_t) {
  if (retry_.slot < 0) readable_ = true;
  progress();
}

void Listener::on_turn() { progress(); }

void Listener::progress() {
  if (accept_ && readable_ && try_accept(*accept_))
    reactor_.ready(*std::exchange(accept_, nullptr));
}

bool Listener::start(AcceptOp& op) {
  CHECK(!accept_, "two tasks accept on {}", local_.to_string());
  if (!fd_) return op.fail(Errc::cancelled, "closed on this side");
  if (turn_ != reactor_.turn()) accepted_ = 0;
  if (readable_ && accepted_ >= kMostATurn) {
    accepted_ = 0;
    reactor_.put_off(*this);
  } else if (readable_ && try_accept(op)) {
    return true;
  }
  accept_ = &op;
  return false;
}

bool Listener::try_accept(AcceptOp& op) {
  turn_ = reactor_.turn();
  for (;;) {
    SocketAddress peer;
    int socket = ::accept4(fd_.get(), peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) return adopt(op, socket, peer.address());
    switch (errno) {
      case EAGAIN:
        readable_ = false;
        return false;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        return starve(op, errno);
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
      case EOPNOTSUPP:
        return fail_with(op, errno);
      default:
        continue;  // the connection broke before we took it (accept(2)); there may be another
    }
  }
}

bool Listener::adopt(AcceptOp& op, int socket, const Address& peer) {
  accepted_++;
  auto stream = std::make_unique<Stream>(reactor_, helpers_, socket, peer);
  if (int error = stream->attach()) return fail_with(op, error);
  op.stream = std::move(stream);
  return op.succeed();
}

// Tells the caller once, then lets it wait: its next accept comes back when there is a descriptor,
// or to say so again.
bool Listener::starve(AcceptOp& op, int error) {
  readable_ = false;
  retry_.at = reactor_.now() + milliseconds(kRetryMillis);
  reactor_.arm(retry_);
  return fail_with(op, error);
}

void Listener::close() {
  if (!fd_) return;
  fd_.close();
  ports_.forget(local_);
  unlink();
  reactor_.disarm(retry_);
  AcceptOp* op = std::exchange(accept_, nullptr);
  if (!op) return;
  op->fail(Errc::cancelled, "closed on this side");
  reactor_.ready(*op);
}

}  // namespace moldau::host::posix
