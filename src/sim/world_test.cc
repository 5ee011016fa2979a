#include "sim/world.h"

#include <gtest/gtest.h>

#include <set>

#include "host/call.h"
#include "host/event.h"
#include "sim/disk.h"

namespace moldau::sim {
namespace {

host::Task<void> nothing(host::Env&) { co_return; }

host::Task<void> tick(host::Env& env, std::string* out, char name, int times) {
  for (int i = 0; i < times; i++) {
    co_await env.loop.yield();
    *out += name;
  }
}

std::string order_of(uint64_t seed, Scheduling scheduling) {
  World world({.seed = seed, .scheduling = scheduling});
  Node& node = world.add_node("n", &nothing);
  node.start();
  std::string out;
  for (char name : {'a', 'b', 'c', 'd'}) node.scope().spawn(tick(node.env(), &out, name, 4));
  world.run_until(Instant{} + seconds(1));
  return out;
}

TEST(World, RunsReadyTasksInADrawnOrderThatTheSeedRepeats) {
  std::set<std::string> orders;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    std::string order = order_of(seed, Scheduling::random);
    EXPECT_EQ(order, order_of(seed, Scheduling::random));
    orders.insert(order);
  }
  EXPECT_GE(orders.size(), 19u);
  EXPECT_EQ(order_of(1, Scheduling::fifo), "abcdabcdabcdabcd");
}

TEST(World, AYieldLetsEverythingReadyRunFirst) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    std::string order = order_of(seed, Scheduling::random);
    for (size_t turn = 0; turn < 4; turn++) {
      std::string one = order.substr(turn * 4, 4);
      std::sort(one.begin(), one.end());
      EXPECT_EQ(one, "abcd") << order;
    }
  }
}

struct Counts {
  int started = 0;
  int destroyed = 0;
};
struct Witness {
  Counts& counts;
  explicit Witness(Counts& c) : counts(c) { counts.started++; }
  ~Witness() { counts.destroyed++; }
};
host::Task<void> live(host::Env& env, Counts* counts) {
  Witness witness(*counts);
  for (;;) co_await env.loop.sleep(milliseconds(1));
}

TEST(Node, ACrashDestroysEverythingAndARestartBeginsAnew) {
  World world({});
  Counts counts;
  Node& node = world.add_node("n", [&](host::Env& env) { return live(env, &counts); });
  node.start();
  world.run_until(Instant{} + milliseconds(10));
  node.crash(Crash::process);
  EXPECT_EQ(counts.destroyed, 1);
  world.run_until(Instant{} + milliseconds(20));
  node.start();
  world.run_until(Instant{} + milliseconds(30));
  EXPECT_EQ(counts.started, 2);
  EXPECT_EQ(counts.destroyed, 1);
  node.crash(Crash::power);
  EXPECT_EQ(counts.destroyed, 2);
}

host::Task<void> note_wakes(host::Env& env, std::vector<int64_t>* wakes, const World& world) {
  for (int i = 0; i < 10; i++) {
    co_await env.loop.sleep(milliseconds(10));
    wakes->push_back(world.now().nanos / 1'000'000);
  }
}

TEST(Node, AFrozenNodeDoesNothingAndIsLateThen) {
  World world({});
  Node& node = world.add_node("n", &nothing);
  node.start();
  std::vector<int64_t> wakes;
  node.scope().spawn(note_wakes(node.env(), &wakes, world));
  world.run_until(Instant{} + milliseconds(25));
  node.freeze(seconds(1));
  world.run_until(Instant{} + seconds(3));
  ASSERT_EQ(wakes.size(), 10u);
  EXPECT_LT(wakes[1], 25);
  EXPECT_GE(wakes[2], 1025);
}

