// Disk: the files of the system. Opening happens at once, everything else on helper threads.
#pragma once
#include "host/disk.h"
#include "host/posix/helpers.h"

namespace moldau::host::posix {

class Disk final : public host::Disk {
 public:
  Disk(Reactor& reactor, Helpers& helpers) : reactor_(reactor), helpers_(helpers) {}
  bool start(DiskOp& op) override;

 private:
  static void work(void* disk, Op& op);
  bool open(DiskOp& op);
  bool lock(DiskOp& op);
  Reactor& reactor_;
  Helpers& helpers_;
};

}  // namespace moldau::host::posix
