// Several real loops on threads of their own: signals, mail and calls between them. Run it under
// tsan.
#include <atomic>
#include <thread>

#include "base/random.h"
#include "conformance.h"
#include "host/call.h"
#include "host/monitor.h"
#include "host/posix/system.h"

namespace moldau::host {
namespace {

constexpr size_t kLoops = 4;

struct Loops : testing::Test {
  Loops() {
    auto created = posix::System::create({.loops = kLoops});
    if (!created) ADD_FAILURE() << created.error().to_string();
    system = std::move(*created);
  }
  Loop& loop(size_t i) { return system->env(i).loop; }
  std::unique_ptr<posix::System> system;
};

// Counts down to zero from any loop; one loop waits for it.
struct Countdown {
  explicit Countdown(int n) : left(n) {}
  Monitor<int> left;
  Signal changed;
  void down() {
    left.enter([](int& n) { n--; });
    changed.raise();
  }
  bool done() {
    return left.enter([](const int& n) { return n == 0; });
  }
};
Task<void> wait_for_all(Loop& loop, Countdown& countdown) {
  WaitSet changes(loop);
  changes.watch(countdown.changed);
  while (!countdown.done()) {
    bool raised = co_await changes.wait_until(loop.now() + seconds(60));
    CO_ASSERT(raised);
  }
}

// A partition as the loops share it.
struct Shared {
  Monitor<int64_t> end;
  Signal appended;
};
Task<void> append_records(Loop& loop, Shared& shared, int times, uint64_t seed,
                          Countdown& countdown) {
  Random random(seed);
  for (int i = 0; i < times; i++) {
    shared.end.enter([](int64_t& end) { end++; });
    shared.appended.raise();
    if (random.one_in(8)) co_await loop.yield();
    if (random.one_in(64)) co_await loop.sleep(microseconds(50));
  }
  countdown.down();
}
Task<void> read_records(Loop& loop, Shared& shared, int64_t wanted, Countdown& countdown) {
  WaitSet changes(loop);
  changes.watch(shared.appended);
  int64_t position = 0;
  while (position < wanted) {
    int64_t end = shared.end.enter([](const int64_t& e) { return e; });
    if (end > position) {
      position = end;
      continue;
    }
    bool raised = co_await changes.wait_until(loop.now() + seconds(30));
    EXPECT_TRUE(raised) << "missed an append behind " << position;
    if (!raised) break;
  }
  countdown.down();
}
TEST_F(Loops, LongPollsOnEveryLoopMissNothing) {
  constexpr int kTimes = 300, kReaders = 3;
  Countdown countdown(static_cast<int>(kLoops) * (1 + kReaders));
  Shared shared;
  std::vector<std::unique_ptr<Scope>> scopes;
  for (size_t i = 0; i < kLoops; i++) {
    scopes.push_back(std::make_unique<Scope>(loop(i), "stress"));
    scopes[i]->spawn(append_records(loop(i), shared, kTimes, i, countdown));
    for (int k = 0; k < kReaders; k++)
      scopes[i]->spawn(read_records(loop(i), shared, kLoops * kTimes, countdown));
  }
  EXPECT_TRUE(system->run(wait_for_all(loop(0), countdown)));
  for (auto& scope : scopes) EXPECT_EQ(scope->running(), 0u);
}

// Each loop owns a counter that the others change by calls.
struct Owned {
  int64_t value = 0;
  std::thread::id owner;
};
Task<void> call_around(posix::System& system, size_t self, std::vector<Owned>& owned, uint64_t seed,
                       Countdown& countdown) {
  Random random(seed);
  std::thread::id here = std::this_thread::get_id();
  for (int i = 0; i < 300; i++) {
    size_t target = random.below(kLoops);
    Owned& there = owned[target];
    auto step = [&there] {
      there.value++;
      if (there.owner == std::thread::id()) there.owner = std::this_thread::get_id();
      return there.owner == std::this_thread::get_id();
    };
    bool right_thread = co_await call(system.env(self).loop, system.env(target).loop, step);
    EXPECT_TRUE(right_thread);
    EXPECT_EQ(here, std::this_thread::get_id()) << "resumed on another thread";
  }
  countdown.down();
}
TEST_F(Loops, CallsRunThereAndResumeHere) {
  constexpr int kTasks = 8;
  Countdown countdown(static_cast<int>(kLoops) * kTasks);
  std::vector<Owned> owned(kLoops);
  std::vector<std::unique_ptr<Scope>> scopes;
  for (size_t i = 0; i < kLoops; i++) {
    scopes.push_back(std::make_unique<Scope>(loop(i), "caller"));
    for (uint64_t k = 0; k < kTasks; k++)
      scopes[i]->spawn(call_around(*system, i, owned, i * 100 + k, countdown));
  }
  EXPECT_TRUE(system->run(wait_for_all(loop(0), countdown)));
  int64_t sum = 0;
  for (const Owned& o : owned) sum += o.value;
  EXPECT_EQ(sum, static_cast<int64_t>(kLoops) * kTasks * 300);
}

// Mail of several threads to one loop.
struct Letters {
  std::vector<uint64_t> last = std::vector<uint64_t>(4, 0);
  uint64_t count = 0;
  bool ordered = true;
  Event* arrived = nullptr;
  static void deliver(void* self, uint64_t letter) {
    auto& letters = *static_cast<Letters*>(self);
    uint64_t& last = letters.last[letter >> 32];
    uint64_t number = letter & 0xffffffff;
    if (number != last + 1) letters.ordered = false;
    last = number;
    letters.count++;
    letters.arrived->notify_all();
  }
};
constexpr uint64_t kLetters = 5'000;
Task<void> read_letters(Loop& loop, Letters& letters) {
  Event arrived(loop);
  letters.arrived = &arrived;
  std::vector<std::thread> senders;
  for (uint64_t sender = 0; sender < 4; sender++) {
    senders.emplace_back([&loop, &letters, sender] {
      for (uint64_t i = 1; i <= kLetters; i++)
        loop.post({&Letters::deliver, &letters, sender << 32 | i});
    });
  }
  while (letters.count < 4 * kLetters) {
    bool came = co_await arrived.wait_until(loop.now() + seconds(30));
    EXPECT_TRUE(came) << letters.count;
    if (!came) break;
  }
  for (auto& sender : senders) sender.join();
}
TEST_F(Loops, MailFromThreadsArrivesOnceAndInOrder) {
  Letters letters;
  EXPECT_TRUE(system->run(read_letters(loop(0), letters)));
  EXPECT_EQ(letters.count, 4 * kLetters);
  EXPECT_TRUE(letters.ordered);
}

// A sleeping loop is woken by each single message: one at a time, both ways.
TEST_F(Loops, AMessageWakesASleepingLoop) {
  auto ping = [](posix::System& s) -> Task<void> {
    auto step = [] { return 1; };
    for (int i = 0; i < 200; i++) {
      int one = co_await call(s.env(0).loop, s.env(1).loop, step);
      EXPECT_EQ(one, 1);
    }
  };
  EXPECT_TRUE(system->run(ping(*system)));
}

TEST_F(Loops, ASystemRunsAgainAndStopsFromOutside) {
  auto nothing = []() -> Task<void> { co_return; };
  for (int i = 0; i < 5; i++) EXPECT_TRUE(system->run(nothing()));
  std::thread runner([this] { system->reactor(2).run(); });
  system->reactor(2).stop();
  runner.join();
}

Task<void> accept_here(Env& env, Listener& listener, Monitor<int>& accepted, Countdown& countdown) {
  for (;;) {
    Result<std::unique_ptr<Stream>> stream = co_await listener.accept();
    if (!stream) break;
    accepted.enter([](int& n) { n++; });
    std::vector<uint8_t> got;
    co_await receive(**stream, got, 4, 16);
    co_await send_all(**stream, got);
  }
  EXPECT_GT(env.loop.now().nanos, 0);
  countdown.down();
}
Task<void> close_there(posix::System& system, std::vector<std::unique_ptr<Listener>>& listeners) {
  for (size_t i = 0; i < kLoops; i++) {
    Listener& listener = *listeners[i];
    auto step = [&listener] {
      listener.close();
      return true;
    };
    bool closed = co_await call(system.env(0).loop, system.env(i).loop, step);
    EXPECT_TRUE(closed);
  }
}
Task<void> visit_often(posix::System& system, Address at,
                       std::vector<std::unique_ptr<Listener>>& listeners, Countdown& countdown) {
  Env& env = system.env(0);
  Text text("ping");
  for (int i = 0; i < 64; i++) {
    Result<std::unique_ptr<Stream>> stream = co_await env.network.connect(at);
    CO_ASSERT_OK(stream);
    co_await send_all(**stream, text.part);
    std::vector<uint8_t> got;
    co_await receive(**stream, got, 4, 16);
    EXPECT_EQ(as_text(got), "ping");
    (*stream)->close();
  }
  co_await close_there(system, listeners);
  co_await wait_for_all(env.loop, countdown);
}
TEST_F(Loops, AllLoopsListenOnOneAddress) {
  Address at{IpAddress::v4(127, 0, 0, 1), 0};
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<Scope>> scopes;
  std::vector<std::unique_ptr<Monitor<int>>> accepted;
  Countdown countdown(kLoops);
  for (size_t i = 0; i < kLoops; i++) {
    Result<std::unique_ptr<Listener>> listener = system->env(i).network.listen(at);
    ASSERT_TRUE(listener) << listener.error().to_string();
    at = (*listener)->local();
    listeners.push_back(std::move(*listener));
    accepted.push_back(std::make_unique<Monitor<int>>(0));
    scopes.push_back(std::make_unique<Scope>(loop(i), "acceptor"));
    scopes[i]->spawn(accept_here(system->env(i), *listeners[i], *accepted[i], countdown));
  }
  EXPECT_TRUE(system->run(visit_often(*system, at, listeners, countdown)));
  int sum = 0, busy = 0;
  for (auto& one : accepted) {
    int n = one->enter([](const int& count) { return count; });
    sum += n;
    busy += n > 0;
  }
  EXPECT_EQ(sum, 64);
  EXPECT_GT(busy, 1) << "the system spreads connections over the loops";
}

}  // namespace
}  // namespace moldau::host
