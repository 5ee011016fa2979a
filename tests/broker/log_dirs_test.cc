// A broker with several data directories (log.dirs): where partitions go, and what one disk that
// fails takes with it.
#include "broker_world.h"
#include "host/disk.h"

namespace moldau::broker {
namespace {

constexpr int16_t kStorageError = 56;

struct LogDirsTest : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  LogDirsTest() { world.config.log_dirs = {"/a", "/b", "/c"}; }
  void TearDown() override { client.reset(); }
  void start() {
    world.start();
    client = std::make_unique<Client>(world);
  }
  // The disk behind `path` fails from here on.
  uint64_t fail(const std::string& path, uint32_t calls = sim::kDiskAll) {
    return world.node.disk().add_trouble({.calls = calls, .path_part = path + "/"},
                                         world.world.stream("trouble"));
  }
  std::vector<std::string> partitions_in(const std::string& path) {
    std::vector<std::string> out;
    bool done = false;
    world.node.scope().spawn(list(path, out, done));
    EXPECT_TRUE(world.run_until([&] { return done; }));
    return out;
  }
  host::Task<void> list(std::string path, std::vector<std::string>& out, bool& done) {
    auto entries = co_await world.node.env().disk.list(path);
    if (entries)
      for (const host::DirEntry& entry : *entries)
        if (entry.directory && entry.name != "__cluster_metadata-0") out.push_back(entry.name);
    done = true;
  }
};

using Names = std::vector<std::string>;

TEST_F(LogDirsTest, ANewPartitionGoesWhereTheFewestAre) {
  start();
  client->create("t", 4);
  EXPECT_EQ(partitions_in("/a"), (Names{"t-0", "t-3"}));
  EXPECT_EQ(partitions_in("/b"), (Names{"t-1"}));
  EXPECT_EQ(partitions_in("/c"), (Names{"t-2"}));
  client->create("u", 1);
  EXPECT_EQ(partitions_in("/b"), (Names{"t-1", "u-0"}));
  EXPECT_EQ(client->remove("t").error, 0);
  client->create("v", 2);
  EXPECT_EQ(partitions_in("/a"), (Names{"v-0"})) << "what was deleted does not count";
  EXPECT_EQ(partitions_in("/c"), (Names{"v-1"}));
}

TEST_F(LogDirsTest, PartitionsAreFoundAgainWhereTheyLie) {
  start();
  client->create("t", 3);
  for (int i = 0; i < 3; i++) EXPECT_EQ(client->produce("t", {.records = i + 1}, i).error, 0);
  client.reset();
  world.config.log_dirs = {"/a", "/c", "/b"};
  world.restart();
  client = std::make_unique<Client>(world);
  for (int i = 0; i < 3; i++) EXPECT_EQ(client->offset("t", -1, i).offset, i + 1);
  EXPECT_EQ(partitions_in("/b"), (Names{"t-1"}));
}

TEST_F(LogDirsTest, OneThatFailsGoesOfflineAlone) {
  start();
  client->create("t", 3);
  for (int i = 0; i < 3; i++) EXPECT_EQ(client->produce("t", {}, i).error, 0);
  uint64_t trouble = fail("/b", sim::kDiskSync);
  EXPECT_EQ(client->produce("t", {}, 1).error, kStorageError);
  EXPECT_EQ(client->produce("t", {}, 0).error, 0);
  world.run_for(seconds(2));
  EXPECT_TRUE(world.log.contains("/b is offline"));
  EXPECT_EQ(client->produce("t", {}, 1).error, kStorageError);
  EXPECT_EQ(client->offset("t", -1, 1).error, kStorageError);
  FetchReply fetched = client->fetch({.partitions = {{.index = 1}}});
  ASSERT_EQ(fetched.partitions.size(), 1u);
  EXPECT_EQ(fetched.partitions[0].error, kStorageError);
  TopicInfo info = client->metadata("t");
  EXPECT_EQ(info.leaders, (std::vector<int32_t>{1, -1, 1}));
  EXPECT_EQ(client->produce("t", {}, 2).base, 1) << "the others work on";
  client->create("u", 3);
  EXPECT_EQ(partitions_in("/b"), (Names{"t-1"})) << "nothing new goes there";
  client.reset();
  world.node.disk().remove_trouble(trouble);
  world.crash(sim::Crash::power);
  start();
  EXPECT_EQ(client->offset("t", -1, 0).offset, 2);
  EXPECT_GE(client->offset("t", -1, 1).offset, 1) << "what was acknowledged before is there";
  EXPECT_EQ(client->offset("t", -1, 2).offset, 2);
}

TEST_F(LogDirsTest, OneThatDoesNotOpenIsMissedAndNotMadeAnew) {
  start();
  client->create("t", 3);
  EXPECT_EQ(client->produce("t", {}, 1).error, 0);
  client.reset();
  ASSERT_TRUE(world.stop());
  uint64_t trouble = fail("/b");
  start();
  EXPECT_TRUE(world.log.contains("/b is offline"));
  EXPECT_EQ(client->produce("t", {}, 0).error, 0);
  EXPECT_EQ(client->produce("t", {}, 1).error, kStorageError);
  EXPECT_EQ(client->metadata("t").leaders, (std::vector<int32_t>{1, -1, 1}));
  EXPECT_EQ(partitions_in("/a"), (Names{"t-0"}));
  EXPECT_EQ(partitions_in("/c"), (Names{"t-2"}));
  client.reset();
  world.node.disk().remove_trouble(trouble);
  world.restart();
  client = std::make_unique<Client>(world);
  EXPECT_EQ(client->offset("t", -1, 1).offset, 1);
}

// Every way in which one disk can fail, at every moment: what was acknowledged on the others is
// there, and the broker works on.
TEST_F(LogDirsTest, TheOthersLoseNothingWhateverFailsWhen) {
  for (uint32_t calls : {sim::kDiskSync, sim::kDiskWrite, sim::kDiskName, sim::kDiskAll}) {
    BrokerWorld one(calls);
    one.config.log_dirs = {"/a", "/b", "/c"};
    one.start();
    Client user(one);
    user.create("t", 3);
    std::array<int64_t, 3> acknowledged{};
    for (int round = 0; round < 6; round++) {
      if (round == 3)
        one.node.disk().add_trouble({.calls = calls, .path_part = "/b/", .one_in = 2},
                                    one.world.stream("trouble"));
      for (int i = 0; i < 3; i++) {
        Produced made = user.produce("t", {}, i);
        if (made.error == 0) acknowledged[static_cast<size_t>(i)] = made.base + 1;
        if (i != 1) EXPECT_EQ(made.error, 0) << calls << " round " << round;
      }
      one.run_for(seconds(7));
    }
    for (int i = 0; i < 3; i += 2)
      EXPECT_EQ(user.offset("t", -1, i).offset, acknowledged[static_cast<size_t>(i)]);
    EXPECT_TRUE(one.server != nullptr);
  }
}

TEST_F(LogDirsTest, WithTheMetadatasDirectoryAllEnds) {
  start();
  client->create("t", 3);
  bool over = false;
  auto watch = [](Server& server, bool& done) -> host::Task<void> {
    co_await server.failed();
    done = true;
  };
  world.node.scope().spawn(watch(*world.server, over));
  fail("/c", sim::kDiskSync);
  EXPECT_EQ(client->produce("t", {}, 2).error, kStorageError);
  world.run_for(seconds(3));
  EXPECT_FALSE(over);
  fail("/a", sim::kDiskSync);
  EXPECT_EQ(client->produce("t", {}, 0).error, kStorageError);
  EXPECT_TRUE(world.run_until([&] { return over; }, seconds(3)));
}

TEST_F(LogDirsTest, AreRefusedIfNamedTwiceOrOfTwoClusters) {
  auto refused = [](std::vector<std::string> dirs, BrokerWorld& w) {
    w.config.log_dirs = std::move(dirs);
    w.start_error.reset();
    w.node.start();
    w.run_until([&] { return w.server || w.start_error; });
    std::string text = w.start_error ? w.start_error->text() : "";
    w.crash();
    return text;
  };
  BrokerWorld one;
  EXPECT_NE(refused({"/a", "/a"}, one).find("names /a twice"), std::string::npos);
  EXPECT_EQ(refused({"/a"}, one), "");
  EXPECT_EQ(refused({"/b"}, one), "");
  EXPECT_NE(refused({"/a", "/b"}, one).find("belongs to cluster"), std::string::npos);
}

}  // namespace
}  // namespace moldau::broker
