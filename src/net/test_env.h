// TestOutside: what a connection does not need of the world: no time, no disk, nobody to connect
// to. For *_test.cc of this module.
#pragma once
#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/network.h"

namespace moldau::net {

struct NoClock final : host::Clock {
  Instant now() const override { return {}; }
  WallTime wall() const override { return {}; }
};
struct NoNetwork final : host::Network {
  Result<std::unique_ptr<host::Listener>> listen(const host::Address&) override {
    return fail(Errc::unsupported);
  }
  bool start(host::ConnectOp& op) override { return op.fail(Errc::unsupported, ""); }
  bool start(host::ResolveOp& op) override { return op.fail(Errc::unsupported, ""); }
};
struct NoDisk final : host::Disk {
  bool start(host::DiskOp& op) override { return op.fail(Errc::unsupported, ""); }
};
struct NoEntropy final : host::Entropy {
  uint64_t next() override { return 0; }
};

struct TestOutside {
  NoClock clock;
  NoNetwork network;
  NoDisk disk;
  NoEntropy entropy;
};

}  // namespace moldau::net
