// The real world for the conformance suite: one loop, loopback, a directory of its own.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "base/check.h"
#include "harness.h"
#include "host/posix/system.h"

namespace moldau::host {
namespace {

// A test that hangs says where, instead of waiting for the end of CTest's patience.
struct Watchdog : Timer {
  posix::Reactor* reactor = nullptr;
};
constexpr int kPatienceSeconds = 60;

class PosixHarness final : public Harness {
 public:
  PosixHarness() {
    auto system = posix::System::create({});
    CHECK(system, "{}", system.error().to_string());
    system_ = std::move(*system);
    std::string name = testing::TempDir() + "moldau-XXXXXX";
    CHECK(::mkdtemp(name.data()), "{}", name);
    directory_ = name;
    watchdog_.reactor = &system_->reactor(0);
    watchdog_.fire = [](Timer& timer) {
      CHECK(false, "the test hangs:\n{}", static_cast<Watchdog&>(timer).reactor->dump());
    };
  }
  ~PosixHarness() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  Env& server() override { return system_->env(0); }
  Env& client() override { return system_->env(0); }
  IpAddress server_ip() override { return IpAddress::v4(127, 0, 0, 1); }
  std::string directory() override { return directory_; }
  void run(Task<void> test) override {
    watchdog_.at = system_->reactor(0).now() + seconds(kPatienceSeconds);
    system_->reactor(0).arm(watchdog_);
    Result<void> result = system_->run(std::move(test));
    system_->reactor(0).disarm(watchdog_);
    EXPECT_TRUE(result);
  }
  bool lose_power() override { return false; }

 private:
  std::unique_ptr<posix::System> system_;
  std::string directory_;
  Watchdog watchdog_;
};

}  // namespace

World posix_world() {
  return {"posix", [] { return std::make_unique<PosixHarness>(); }};
}

}  // namespace moldau::host