TEST(Node, TheWallClockJumpsAndDriftsTheMonotonicOneDoesNot) {
  World world({});
  Node& node = world.add_node("n", &nothing);
  WallTime wall = node.wall();
  Instant before = node.monotonic();
  node.step_wall(milliseconds(-5000));
  EXPECT_EQ(node.wall().millis, wall.millis - 5000);
  node.drift_wall(100'000);
  world.run_until(Instant{} + seconds(10));
  EXPECT_EQ(node.wall().millis, wall.millis - 5000 + 11'000);
  node.drift_wall(0);
  world.run_until(Instant{} + seconds(20));
  EXPECT_EQ(node.wall().millis, wall.millis - 5000 + 21'000);
  EXPECT_EQ((node.monotonic() - before).nanos, seconds(20).nanos);
}

struct Answer {
  uint32_t* at;
  uint32_t index;
  int operator()() { return *at = index, 42; }
};
host::Task<void> ask(host::Env& home, host::Env& there, uint32_t* ran_on, int* answer) {
  Answer step{ran_on, 7};
  host::Call<Answer> call = host::call(home.loop, there.loop, step);
  *answer = co_await call;
}

TEST(Node, SeveralLoopsCallEachOther) {
  World world({});
  Node& node = world.add_node("n", &nothing);
  host::Env& second = node.add_loop();
  node.start();
  uint32_t ran_on = 0;
  int answer = 0;
  node.scope().spawn(ask(node.env(), second, &ran_on, &answer));
  world.run_until(Instant{} + seconds(1));
  EXPECT_EQ(answer, 42);
  EXPECT_EQ(ran_on, 7u);
}

host::Task<void> post_in_order(host::Env& from, host::Env& to, std::vector<uint64_t>* got) {
  for (uint64_t i = 0; i < 100; i++) {
    to.loop.post(
        {[](void* list, uint64_t n) { static_cast<std::vector<uint64_t>*>(list)->push_back(n); },
         got, i});
    if (i % 7 == 0) co_await from.loop.yield();
  }
}

TEST(Node, MailOfOneSenderKeepsItsOrder) {
  World world({});
  Node& node = world.add_node("n", &nothing);
  host::Env& second = node.add_loop();
  node.start();
  std::vector<uint64_t> got;
  node.scope().spawn(post_in_order(node.env(), second, &got));
  world.run_until(Instant{} + seconds(1));
  ASSERT_EQ(got.size(), 100u);
  EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));
}

host::Task<void> write_and_sync(host::Env& env, std::vector<Errc>* errors) {
  Result<std::unique_ptr<host::File>> file = co_await env.disk.open("/f", host::OpenMode::create);
  Bytes bytes = as_bytes("abc");
  std::span<const Bytes> parts(&bytes, 1);
  for (int i = 0; i < 4; i++) {
    Result<size_t> written = co_await (*file)->write_at(parts, i * 3);
    if (!written) errors->push_back(written.error().code());
    Result<void> synced = co_await (*file)->sync();
    if (!synced) errors->push_back(synced.error().code());
  }
}

TEST(Disk, FailsExactlyTheOperationsThatItIsTold) {
  World world({});
  Node& node = world.add_node("n", &nothing);
  node.start();
  node.disk().fail_operation(3);                  // the first sync
  node.disk().fail_operation(4, Errc::no_space);  // the second write
  std::vector<Errc> errors;
  node.scope().spawn(write_and_sync(node.env(), &errors));
  world.run_until(Instant{} + seconds(1));
  EXPECT_EQ(errors, (std::vector<Errc>{Errc::io, Errc::no_space}));
  EXPECT_EQ(node.disk().operations(), 9u);
}

TEST(Disk, AQuotaEndsWrites) {
  World world({});
  Node& node = world.add_node("n", &nothing);
  node.start();
  node.disk().set_quota(7);
  std::vector<Errc> errors;
  node.scope().spawn(write_and_sync(node.env(), &errors));
  world.run_until(Instant{} + seconds(1));
  EXPECT_EQ(errors, (std::vector<Errc>{Errc::no_space, Errc::no_space}));
  EXPECT_LE(node.disk().image().used(), 9 + 3);
}

}  // namespace
}  // namespace moldau::sim
