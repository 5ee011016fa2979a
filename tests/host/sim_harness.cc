// The simulated world of the conformance suite: a server node and a client node, no faults, seeded
// scheduling.
#include "base/check.h"
#include "harness.h"
#include "sim/disk.h"
#include "sim/world.h"

namespace moldau::host {
namespace {

Task<void> run_and_tell(Task<void> test, bool* done) {
  co_await std::move(test);
  *done = true;
}

Task<void> idle(Env&) { co_return; }

class SimHarness final : public Harness {
 public:
  SimHarness() : world_({.seed = 20'260'101}), server_(add("server")), client_(add("client")) {
    CHECK(server_.disk().image().make_directory("/test"));
    CHECK(server_.disk().image().sync_directory("/"));
  }
  Env& server() override { return server_.env(); }
  Env& client() override { return client_.env(); }
  IpAddress server_ip() override { return server_.ip(); }
  std::string directory() override { return "/test"; }
  void run(Task<void> test) override {
    bool done = false;
    server_.scope().spawn(run_and_tell(std::move(test), &done));
    Instant limit = world_.now() + seconds(3600);
    bool ended = world_.run_until([&] { return done; }, limit);
    CHECK(ended, "the test does not end:\n{}{}", server_.env().loop.dump(),
          client_.env().loop.dump());
  }
  bool lose_power() override {
    server_.crash(sim::Crash::power);
    world_.run_until(world_.now() + milliseconds(10));
    server_.start();
    return true;
  }

 private:
  sim::Node& add(const char* name) {
    sim::Node& node = world_.add_node(name, &idle);
    node.start();
    return node;
  }
  sim::World world_;
  sim::Node& server_;
  sim::Node& client_;
};

}  // namespace

World simulated_world() {
  return {"simulated", [] { return std::make_unique<SimHarness>(); }};
}

}  // namespace moldau::host
