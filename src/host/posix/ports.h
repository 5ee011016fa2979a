// Ports: the addresses that this process listens on, of all its loops. The first listener of an
// address binds it alone, so that a second process is refused; only then the other loops may share
// it (SO_REUSEPORT).
#pragma once
#include <map>
#include <mutex>

#include "base/result.h"
#include "host/address.h"

namespace moldau::host::posix {

class Ports {
 public:
  Ports() = default;
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;

  struct Bound {
    int socket = -1;  // listening, non-blocking; the caller's
    Address local;    // forget() it
  };
  Result<Bound> listen(const Address& at);
  void forget(const Address& local);

 private:
  std::mutex mutex_;
  std::map<Address, int> listeners_;  // guarded by mutex_: how many of ours
};

}  // namespace moldau::host::posix
