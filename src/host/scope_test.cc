#include "host/scope.h"

#include <gtest/gtest.h>

#include "host/test_loop.h"

namespace moldau::host {
namespace {

Task<void> count(int& n) {
  n++;
  co_return;
}
Task<void> wait_for(Event& event, int& n) {
  co_await event.wait();
  n++;
}
Task<void> nested(Event& event, int& n) { co_await wait_for(event, n); }
Task<void> drain(Scope& scope, bool& drained) {
  co_await scope.drained();
  drained = true;
}
struct Counted {
  int& n;
  explicit Counted(int& counter) : n(counter) { n++; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { n--; }
};
Task<void> hold(Event& event, int& alive) {
  Counted counted(alive);
  co_await event.wait();
}

struct ScopeTest : testing::Test {
  TestLoop loop;
  Event event{loop};
  int n = 0;
};

TEST_F(ScopeTest, ATaskStartsInAStepOfItsOwn) {
  Scope scope(loop, "test");
  scope.spawn(count(n));
  EXPECT_EQ(n, 0);
  EXPECT_EQ(scope.running(), 1u);
  loop.run();
  EXPECT_EQ(n, 1);
  EXPECT_EQ(scope.running(), 0u);
}

TEST_F(ScopeTest, DrainedReturnsAfterTheLastTask) {
  Scope scope(loop, "test"), outer(loop, "outer");
  bool drained = false;
  scope.spawn(wait_for(event, n));
  scope.spawn(wait_for(event, n));
  outer.spawn(drain(scope, drained));
  loop.run();
  event.notify_one();
  loop.run();
  EXPECT_FALSE(drained);
  event.notify_one();
  loop.run();
  EXPECT_TRUE(drained);
  EXPECT_EQ(n, 2);
}

TEST_F(ScopeTest, AnEmptyScopeIsDrained) {
  Scope scope(loop, "test"), outer(loop, "outer");
  bool drained = false;
  outer.spawn(drain(scope, drained));
  loop.run();
  EXPECT_TRUE(drained);
}

TEST_F(ScopeTest, ItsDeathDestroysWhatRunsAndUnlinksIt) {
  int alive = 0;
  {
    Scope scope(loop, "test");
    scope.spawn(hold(event, alive));
    scope.spawn(hold(event, alive));
    loop.run();
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
  EXPECT_FALSE(event.has_waiters());
  EXPECT_EQ(loop.dump(), "");
}

TEST_F(ScopeTest, DumpNamesEachTaskAndItsChainOfAwaits) {
  Scope scope(loop, "fetcher"), other(loop, "cleaner");
  scope.spawn(nested(event, n));
  other.spawn(wait_for(event, n));
  loop.run();
  std::string dump = loop.dump();
  EXPECT_NE(dump.find("task of fetcher"), std::string::npos) << dump;
  EXPECT_NE(dump.find("task of cleaner"), std::string::npos) << dump;
  EXPECT_NE(dump.find("nested"), std::string::npos) << dump;
  EXPECT_NE(dump.find("scope_test.cc"), std::string::npos) << dump;
  EXPECT_LT(dump.find("nested"), dump.rfind("wait_for")) << dump;
  event.notify_all();
  loop.run();
  EXPECT_EQ(loop.dump(), "");
}

Task<int> deep(int levels) {
  if (levels == 0) co_return 0;
  int below = co_await deep(levels - 1);
  co_return below + 1;
}
Task<void> sum_many(int& sum) {
  for (int i = 0; i < 100'000; i++) {
    int one = co_await deep(1);
    sum += one;
  }
}
TEST_F(ScopeTest, AwaitingTasksThatFinishAtOnceDoesNotGrowTheStack) {
  Scope scope(loop, "test");
  int sum = 0;
  scope.spawn(sum_many(sum));
  loop.run();
  EXPECT_EQ(sum, 100'000);
}

Task<std::unique_ptr<int>> make(int value) { co_return std::make_unique<int>(value); }
Task<void> take(int& out) {
  std::unique_ptr<int> made = co_await make(7);
  out = *made;
}
TEST_F(ScopeTest, ATaskMayReturnWhatCannotBeCopied) {
  Scope scope(loop, "test");
  scope.spawn(take(n));
  loop.run();
  EXPECT_EQ(n, 7);
}

}  // namespace
}  // namespace moldau::host
