// Network: TCP on one reactor; names are resolved by the system's resolver on helper threads.
#pragma once
#include "host/network.h"
#include "host/posix/helpers.h"
#include "host/posix/ports.h"
#include "host/posix/reactor.h"

namespace moldau::host::posix {

class Network final : public host::Network {
 public:
  // resolvers are not the disk's helpers: a dead name server must not hold up an fsync.
  Network(Reactor& reactor, Helpers& helpers, Helpers& resolvers, Ports& ports)
      : reactor_(reactor), helpers_(helpers), resolvers_(resolvers), ports_(ports) {}
  Result<std::unique_ptr<host::Listener>> listen(const Address& at) override;
  // Gives up after 30 seconds.
  bool start(ConnectOp& op) override;
  bool start(ResolveOp& op) override;

 private:
  Reactor& reactor_;
  Helpers& helpers_;
  Helpers& resolvers_;
  Ports& ports_;
};

}  // namespace moldau::host::posix
