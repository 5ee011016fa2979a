// A broker that is its own cluster: what it registers, in which epochs it leads, what it refuses to
// start on.
#include "broker_world.h"
#include "host/whole_file.h"
#include "metadata/loader.h"
#include "wire/record_batch.h"

namespace moldau::broker {
namespace {

constexpr int16_t kDescribeQuorum = 55, kUnregisterBroker = 64;

TEST(Cluster, LeadsInANewEpochAfterEachStart) {
  BrokerWorld world;
  world.start();
  int32_t epoch = 0;
  for (int life = 0; life < 4; life++) {
    auto client = std::make_unique<Client>(world);
    if (life == 0) client->create("t");
    EXPECT_EQ(client->offset("t", -1).leader_epoch, epoch);
    EXPECT_EQ(client->produce("t").base, life);
    client.reset();
    if (life % 2 == 0) {
      world.restart();
    } else {
      world.crash(sim::Crash::power);
      world.start();
    }
    epoch += 2;  // nobody led in between
  }
}

TEST(Cluster, IsReadyAtOnceAfterACrash) {
  BrokerWorld world;
  world.start();
  world.crash();
  Instant crashed = world.world.now();
  world.start();
  EXPECT_LT((world.world.now() - crashed).millis(), 1'000) << "it waits for no session to end";
}

TEST(Cluster, TopicsOutliveManyStops) {
  BrokerWorld world;
  world.config.kraft.snapshot_bytes = 2'000;
  world.start();
  for (int life = 0; life < 6; life++) {
    auto client = std::make_unique<Client>(world);
    client->create("t" + std::to_string(life), life + 1);
    for (int i = 0; i <= life; i++)
      EXPECT_EQ(client->metadata("t" + std::to_string(i)).leaders.size(),
                static_cast<size_t>(i + 1));
    client.reset();
    if (life % 3 == 2) {
      world.crash(sim::Crash::power);
      world.start();
    } else {
      world.restart();
    }
  }
}

TEST(Cluster, SaysWhoLeadsTheMetadata) {
  BrokerWorld world;
  world.start();
  Client client(world);
  Out body;
  body.count(2).compact("__cluster_metadata").count(2).i32(0).count(0).count(0).count(0);
  In in = client.call(kDescribeQuorum, 0, body.bytes(), true);
  EXPECT_EQ(in.i16(), 0);
  EXPECT_EQ(in.count(), 2u);
  EXPECT_EQ(in.compact(), "__cluster_metadata");
  EXPECT_EQ(in.count(), 2u);
  EXPECT_EQ(in.i32(), 0);
  EXPECT_EQ(in.i16(), 0);
  EXPECT_EQ(in.i32(), 1) << "the leader";
}

TEST(Cluster, UnregistersNobodyWhoIsNotThere) {
  BrokerWorld world;
  world.start();
  Client client(world);
  In in = client.call(kUnregisterBroker, 0, Out().i32(7).count(0).bytes(), true);
  EXPECT_EQ(in.i32(), 0);
  EXPECT_EQ(in.i16(), 102);
}

host::Task<void> write(host::Env& env, std::string path, std::string text, bool& done) {
  (void)co_await env.disk.make_directory(host::parent_directory(path));
  EXPECT_TRUE(co_await host::replace_whole_file(env.disk, path, text));
  done = true;
}

host::Task<void> read(host::Env& env, std::string path, std::string& text, bool& done) {
  Result<std::string> all = co_await host::read_whole_file(env.disk, path);
  EXPECT_TRUE(all) << path;
  if (all) text = *all;
  done = true;
}

// The cluster as the log says it, whole.
metadata::Image image_of(BrokerWorld& world, const std::string& directory) {
  std::string text;
  bool done = false;
  host::Scope files(world.node.env().loop, "files");
  std::string log = "/__cluster_metadata-0/00000000000000000000.log";
  files.spawn(read(world.node.env(), directory + log, text, done));
  EXPECT_TRUE(world.run_until([&] { return done; }));
  metadata::Loader loader;
  wire::BatchWalk walk(as_bytes(text), wire::BatchWalk::Torn::tolerate);
  while (walk.next()) EXPECT_TRUE(loader.add(walk.batch()));
  return loader.image();
}

TEST(Cluster, TheMetadataKnowsInWhichDirectoryAReplicaLies) {
  BrokerWorld world;
  world.config.log_dirs = {"/a", "/b"};
  world.start();
  auto client = std::make_unique<Client>(world);
  client->create("t", 4);
  metadata::Image image = image_of(world, "/a");
  const metadata::Broker& us = image.brokers->at(BrokerId(1));
  EXPECT_FALSE(us.fenced);
  ASSERT_EQ(us.log_dirs.size(), 2u);
  std::map<Uuid, int> found;
  for (const auto& [index, one] : image.topics->find("t")->partitions) found[one.directories[0]]++;
  EXPECT_EQ(found, (std::map<Uuid, int>{{us.log_dirs[0], 2}, {us.log_dirs[1], 2}}));
  client.reset();
  world.restart();
  image = image_of(world, "/a");
  EXPECT_EQ(image.topics->find("t")->partitions.at(0).leader_epoch, 2);
  EXPECT_EQ(image.metadata_version(), 30);
}

host::Task<void> look(host::Env& env, std::string path, bool& there, bool& done) {
  auto entries = co_await env.disk.list(path);
  there = entries.has_value();
  done = true;
}

bool is_there(BrokerWorld& world, const std::string& path) {
  bool there = false, done = false;
  host::Scope files(world.node.env().loop, "files");
  files.spawn(look(world.node.env(), path, there, done));
  EXPECT_TRUE(world.run_until([&] { return done; }));
  return there;
}

TEST(Cluster, TheMetadataMayHaveADirectoryOfItsOwn) {
  for (const char* where : {"/meta", "/b"}) {
    BrokerWorld world;
    world.config.log_dirs = {"/a", "/b"};
    world.config.kraft.metadata_dir = where;
    world.start();
    EXPECT_TRUE(is_there(world, where + std::string("/__cluster_metadata-0")));
    EXPECT_FALSE(is_there(world, "/a/__cluster_metadata-0"));
    for (int life = 0; life < 3; life++) {
      auto client = std::make_unique<Client>(world);
      if (life == 0) client->create("t", 4);
      for (int i = 0; i < 4; i++) EXPECT_EQ(client->produce("t", {}, i).base, life) << where;
      client.reset();
      if (life == 0) world.restart();
      if (life == 1) {
        world.crash();
        world.start();
      }
    }
    EXPECT_FALSE(is_there(world, "/meta/t-0"));
  }
}

TEST(Cluster, ADirectoryOfADevelopmentVersionIsRefused) {
  BrokerWorld world;
  world.start();
  bool done = false;
  {
    host::Scope files(world.node.env().loop, "files");
    files.spawn(write(world.node.env(), "/data/moldau-catalog", "moldau-catalog 1\n", done));
    ASSERT_TRUE(world.run_until([&] { return done; }));
  }
  ASSERT_TRUE(world.stop());
  world.node.crash(sim::Crash::process);
  world.node.start();
  ASSERT_TRUE(world.run_until([&] { return world.start_error.has_value() || world.server; }));
  ASSERT_TRUE(world.start_error);
  EXPECT_EQ(world.start_error->code(), Errc::unsupported);
  EXPECT_NE(world.start_error->text().find("/data/moldau-catalog"), std::string::npos);
}

TEST(Cluster, MoreVotersThanThisNodeAreRefused) {
  BrokerWorld world;
  raft::Voter us{{world.config.node_id, {}}, {}, 0, 1}, other{{BrokerId(2), {}}, {}, 0, 1};
  world.config.kraft.static_voters = raft::VoterSet({us, other});
  world.node.start();
  ASSERT_TRUE(world.run_until([&] { return world.start_error.has_value() || world.server; }));
  ASSERT_TRUE(world.start_error);
  EXPECT_NE(world.start_error->text().find("2 voters"), std::string::npos)
      << world.start_error->text();
}

}  // namespace
}  // namespace moldau::broker
