// Tasks and scopes on a loop.
#include <algorithm>

#include "conformance.h"

namespace moldau::host {
namespace {

struct TaskSuite : Conformance {};
INSTANTIATE_IN_WORLDS(TaskSuite);

Task<int> add(int a, int b) { co_return a + b; }
Task<void> sum_by_awaiting(int& sum) {
  for (int i = 0; i < 1000; i++) {
    int next = co_await add(sum, i);
    sum = next;
  }
}
TEST_P(TaskSuite, AwaitsWhatFinishesAtOnce) {
  int sum = 0;
  run(sum_by_awaiting(sum));
  EXPECT_EQ(sum, 499'500);
}

Task<void> note(std::vector<int>& log, int id) {
  log.push_back(id);
  co_return;
}
Task<void> spawn_and_look(Loop& loop, std::vector<int>& log) {
  Scope scope(loop, "test");
  scope.spawn(note(log, 1));
  scope.spawn(note(log, 2));
  EXPECT_TRUE(log.empty()) << "a spawned task starts in a step of its own";
  co_await scope.drained();
  EXPECT_EQ(log.size(), 2u);
  EXPECT_EQ(scope.running(), 0u);
}
TEST_P(TaskSuite, SpawnedTasksStartLaterAndAreAwaited) {
  std::vector<int> log;
  run(spawn_and_look(loop(), log));
}

Task<void> take_turns(Loop& loop, std::vector<int>& log, int id, int times) {
  for (int i = 0; i < times; i++) {
    log.push_back(id);
    co_await loop.yield();
  }
}
Task<void> yield_to_others(Loop& loop, std::vector<int>& log) {
  Scope scope(loop, "test");
  scope.spawn(take_turns(loop, log, 1, 100));
  scope.spawn(note(log, 2));
  co_await scope.drained();
  auto other = std::ranges::find(log, 2);
  EXPECT_NE(other, log.end() - 1) << "the second task waited for all of the first one";
}
TEST_P(TaskSuite, YieldLetsOthersRun) {
  std::vector<int> log;
  run(yield_to_others(loop(), log));
  EXPECT_EQ(log.size(), 101u);
}

Task<void> hang(Event& event) { co_await event.wait(); }
Task<void> outer(Event& event) { co_await hang(event); }
Task<void> dump_others(Loop& loop) {
  Scope scope(loop, "replica");
  Event event(loop);
  scope.spawn(outer(event));
  co_await loop.sleep(milliseconds(1));
  std::string dump = loop.dump();
  EXPECT_NE(dump.find("task of replica"), std::string::npos) << dump;
  EXPECT_NE(dump.find("task_suite.cc"), std::string::npos) << dump;
  EXPECT_LT(dump.find("outer"), dump.find("hang")) << dump;
  event.notify_all();
  co_await scope.drained();
  EXPECT_EQ(loop.dump().find("task of replica"), std::string::npos);
}
TEST_P(TaskSuite, DumpShowsWhoHangsWhere) { run(dump_others(loop())); }

Task<void> set_when_told(Event& event, bool& set) {
  co_await event.wait();
  set = true;
}
Task<void> drain_after_notify(Loop& loop, bool& set) {
  Scope scope(loop, "test");
  Event event(loop);
  scope.spawn(set_when_told(event, set));
  co_await loop.sleep(milliseconds(1));
  event.notify_all();
  co_await scope.drained();
  EXPECT_TRUE(set);
}
TEST_P(TaskSuite, DrainedWaitsForTheLastTask) {
  bool set = false;
  run(drain_after_notify(loop(), set));
}

Task<void> nothing() { co_return; }
TEST_P(TaskSuite, AWorldRunsSeveralTasksOneAfterTheOther) {
  for (int i = 0; i < 3; i++) run(nothing());
}

Task<void> draw(Env& env) {
  uint64_t a = env.entropy.next();
  uint64_t b = env.entropy.next();
  EXPECT_NE(a, b);
  for (int i = 0; i < 200; i++) {
    Uuid id = env.entropy.uuid();
    EXPECT_NE(id.to_string()[0], '-');
    EXPECT_EQ(id.bytes[6] >> 4, 4);
  }
  co_return;
}
TEST_P(TaskSuite, EntropyDiffers) { run(draw(server())); }

}  // namespace
}  // namespace moldau::host
