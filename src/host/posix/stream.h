// Stream: a TCP connection on a reactor. Each call is tried at once and waits only if the socket
// would block.
#pragma once
#include <memory>

#include "host/network.h"
#include "host/posix/descriptor.h"
#include "host/posix/helpers.h"
#include "host/posix/reactor.h"

namespace moldau::host::posix {

class Stream final : public host::Stream, private Watch {
 public:
  // Adopts a non-blocking socket.
  Stream(Reactor& reactor, Helpers& helpers, int fd, const Address& peer);
  ~Stream() override;

  // After a connection was accepted: 0, or the system's error number.
  [[nodiscard]] int attach();
  // Begins to connect to peer(); op owns this stream already. true: op is finished.
  bool connect(ConnectOp& op);

  void shutdown_send() override;
  void close() override;
  Address peer() const override { return peer_; }
  Address local() const override { return local_; }
  bool start(RecvOp& op) override;
  bool start(SendOp& op) override;

 private:
  void on_events(uint32_t events) override;
  void on_turn() override;
  void finish_connect();
  bool end_connect(int error);
  bool try_recv(RecvOp& op);
  bool try_send(SendOp& op);
  ssize_t send_parts(const SendOp& op);
  ssize_t send_range(const SendOp& op);
  bool start_range(SendOp& op);
  bool fail_io(Op& op, int error);
  void progress();
  static void warm_up(void* stream, Op& op);
  static void warmed(void* stream, uint64_t);

  static constexpr size_t kMostOfFile = 512 << 10;  // a system call
  static constexpr int kConnectSeconds = 30;
  Reactor& reactor_;
  Helpers& helpers_;
  Descriptor fd_;
  const Address peer_;
  Address local_;
  ConnectOp* connect_ = nullptr;  // under way, as the next two
  RecvOp* recv_ = nullptr;
  SendOp* send_ = nullptr;
  std::shared_ptr<const Descriptor> file_;  // of send_, so that the File may go
  struct Deadline : Timer {
    Stream* stream = nullptr;
  };
  Deadline connect_deadline_;
  bool readable_ = false;  // as far as epoll has said; false is certain, true is worth a try
  bool writable_ = true;
  bool ended_ = false;     // the peer has finished: no edge will come any more, never stop reading
  bool finished_ = false;  // we have finished sending
  bool warming_ = false;   // a helper reads the range of send_ into memory
  int broken_ = 0;         // the error that ended the connection; the system tells it only once
  uint64_t recv_turn_ =
      0;  // of the last recv: at most one a turn, so that replies gather and nobody starves
};

}  // namespace moldau::host::posix
