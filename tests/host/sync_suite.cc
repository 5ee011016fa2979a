// Event, WaitSet and Signal, Gate, Semaphore, Monitor, Call.
#include "conformance.h"
#include "host/call.h"
#include "host/monitor.h"

namespace moldau::host {
namespace {

struct SyncSuite : Conformance {};
INSTANTIATE_IN_WORLDS(SyncSuite);

Task<void> wait_once(Event& event, int& woken) {
  co_await event.wait();
  woken++;
}
Task<void> notify_step_by_step(Loop& loop) {
  Scope scope(loop, "test");
  Event event(loop);
  int woken = 0;
  for (int i = 0; i < 4; i++) scope.spawn(wait_once(event, woken));
  co_await loop.sleep(milliseconds(1));
  event.notify_one();
  co_await loop.sleep(milliseconds(1));
  EXPECT_EQ(woken, 1);
  event.notify_all();
  co_await scope.drained();
  EXPECT_EQ(woken, 4);
}
TEST_P(SyncSuite, EventWakesOneOrAll) { run(notify_step_by_step(loop())); }

// What a long poll does: register, look, wait.
struct Log {
  int end = 0;
  Signal appended;
};
Task<void> poll_until(Loop& loop, Log& log, int wanted) {
  WaitSet changes(loop);
  changes.watch(log.appended);
  while (log.end < wanted) {
    bool raised = co_await changes.wait_until(loop.now() + seconds(20));
    EXPECT_TRUE(raised) << "an append was missed";
    CO_ASSERT(raised);
  }
}
Task<void> append_between_look_and_wait(Loop& loop) {
  Log log;
  WaitSet changes(loop);
  changes.watch(log.appended);
  EXPECT_EQ(log.end, 0);  // looked
  log.end = 1;
  log.appended.raise();
  bool raised = co_await changes.wait_until(loop.now() + seconds(20));
  EXPECT_TRUE(raised);
  bool again = co_await changes.wait_until(loop.now() + milliseconds(1));
  EXPECT_FALSE(again) << "one raise woke twice";
}
TEST_P(SyncSuite, ARaiseBetweenLookAndWaitIsRemembered) {
  run(append_between_look_and_wait(loop()));
}

Task<void> append(Loop& loop, Log& log, int times) {
  for (int i = 0; i < times; i++) {
    log.end++;
    log.appended.raise();
    if (i % 3 == 0) co_await loop.yield();
  }
}
Task<void> many_polls(Loop& loop, Log& log) {
  Scope scope(loop, "pollers");
  for (int i = 0; i < 10; i++) scope.spawn(poll_until(loop, log, i * 20 + 1));
  co_await scope.drained();
  EXPECT_GE(log.end, 181);
  co_await poll_until(loop, log, 200);
}
TEST_P(SyncSuite, PollersSeeEveryAppendOfAnotherLoop) {
  Log log;
  Loop& other = harness->client().loop;
  Scope appenders(other, "appenders");
  appenders.spawn(append(other, log, 200));
  run(many_polls(loop(), log));
}

Task<void> watch_many(Loop& loop) {
  std::vector<std::unique_ptr<Signal>> signals;
  for (int i = 0; i < 100; i++) signals.push_back(std::make_unique<Signal>());
  WaitSet set(loop);
  for (auto& signal : signals) set.watch(*signal);
  for (size_t i : {size_t{0}, size_t{57}, size_t{99}, size_t{57}}) {
    signals[i]->raise();
    bool raised = co_await set.wait_until(loop.now() + seconds(20));
    EXPECT_TRUE(raised) << "signal " << i;
  }
  for (auto& signal : signals) signal->raise();
  signals.clear();  // the partitions are deleted while the fetch still waits
  bool raised = co_await set.wait_until(loop.now() + seconds(20));
  EXPECT_TRUE(raised);
}
TEST_P(SyncSuite, AnyOfAHundredSignalsWakesAndMayDie) { run(watch_many(loop())); }

Task<void> work(Loop& loop, Gate& gate, int& ended) {
  Gate::Pass pass = gate.enter();
  co_await loop.sleep(milliseconds(1));
  ended++;
}
Task<void> drain_gate(Loop& loop) {
  Scope scope(loop, "test");
  Gate gate(loop);
  co_await gate.drained();
  int ended = 0;
  for (int i = 0; i < 5; i++) scope.spawn(work(loop, gate, ended));
  while (static_cast<size_t>(ended) + gate.held() < 5) co_await loop.yield();
  co_await gate.drained();
  EXPECT_EQ(ended, 5);
  co_await scope.drained();
}
TEST_P(SyncSuite, GateDrainsWhenTheLastPassIsGone) { run(drain_gate(loop())); }

Task<void> take(Loop& loop, Semaphore& semaphore, int64_t n, std::vector<int64_t>& order) {
  int64_t got = co_await semaphore.acquire(n);
  order.push_back(got);
  co_await loop.sleep(microseconds(200));
  semaphore.release(got);
}
Task<void> large_is_not_starved(Loop& loop) {
  Scope scope(loop, "test");
  Semaphore semaphore(loop, 100);
  std::vector<int64_t> order;
  EXPECT_TRUE(semaphore.try_acquire(50));
  // Each must have asked before the next one does: a scheduler may start them in any order.
  for (int64_t n : {100, 60, 61}) {
    scope.spawn(take(loop, semaphore, n, order));
    co_await loop.sleep(milliseconds(1));
  }
  EXPECT_FALSE(semaphore.try_acquire(1)) << "overtakes those who wait";
  EXPECT_TRUE(order.empty());
  semaphore.release(50);
  co_await scope.drained();
  EXPECT_EQ(order, std::vector<int64_t>({100, 60, 61}));
  EXPECT_EQ(semaphore.free(), 100);
}
TEST_P(SyncSuite, SemaphoreServesInTheOrderOfArrival) { run(large_is_not_starved(loop())); }

struct Core {
  int value = 0;
};
Task<void> bump(Loop& loop, Monitor<Core>& core) {
  for (int i = 0; i < 10; i++) {
    core.enter([](Core& c) { c.value++; });
    co_await loop.yield();
  }
}
Task<void> enter_monitor(Loop& loop) {
  Monitor<Core> core;
  Scope scope(loop, "test");
  for (int i = 0; i < 10; i++) scope.spawn(bump(loop, core));
  co_await scope.drained();
  int value = core.enter([](const Core& c) { return c.value; });
  EXPECT_EQ(value, 100);
}
TEST_P(SyncSuite, MonitorReturnsWhatTheStepReturns) { run(enter_monitor(loop())); }

Task<void> suspend_inside(Loop& loop) {
  MonitorScope inside;
  co_await loop.sleep(milliseconds(1));
}
Task<void> io_inside(Env& env, std::string path) {
  MonitorScope inside;
  Result<std::unique_ptr<File>> file = co_await env.disk.open(path, OpenMode::create);
  EXPECT_TRUE(file);
}
using SyncSuiteDeathTest = SyncSuite;
INSTANTIATE_IN_WORLDS(SyncSuiteDeathTest);
TEST_P(SyncSuiteDeathTest, NothingSuspendsInsideAMonitor) {
  EXPECT_DEATH(run(suspend_inside(loop())), "suspends inside a Monitor");
  EXPECT_DEATH(run(io_inside(server(), harness->directory() + "/f")), "suspends inside a Monitor");
}
TEST_P(SyncSuiteDeathTest, MonitorsDoNotNest) {
  Monitor<Core> a, b;
  EXPECT_DEATH(a.enter([&](Core&) { b.enter([](Core&) {}); }), "inside a Monitor");
  EXPECT_DEATH(a.enter([&](Core&) { a.enter([](Core&) {}); }), "inside a Monitor");
}

Task<void> call_there(Loop& home, Loop& there) {
  int here = 20;
  auto step = [&here] { return here + 1; };
  for (int i = 0; i < 10; i++) {
    int result = co_await call(home, there, step);
    EXPECT_EQ(result, here + 1);
    here++;
  }
  auto make = [] { return std::make_unique<int>(5); };
  std::unique_ptr<int> made = co_await call(home, there, make);
  EXPECT_EQ(*made, 5);
}
TEST_P(SyncSuite, CallReturnsWhatTheStepReturnedOnTheOtherLoop) {
  run(call_there(loop(), harness->client().loop));
  run(call_there(loop(), loop()));
}

}  // namespace
}  // namespace moldau::host
