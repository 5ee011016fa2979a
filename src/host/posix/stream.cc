#include "host/posix/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"
#include "host/posix/errors.h"
#include "host/posix/file.h"
#include "host/posix/parts.h"
#include "host/posix/socket_address.h"

namespace moldau::host::posix {
namespace {

constexpr const char* kClosed = "closed on this side";

void tune(int socket) {
  int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

}  // namespace

Stream::Stream(Reactor& reactor, Helpers& helpers, int fd, const Address& peer)
    : reactor_(reactor), helpers_(helpers), fd_(fd), peer_(peer) {}

Stream::~Stream() {
  close();
  CHECK(!connect_ && !warming_, "a stream to {} dies before its operations", peer_.to_string());
}

int Stream::attach() {
  tune(fd_.get());
  local_ = local_address(fd_.get());
  return reactor_.watch(fd_.get(), *this);
}

bool Stream::connect(ConnectOp& op) {
  SocketAddress to(peer_);
  int outcome = ::connect(fd_.get(), to.get(), to.length) ? errno : 0;
  connect_ = &op;
  if (outcome != EINPROGRESS && outcome != EINTR) return end_connect(outcome);
  if (int error = reactor_.watch(fd_.get(), *this)) return end_connect(error);
  // The system would try for two minutes.
  connect_deadline_.at = reactor_.now() + seconds(kConnectSeconds);
  connect_deadline_.stream = this;
  connect_deadline_.fire = [](Timer& timer) {
    auto& stream = *static_cast<Deadline&>(timer).stream;
    ConnectOp& late = *stream.connect_;
    stream.end_connect(ETIMEDOUT);
    stream.reactor_.ready(late);
  };
  reactor_.arm(connect_deadline_);
  return false;
}

void Stream::finish_connect() {
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  ConnectOp& op = *connect_;
  end_connect(error);
  reactor_.ready(op);
}

bool Stream::end_connect(int error) {
  reactor_.disarm(connect_deadline_);
  ConnectOp& op = *std::exchange(connect_, nullptr);
  if (!error) {
    tune(fd_.get());
    local_ = local_address(fd_.get());
    // A port that the system chose for us may be the very port we call: then we have reached
    // ourselves.
    if (local_ == peer_) error = ECONNREFUSED;
  }
  if (error) fd_.close();
  return error ? fail_with(op, error) : op.succeed();
}

void Stream::on_events(uint32_t events) {
  constexpr uint32_t kOver = EPOLLHUP | EPOLLERR;
  if (connect_) {
    if (events & (EPOLLOUT | kOver)) finish_connect();
    return;
  }
  if (events & (EPOLLIN | EPOLLRDHUP | kOver)) readable_ = true;
  if (events & (EPOLLRDHUP | kOver)) ended_ = true;
  if (events & (EPOLLOUT | kOver)) writable_ = true;
  progress();
}

void Stream::on_turn() { progress(); }

void Stream::progress() {
  if (recv_ && readable_ && try_recv(*recv_)) reactor_.ready(*std::exchange(recv_, nullptr));
  if (send_ && !warming_ && writable_ && try_send(*send_)) {
    file_.reset();
    reactor_.ready(*std::exchange(send_, nullptr));
  }
}

bool Stream::fail_io(Op& op, int error) {
  // We may still read what a peer sent that wants no more from us (EPIPE); anything else is the
  // end.
  if (error != EPIPE) broken_ = error;
  return fail_with(op, error);
}

bool Stream::start(RecvOp& op) {
  CHECK(!recv_, "two tasks receive from {}", peer_.to_string());
  CHECK(!op.into.empty(), "a recv into nothing would look like the end");
  if (!fd_) return op.fail(Errc::cancelled, kClosed);
  if (broken_) return fail_with(op, broken_);
  if (readable_ && recv_turn_ == reactor_.turn()) {
    reactor_.put_off(*this);
  } else if (readable_ && try_recv(op)) {
    return true;
  }
  recv_ = &op;
  return false;
}

bool Stream::try_recv(RecvOp& op) {
  recv_turn_ = reactor_.turn();
  ssize_t n;
  do n = ::recv(fd_.get(), op.into.data(), op.into.size(), 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) {
    if (errno != EAGAIN) return fail_io(op, errno);
    readable_ = false;
    return false;
  }
  if (n == 0) ended_ = true;
  // A short read has emptied the socket: the next edge says when there is more. After the end there
  // is none.
  if (static_cast<size_t>(n) < op.into.size() && !ended_) readable_ = false;
  return op.succeed(n);
}

bool Stream::start(SendOp& op) {
  CHECK(!send_, "two tasks send to {}", peer_.to_string());
  if (!fd_) return op.fail(Errc::cancelled, kClosed);
  if (broken_) return fail_with(op, broken_);
  if (finished_) return op.fail(Errc::closed, "sending was finished on this side");
  if (op.file) return start_range(op);
  bool nothing = std::ranges::all_of(op.parts, [](Bytes part) { return part.empty(); });
  if (nothing) return op.succeed();
  if (writable_ && reactor_.spend(0)) {
    if (try_send(op)) return true;
  } else if (writable_) {
    reactor_.put_off(*this);
  }
  send_ = &op;
  return false;
}

bool Stream::start_range(SendOp& op) {
  const auto& file = static_cast<const File&>(*op.file);
  if (op.length == 0) return op.succeed();
  op.length = std::min(op.length, kMostOfFile);
  warming_ = !file.in_memory(op.position, op.length);
  if (!warming_ && writable_) {
    if (!reactor_.spend(0)) {
      reactor_.put_off(*this);
    } else if (try_send(op)) {
      return true;
    }
  }
  send_ = &op;
  file_ = file.descriptor();
  if (!warming_) return false;
  // From here on until warmed() the helper reads op and file_.
  helpers_.submit({.work = &Stream::warm_up,
                   .target = this,
                   .op = &op,
                   .home = &reactor_,
                   .done = {&Stream::warmed, this, 0}});
  return false;
}

// On a helper thread: sendfile would otherwise wait for the disk on the loop.
void Stream::warm_up(void* self, Op& op) {
  const auto& send = static_cast<SendOp&>(op);
  File::warm(*static_cast<Stream*>(self)->file_, send.position, send.length);
}

void Stream::warmed(void* self, uint64_t) {
  auto& stream = *static_cast<Stream*>(self);
  stream.warming_ = false;
  if (stream.fd_) return stream.progress();
  stream.file_.reset();
  SendOp& op = *std::exchange(stream.send_, nullptr);
  op.fail(Errc::cancelled, kClosed);
  stream.reactor_.ready(op);
}

bool Stream::try_send(SendOp& op) {
  ssize_t n;
  do n = op.file ? send_range(op) : send_parts(op);
  while (n < 0 && errno == EINTR);
  if (n < 0) {
    if (errno != EAGAIN) return fail_io(op, errno);
    writable_ = false;
    return false;
  }
  reactor_.spend(static_cast<size_t>(n));
  return op.succeed(n);
}

ssize_t Stream::send_parts(const SendOp& op) {
  if (op.parts.size() == 1)  // the system takes one part faster than a list of one
    return ::send(fd_.get(), op.parts[0].data(), op.parts[0].size(),
                  MSG_NOSIGNAL | (op.more ? MSG_MORE : 0));
  Parts parts(op.parts);
  std::span<iovec> next = parts.next();
  msghdr message{};
  message.msg_iov = next.data();
  message.msg_iovlen = next.size();
  bool more = op.more || !parts.complete();
  return ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

ssize_t Stream::send_range(const SendOp& op) {
  int file = file_ ? file_->get() : static_cast<const File&>(*op.file).descriptor()->get();
  off_t position = op.position;
  ssize_t n = ::sendfile(fd_.get(), file, &position, op.length);
  if (n >= 0 || (errno != EINVAL && errno != ENOSYS)) return n;
  // A file system without sendfile.
  std::array<uint8_t, 16 << 10> copy;
  n = ::pread(file, copy.data(), std::min(copy.size(), op.length), op.position);
  return n <= 0 ? n : ::send(fd_.get(), copy.data(), static_cast<size_t>(n), MSG_NOSIGNAL);
}

void Stream::shutdown_send() {
  if (!fd_ || std::exchange(finished_, true)) return;
  CHECK(!send_, "shutdown_send during a send to {}", peer_.to_string());
  ::shutdown(fd_.get(), SHUT_WR);
}

void Stream::close() {
  if (!fd_) return;
  fd_.close();
  unlink();
  if (RecvOp* op = std::exchange(recv_, nullptr)) {
    op->fail(Errc::cancelled, kClosed);
    reactor_.ready(*op);
  }
  if (warming_ || !send_) return;  // a helper holds on to the operation until it returns
  file_.reset();
  SendOp& op = *std::exchange(send_, nullptr);
  op.fail(Errc::cancelled, kClosed);
  reactor_.ready(op);
}

}  // namespace moldau::host::posix
