// The broker as a whole: starting, stopping while clients do all kinds of things, crashes.
#include "broker_world.h"
#include "host/network.h"

namespace moldau::broker {
namespace {

TEST(Server, ServesAProduceAndAFetch) {
  BrokerWorld world;
  world.start();
  Client client(world);
  client.create("t");
  EXPECT_EQ(client.produce("t", {.records = 3}).base, 0);
  EXPECT_EQ(client.produce("t").base, 3);
  FetchReply fetched = client.fetch({});
  ASSERT_EQ(fetched.partitions.size(), 1u);
  EXPECT_EQ(fetched.partitions[0].high_watermark, 4);
  EXPECT_EQ(fetched.partitions[0].records.size(),
            Batch{.records = 3}.bytes().size() + Batch{}.bytes().size());
  EXPECT_TRUE(world.stop());
  ASSERT_TRUE(world.stop_result && *world.stop_result);
}

TEST(Server, StopsAtOnceWithIdleConnections) {
  BrokerWorld world;
  world.start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; i++) clients.push_back(std::make_unique<Client>(world));
  EXPECT_TRUE(world.stop(seconds(1)));
  ASSERT_TRUE(world.stop_result && *world.stop_result);
  EXPECT_TRUE(clients[0]->wait_closed());
}

TEST(Server, StopsAtOnceWhileConsumersWaitForRecords) {
  BrokerWorld world;
  world.start();
  Client maker(world);
  maker.create("t");
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; i++) {
    clients.push_back(std::make_unique<Client>(world));
    clients.back()->send(api::kFetch, 11, FetchSpec{.max_wait_ms = INT32_MAX}.bytes());
  }
  world.run_for(milliseconds(100));
  EXPECT_TRUE(world.stop(seconds(1)));
  ASSERT_TRUE(world.stop_result && *world.stop_result);
}

TEST(Server, StopsAtOnceWhileAFetchOfNoPartitionsWaits) {
  BrokerWorld world;
  world.start();
  Client client(world);
  client.create("t");
  client.send(api::kFetch, 11, FetchSpec{.partitions = {}, .max_wait_ms = INT32_MAX}.bytes());
  world.run_for(milliseconds(100));
  EXPECT_TRUE(world.stop(seconds(1)));
}

TEST(Server, StopsAtOnceHalfwayThroughARequest) {
  BrokerWorld world;
  world.start();
  Client client(world);
  client.send_raw(Out().i32(50 << 20).raw("half").bytes());
  EXPECT_TRUE(world.stop(seconds(1)));
}

host::Task<void> connect(host::Env& env, host::Address to,
                         std::vector<std::unique_ptr<host::Stream>>& out) {
  Result<std::unique_ptr<host::Stream>> stream = co_await env.network.connect(to);
  if (stream) out.push_back(std::move(*stream));
}

TEST(Server, StopsAtOnceWhileAConnectionIsBeingAccepted) {
  for (uint64_t seed = 1; seed <= 40; seed++) {
    BrokerWorld world(seed);
    world.start();
    // Connections arrive all through the stop.
    std::vector<std::unique_ptr<host::Stream>> streams;
    host::Scope scope(world.clients.env().loop, "connects");
    for (int i = 0; i < 100; i++) {
      world.world.call_at(world.world.now() + microseconds(5 * i), [&] {
        scope.spawn(connect(world.clients.env(), world.config.listen, streams));
      });
    }
    world.run_for(microseconds(300));
    ASSERT_TRUE(world.stop(seconds(1))) << "seed " << seed;
  }
}

TEST(Server, WhatWasAcknowledgedSurvivesPowerLoss) {
  BrokerWorld world;
  world.start();
  {
    Client client(world);
    client.create("t", 2);
    for (int i = 0; i < 20; i++)
      ASSERT_EQ(client.produce("t", {.value_size = 500}, i % 2).error, 0);
  }
  world.crash(sim::Crash::power);
  world.start();
  Client client(world);
  EXPECT_EQ(client.offset("t", -1, 0).offset, 10);
  EXPECT_EQ(client.offset("t", -1, 1).offset, 10);
}

host::Task<void> start_second(BrokerWorld& world, std::optional<Error>& error, bool& done) {
  host::Env& env = world.node.env();
  host::LogTarget target{world.levels, world.log, env.clock, host::LogFormat::text};
  BrokerConfig config = world.config;
  config.listen.port = 9093;
  Result<std::unique_ptr<Server>> started = co_await Server::start(env, config, target);
  if (!started) error = started.error();
  done = true;
}

TEST(Server, RefusesADirectoryThatAnotherOneServes) {
  BrokerWorld world;
  world.start();
  std::optional<Error> error;
  bool done = false;
  host::Scope scope(world.node.env().loop, "second");
  scope.spawn(start_second(world, error, done));
  ASSERT_TRUE(world.run_until([&] { return done; }));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), Errc::busy);
}

host::Task<void> watch(Server& server, bool& failed) {
  co_await server.failed();
  failed = true;
}

TEST(Server, GoesOfflineWhenItsDiskFails) {
  BrokerWorld world;
  world.start();
  Client client(world);
  client.create("t");
  ASSERT_EQ(client.produce("t").error, 0);
  world.node.disk().add_trouble({.calls = sim::kDiskSync}, world.world.stream("trouble"));
  EXPECT_EQ(client.produce("t").error, 56);
  bool failed = false;
  host::Scope scope(world.node.env().loop, "watch");
  scope.spawn(watch(*world.server, failed));
  EXPECT_TRUE(world.run_until([&] { return failed; }, seconds(5)));
  EXPECT_TRUE(world.log.contains("is offline"));
  EXPECT_TRUE(world.stop());
  EXPECT_FALSE(*world.stop_result);
}

}  // namespace
}  // namespace moldau::broker
