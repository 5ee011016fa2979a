#include "sim/network.h"

#include <gtest/gtest.h>

#include "sim/world.h"

namespace moldau::sim {
namespace {

host::Task<void> nothing(host::Env&) { co_return; }

// Accepts one connection and reads it to its end, or to a failure.
host::Task<void> sink(host::Env& env, std::string* got, std::optional<Errc>* end) {
  Result<std::unique_ptr<host::Listener>> listener = env.network.listen({{}, 1});
  Result<std::unique_ptr<host::Stream>> stream = co_await (*listener)->accept();
  std::vector<uint8_t> buffer(100'000);
  MutableBytes into = buffer;
  for (;;) {
    Result<size_t> n = co_await (*stream)->recv(into);
    if (!n || *n == 0) {
      *end = n ? Errc::closed : n.error().code();
      co_return;
    }
    got->append(as_text(Bytes(buffer).first(*n)));
  }
}

// Connects, sends all of text, says so and waits for `hold`.
host::Task<void> source(host::Env& env, host::Address to, std::string text, Duration hold,
                        std::optional<Errc>* end) {
  Result<std::unique_ptr<host::Stream>> stream = co_await env.network.connect(to);
  if (!stream) {
    *end = stream.error().code();
    co_return;
  }
  for (Bytes rest = as_bytes(text); !rest.empty();) {
    std::span<const Bytes> parts(&rest, 1);
    Result<size_t> n = co_await (*stream)->send(parts);
    if (!n) {
      *end = n.error().code();
      co_return;
    }
    rest = rest.subspan(*n);
  }
  co_await env.loop.sleep(hold);
}

struct Pair {
  World world;
  Node& server;
  Node& client;
  std::string got;
  std::optional<Errc> server_end, client_end;

  explicit Pair(uint64_t seed)
      : world({.seed = seed}),
        server(world.add_node("server", &nothing)),
        client(world.add_node("client", &nothing)) {
    server.start();
    client.start();
    server.scope().spawn(sink(server.env(), &got, &server_end));
    world.run_until(Instant{} + milliseconds(1));
  }
  void run_until_some_arrived() {
    EXPECT_TRUE(world.run_until([&] { return got.size() > 1000; }, Instant{} + seconds(1)));
  }
  void send(std::string text, Duration hold = {}) {
    client.scope().spawn(
        source(client.env(), {server.ip(), 1}, std::move(text), hold, &client_end));
  }
};

std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 300'000; i++) text += std::to_string(i);
  return text;
}

TEST(SimNetwork, DeliversAllBytesInOrderWhateverTheSplits) {
  std::string text = long_text();
  for (uint64_t seed = 1; seed <= 10; seed++) {
    Pair pair(seed);
    pair.send(text);
    pair.world.run_until(Instant{} + seconds(10));
    EXPECT_EQ(pair.got, text) << "seed " << seed;
    EXPECT_EQ(pair.server_end, Errc::closed);
    EXPECT_EQ(pair.world.network().connections(), 0u) << "both ends have left";
  }
}

TEST(SimNetwork, ACutLinkStallsAndThenGoesOn) {
  Pair pair(1);
  pair.send(long_text());
  pair.run_until_some_arrived();
  pair.world.network().link(1, 0).cut++;
  pair.world.run_until(Instant{} + seconds(5));
  size_t before = pair.got.size();
  EXPECT_LT(before, long_text().size());
  pair.world.network().link(1, 0).cut--;
  pair.world.run_until(Instant{} + seconds(9));
  EXPECT_EQ(pair.got, long_text());
}

TEST(SimNetwork, AConnectIntoACutTimesOut) {
  Pair pair(1);
  pair.world.network().link(0, 1).cut++;  // the way back
  pair.send("x");
  pair.world.run_until(Instant{} + seconds(9));
  EXPECT_FALSE(pair.client_end);
  pair.world.run_until(Instant{} + seconds(11));
  EXPECT_EQ(pair.client_end, Errc::timed_out);
}

TEST(SimNetwork, ConnectIsRefusedWhereNobodyListens) {
  Pair pair(1);
  pair.server.crash(Crash::process);
  pair.send("x");
  pair.world.run_until(Instant{} + seconds(1));
  EXPECT_EQ(pair.client_end, Errc::refused);
}

TEST(SimNetwork, AResetDeliversAPrefixAndBreaksBothEnds) {
  bool part = false;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Pair pair(seed);
    pair.send(long_text(), seconds(60));
    pair.run_until_some_arrived();
    Random random(seed);
    pair.world.network().reset_connections(0, random, 1);
    pair.world.run_until(Instant{} + seconds(1));
    ASSERT_TRUE(pair.server_end);
    EXPECT_EQ(*pair.server_end, Errc::reset);
    EXPECT_EQ(long_text().substr(0, pair.got.size()), pair.got);
    part = part || !pair.got.empty();
  }
  EXPECT_TRUE(part);
}

TEST(SimNetwork, AKilledPeerEndsTheConnectionAPowerlessOneIsSilent) {
  Pair killed(1);
  killed.send("abc", seconds(60));
  killed.world.run_until(Instant{} + seconds(1));
  killed.client.crash(Crash::process);
  killed.world.run_until(Instant{} + seconds(2));
  EXPECT_EQ(killed.server_end, Errc::closed);

  Pair silent(1);
  silent.send("abc", seconds(60));
  silent.world.run_until(Instant{} + seconds(1));
  silent.client.crash(Crash::power);
  silent.client.start();
  silent.world.run_until(Instant{} + seconds(3600));
  EXPECT_EQ(silent.got, "abc");
  EXPECT_FALSE(silent.server_end) << "who only waits never learns of it";
}

TEST(SimNetwork, ASenderLearnsThatThePeerLostPower) {
  Pair pair(1);
  pair.send(long_text(), seconds(1));
  pair.run_until_some_arrived();
  pair.server.crash(Crash::power);
  pair.world.run_until(Instant{} + seconds(60));
  EXPECT_EQ(pair.client_end, Errc::timed_out);
}

TEST(SimNetwork, ABlackholeTellsOnlyTheSenderAndLate) {
  Pair pair(1);
  pair.send(long_text(), seconds(60));
  pair.run_until_some_arrived();
  Random random(1);
  EXPECT_EQ(pair.world.network().blackhole_connections(0, random, 1), 1u);
  pair.world.run_until(Instant{} + seconds(20));
  EXPECT_FALSE(pair.client_end);
  pair.world.run_until(Instant{} + seconds(60));
  EXPECT_EQ(pair.client_end, Errc::timed_out);
  EXPECT_FALSE(pair.server_end);
}

}  // namespace
}  // namespace moldau::sim
