// Listener: a listening TCP socket on a reactor.
#pragma once
#include "host/network.h"
#include "host/posix/descriptor.h"
#include "host/posix/helpers.h"
#include "host/posix/ports.h"
#include "host/posix/reactor.h"

namespace moldau::host::posix {

class Listener final : public host::Listener, private Watch {
 public:
  Listener(Reactor& reactor, Helpers& helpers, Ports& ports, Ports::Bound bound);
  ~Listener() override;
  // 0, or the system's error number.
  [[nodiscard]] int attach();

  void close() override;
  Address local() const override { return local_; }
  bool start(AcceptOp& op) override;

 private:
  void on_events(uint32_t events) override;
  void on_turn() override;
  void progress();
  bool try_accept(AcceptOp& op);
  bool adopt(AcceptOp& op, int socket, const Address& peer);
  bool starve(AcceptOp& op, int error);

  // Without descriptors, the edge of a waiting connection has passed and will not come again: after
  // an error ask the system anew now and then.
  struct Retry : Timer {
    Listener* listener = nullptr;
  };
  static constexpr int kRetryMillis = 50;
  static constexpr int kMostATurn = 64;
  Reactor& reactor_;
  Helpers& helpers_;
  Ports& ports_;
  Descriptor fd_;
  const Address local_;
  AcceptOp* accept_ = nullptr;
  bool readable_ = true;
  Retry retry_;
  uint64_t turn_ = 0;  // of the last accept
  int accepted_ = 0;   // in that turn
};

}  // namespace moldau::host::posix
