#include "host/gate.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/scope.h"
#include "host/test_loop.h"

namespace moldau::host {
namespace {

using Log = std::vector<std::string>;

Task<void> drain(Gate& gate, Log& log) {
  co_await gate.drained();
  log.push_back("drained");
}
Task<void> acquire(Semaphore& semaphore, int64_t n, Log& log) {
  int64_t got = co_await semaphore.acquire(n);
  log.push_back("got " + std::to_string(got));
}

struct GateTest : testing::Test {
  TestLoop loop;
  Log log;
  Scope scope{loop, "test"};
};

TEST_F(GateTest, DrainedWaitsForTheLastPass) {
  Gate gate(loop);
  {
    Gate::Pass first = gate.enter();
    {
      Gate::Pass second = gate.enter();
      Gate::Pass moved = std::move(second);
      EXPECT_EQ(gate.held(), 2u);
      scope.spawn(drain(gate, log));
      loop.run();
    }
    loop.run();
    EXPECT_EQ(gate.held(), 1u);
    EXPECT_TRUE(log.empty());
  }
  loop.run();
  EXPECT_EQ(log, Log({"drained"}));
}

TEST_F(GateTest, SomebodyWhoEntersAgainIsWaitedFor) {
  Gate gate(loop);
  auto pass = std::make_unique<Gate::Pass>(gate.enter());
  scope.spawn(drain(gate, log));
  loop.run();
  pass.reset();
  pass = std::make_unique<Gate::Pass>(gate.enter());
  loop.run();
  EXPECT_TRUE(log.empty());
  pass.reset();
  loop.run();
  EXPECT_EQ(log, Log({"drained"}));
}

using SemaphoreTest = GateTest;

TEST_F(SemaphoreTest, GrantsInTheOrderOfArrival) {
  Semaphore semaphore(loop, 10);
  EXPECT_TRUE(semaphore.try_acquire(8));
  scope.spawn(acquire(semaphore, 5, log));  // does not fit
  scope.spawn(acquire(semaphore, 1, log));  // would fit, but came later
  loop.run();
  EXPECT_TRUE(log.empty());
  EXPECT_FALSE(semaphore.try_acquire(1));
  semaphore.release(3);
  loop.run();
  EXPECT_EQ(log, Log({"got 5"}));
  EXPECT_EQ(semaphore.free(), 0);
  semaphore.release(5);
  loop.run();
  EXPECT_EQ(log, Log({"got 5", "got 1"}));
  EXPECT_EQ(semaphore.free(), 4);
}

TEST_F(SemaphoreTest, OneReleaseMayServeSeveral) {
  Semaphore semaphore(loop, 10);
  EXPECT_TRUE(semaphore.try_acquire(10));
  for (int64_t n : {3, 3, 3}) scope.spawn(acquire(semaphore, n, log));
  loop.run();
  semaphore.release(10);
  loop.run();
  EXPECT_EQ(log.size(), 3u);
  EXPECT_EQ(semaphore.free(), 1);
}

TEST_F(SemaphoreTest, MoreThanEverythingIsEverything) {
  Semaphore semaphore(loop, 10);
  scope.spawn(acquire(semaphore, 1000, log));
  loop.run();
  EXPECT_EQ(log, Log({"got 10"}));
  EXPECT_EQ(semaphore.free(), 0);
  semaphore.release(10);
  EXPECT_EQ(semaphore.free(), 10);
}

TEST_F(SemaphoreTest, AWaiterThatDiesLeavesTheQueue) {
  Semaphore semaphore(loop, 10);
  EXPECT_TRUE(semaphore.try_acquire(10));
  {
    Scope doomed(loop, "doomed");
    doomed.spawn(acquire(semaphore, 10, log));
    loop.run();
  }
  scope.spawn(acquire(semaphore, 4, log));
  loop.run();
  semaphore.release(10);
  loop.run();
  EXPECT_EQ(log, Log({"got 4"}));
}

TEST(SemaphoreDeathTest, ReleasingMoreThanWasTakenStops) {
  TestLoop loop;
  Semaphore semaphore(loop, 10);
  EXPECT_DEATH(semaphore.release(1), "released 1 more");
}

}  // namespace
}  // namespace moldau::host
