// Timers and deadlines. What runs at one and the same moment has no promised order, but for the
// timers themselves.
#include "conformance.h"

namespace moldau::host {
namespace {

struct TimerSuite : Conformance {};
INSTANTIATE_IN_WORLDS(TimerSuite);

// Notes its id when it fires.
struct Bell : Timer {
  std::vector<int>* log = nullptr;
  Timer* stops = nullptr;  // disarmed when this one fires
  Loop* loop = nullptr;
  int id = 0;
  Bell(Loop& l, std::vector<int>& to, int number) : log(&to), loop(&l), id(number) {
    fire = [](Timer& timer) {
      auto& bell = static_cast<Bell&>(timer);
      bell.log->push_back(bell.id);
      if (bell.stops) bell.loop->disarm(*bell.stops);
    };
  }
  ~Bell() { loop->disarm(*this); }
  void ring_at(Instant when) {
    at = when;
    loop->arm(*this);
  }
};

Task<void> sleep_and_compare(Env& env) {
  Instant start = env.loop.now();
  co_await env.loop.sleep(milliseconds(3));
  EXPECT_GE(env.loop.now() - start, milliseconds(3));
  EXPECT_LT(env.loop.now() - start, seconds(10));
  Instant past = start;
  co_await env.loop.sleep_until(past);
  EXPECT_GE(env.clock.now(), start);
}
TEST_P(TimerSuite, SleepsAsLongAsAsked) { run(sleep_and_compare(server())); }

Task<void> ring_in_order(Loop& loop, std::vector<int>& log) {
  Bell a(loop, log, 1), b(loop, log, 2), c(loop, log, 3), d(loop, log, 4);
  Instant at = loop.now() + milliseconds(2);
  a.ring_at(at + milliseconds(1));
  b.ring_at(at);
  c.ring_at(at);
  d.ring_at(at);
  co_await loop.sleep(milliseconds(6));
}
TEST_P(TimerSuite, EqualDeadlinesFireInTheOrderOfArming) {
  std::vector<int> log;
  run(ring_in_order(loop(), log));
  EXPECT_EQ(log, std::vector<int>({2, 3, 4, 1}));
}

Task<void> rearm(Loop& loop, std::vector<int>& log) {
  Bell a(loop, log, 1), b(loop, log, 2);
  Instant at = loop.now() + milliseconds(1);
  a.ring_at(at);
  b.ring_at(at + milliseconds(1));
  loop.disarm(a);
  a.ring_at(at + milliseconds(3));
  co_await loop.sleep(milliseconds(8));
  EXPECT_EQ(log, std::vector<int>({2, 1}));
  a.ring_at(loop.now() + milliseconds(1));
  loop.disarm(a);
  loop.disarm(a);
  co_await loop.sleep(milliseconds(3));
  EXPECT_EQ(log.size(), 2u) << "a disarmed timer fired";
}
TEST_P(TimerSuite, ADisarmedTimerDoesNotFireAndMayBeArmedAgain) {
  std::vector<int> log;
  run(rearm(loop(), log));
}

Task<void> disarm_a_neighbour(Loop& loop, std::vector<int>& log) {
  Bell a(loop, log, 1), b(loop, log, 2);
  a.stops = &b;
  Instant at = loop.now() + milliseconds(1);
  a.ring_at(at);
  b.ring_at(at);
  co_await loop.sleep(milliseconds(4));
}
TEST_P(TimerSuite, ATimerMayDisarmOneThatIsDueToo) {
  std::vector<int> log;
  run(disarm_a_neighbour(loop(), log));
  EXPECT_EQ(log, std::vector<int>({1}));
}

Task<void> wait_for(Event& event, Instant deadline, int& notified) {
  bool came = co_await event.wait_until(deadline);
  if (came) notified++;
}
Task<void> notify_at(Event& event, Loop& loop, Instant at) {
  co_await loop.sleep_until(at);
  while (!event.has_waiters()) co_await loop.yield();  // on a machine so slow that nobody waits yet
  event.notify_one();
}
Task<void> deadline_against_notify(Loop& loop) {
  for (int i = 0; i < 20; i++) {
    Scope scope(loop, "test");
    Event event(loop);
    int first = 0, second = 0;
    Instant at = loop.now() + microseconds(500);
    if (i % 2) scope.spawn(notify_at(event, loop, at));
    scope.spawn(wait_for(event, at, first));
    scope.spawn(wait_for(event, kNever, second));
    if (i % 2 == 0) scope.spawn(notify_at(event, loop, at));
    for (int k = 0; k < 5'000 && first + second == 0; k++) co_await loop.sleep(milliseconds(1));
    co_await loop.yield();
    EXPECT_EQ(first + second, 1)
        << "the one notify must wake exactly one: whoever did not time out";
    event.notify_all();
    co_await scope.drained();
  }
}
TEST_P(TimerSuite, ANotifyIsNotLostToADeadlineInTheSameTurn) {
  run(deadline_against_notify(loop()));
}

Task<void> raise_at(Signal& signal, Loop& loop, Instant at) {
  co_await loop.sleep_until(at);
  signal.raise();
}
Task<void> deadline_against_raise(Loop& loop) {
  for (int i = 0; i < 20; i++) {
    Scope scope(loop, "test");
    Signal signal;
    WaitSet set(loop);
    set.watch(signal);
    Instant at = loop.now() + microseconds(500);
    scope.spawn(raise_at(signal, loop, at));
    bool raised = co_await set.wait_until(at);
    if (!raised) {
      bool later = co_await set.wait_until(loop.now() + seconds(5));
      EXPECT_TRUE(later) << "a raise at the deadline was lost";
    }
    co_await scope.drained();
  }
}
TEST_P(TimerSuite, ARaiseIsNotLostToADeadlineInTheSameTurn) { run(deadline_against_raise(loop())); }

Task<void> sleep_many(Loop& loop, int id, int& ended) {
  for (int i = 0; i < 3; i++) co_await loop.sleep(microseconds(100 + (id * 37 + i * 11) % 900));
  ended++;
}
Task<void> many_sleepers(Loop& loop) {
  Scope scope(loop, "test");
  int ended = 0;
  for (int i = 0; i < 1000; i++) scope.spawn(sleep_many(loop, i, ended));
  co_await scope.drained();
  EXPECT_EQ(ended, 1000);
}
TEST_P(TimerSuite, AThousandSleepersAllWake) { run(many_sleepers(loop())); }

}  // namespace
}  // namespace moldau::host
