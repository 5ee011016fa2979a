// Topics come and go: by request, at once from several clients, on a disk that fails, through
// crashes.
#include "broker_world.h"

namespace moldau::broker {
namespace {

struct Topics : testing::Test {
  BrokerWorld world;
  void SetUp() override { world.start(); }
  // Whether the topic is there; if so it takes records, from offset `first` on.
  static bool works(Client& client, const std::string& topic, int64_t first = 0) {
    TopicInfo info = client.metadata(topic);
    Produced produced = client.produce(topic);
    EXPECT_EQ(info.error == 0, produced.error == 0) << info.error << " " << produced.error;
    if (produced.error == 0) EXPECT_EQ(produced.base, first);
    return info.error == 0;
  }
};

TEST_F(Topics, AreThereAfterARestart) {
  Client client(world);
  client.create("one", 3);
  client.create("two");
  EXPECT_EQ(client.produce("one", {}, 2).error, 0);
  world.restart();
  Client again(world);
  EXPECT_EQ(again.metadata("one").leaders, (std::vector<int32_t>{1, 1, 1}));
  EXPECT_EQ(again.offset("one", -1, 2).offset, 1);
  EXPECT_TRUE(works(again, "two"));
}

TEST_F(Topics, WithANameAgainAreNewAndEmpty) {
  Client client(world);
  for (int i = 0; i < 3; i++) {
    client.create("t");
    EXPECT_TRUE(works(client, "t"));
    EXPECT_EQ(client.remove("t").error, 0);
    EXPECT_FALSE(works(client, "t"));
  }
}

TEST_F(Topics, CreatedAndDeletedAtOnceByManyClientsLeaveOneState) {
  for (uint64_t seed = 1; seed <= 30; seed++) {
    BrokerWorld many(seed);
    many.start();
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 6; i++) clients.push_back(std::make_unique<Client>(many));
    std::string create = create_request({{.name = "t", .partitions = 3}});
    std::string remove = delete_request({{.name = "t", .id = {}}});
    for (int round = 0; round < 4; round++) {
      for (size_t i = 0; i < clients.size(); i++) {
        if ((i + seed) % 2)
          clients[i]->send(api::kCreateTopics, 4, create);
        else
          clients[i]->send(api::kDeleteTopics, 6, remove, true);
        many.run_for(microseconds(static_cast<int64_t>(seed) * 300));
      }
    }
    for (auto& client : clients)
      for (int round = 0; round < 4; round++) ASSERT_TRUE(client->reply()) << "seed " << seed;
    bool there = works(*clients[0], "t");
    EXPECT_EQ(many.server->partitions(), there ? 3u : 0u) << "seed " << seed;
    ASSERT_TRUE(many.stop());
    ASSERT_TRUE(*many.stop_result) << "seed " << seed;
    many.start();
    Client after(many);
    EXPECT_EQ(works(after, "t", 1), there) << "seed " << seed;
  }
}

TEST_F(Topics, DeletedWhileAConsumerWaitsEndItsWait) {
  Client consumer(world);
  Client other(world);
  other.create("t");
  consumer.send(api::kFetch, 11, FetchSpec{.max_wait_ms = 600'000}.bytes());
  world.run_for(milliseconds(50));
  ASSERT_FALSE(consumer.has_reply());
  EXPECT_EQ(other.remove("t").error, 0);
  std::optional<In> reply = consumer.reply(seconds(1));
  ASSERT_TRUE(reply);
  FetchReply fetched = read_fetched(*reply);
  ASSERT_EQ(fetched.partitions.size(), 1u);
  EXPECT_EQ(fetched.partitions[0].error, 3);
}

TEST_F(Topics, DeletedWhileProducersAppendAnswerThemAll) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    BrokerWorld busy(seed);
    busy.start();
    Client other(busy);
    other.create("t");
    std::vector<std::unique_ptr<Client>> producers;
    for (int i = 0; i < 5; i++) {
      producers.push_back(std::make_unique<Client>(busy));
      for (int n = 0; n < 5; n++)
        producers.back()->send(api::kProduce, 8,
                               produce_request("t", 0, Batch{.value_size = 5'000}.bytes()));
    }
    EXPECT_EQ(other.remove("t").error, 0);
    for (auto& producer : producers) {
      for (int n = 0; n < 5; n++) {
        std::optional<In> reply = producer->reply(seconds(5));
        ASSERT_TRUE(reply) << "seed " << seed;
        int16_t error = read_produced(*reply).error;
        EXPECT_TRUE(error == 0 || error == 3) << error;
      }
    }
    EXPECT_TRUE(busy.stop());
    EXPECT_TRUE(*busy.stop_result);
  }
}

TEST_F(Topics, DeletedWhileConsumersReadFilesDisturbNobody) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    BrokerWorld busy(seed);
    busy.config.log.tail_bytes = 1'000;  // the rest is read from files
    busy.start();
    Client other(busy);
    other.create("t");
    for (int i = 0; i < 10; i++) other.produce("t", {.value_size = 3'000});
    std::vector<std::unique_ptr<Client>> consumers;
    for (int i = 0; i < 4; i++) {
      consumers.push_back(std::make_unique<Client>(busy));
      consumers.back()->send(api::kFetch, 11, FetchSpec{.partitions = {{.offset = i}}}.bytes());
    }
    for (auto& consumer : consumers)
      consumer->send(api::kListOffsets, 5, offsets_request("t", 0, 1'700'000'000'000));
    other.send(api::kDeleteTopics, 6, delete_request({{.name = "t", .id = {}}}), true);
    other.send(api::kCreateTopics, 4, create_request({{.name = "t"}}));
    EXPECT_EQ(read_deleted(*other.reply())[0].error, 0);
    EXPECT_EQ(read_created(*other.reply())[0].error, 0);
    for (auto& consumer : consumers) {
      std::optional<In> fetched = consumer->reply();
      ASSERT_TRUE(fetched);
      int16_t error = read_fetched(*fetched).partitions[0].error;
      EXPECT_TRUE(error == 0 || error == 1 || error == 3) << error;
      std::optional<In> found = consumer->reply();
      ASSERT_TRUE(found);
      error = read_offset(*found).error;
      EXPECT_TRUE(error == 0 || error == 3) << error;
    }
    EXPECT_TRUE(works(other, "t"));
    EXPECT_TRUE(busy.stop());
    EXPECT_TRUE(*busy.stop_result);
  }
}

TEST_F(Topics, WhosePartitionsCannotBeMadeAreNotThereAtAll) {
  Client client(world);
  client.create("good");
  for (const char* part : {"/data/t-2", "/data/t-1/partition.metadata"}) {
    auto trouble = world.node.disk().add_trouble(
        {.calls = sim::kDiskName, .path_part = part, .code = Errc::no_space},
        world.world.stream("trouble"));
    auto made = read_created(
        client.call(api::kCreateTopics, 4, create_request({{.name = "t", .partitions = 3}})));
    ASSERT_EQ(made.size(), 1u);
    EXPECT_EQ(made[0].error, 56) << part;
    EXPECT_FALSE(works(client, "t")) << part;
    EXPECT_EQ(world.server->partitions(), 1u);
    world.node.disk().remove_trouble(trouble);
    client.create("t", 3);
    EXPECT_TRUE(works(client, "t"));
    EXPECT_EQ(client.remove("t").error, 0);
  }
  EXPECT_TRUE(world.stop());
  EXPECT_TRUE(*world.stop_result) << "a clean stop";
}

// A metadata log that cannot be written ends the broker, as it ends Kafka's.
TEST_F(Topics, AreMadeWholeOrNotAtAllWhereverTheDiskIsFull) {
  auto client = std::make_unique<Client>(world);
  sim::Disk& disk = world.node.disk();
  int64_t plenty = disk.quota();
  bool refused = false;
  bool made_it = false;
  for (int64_t room = 0; room < 900; room += 17) {
    disk.set_quota(disk.image().used() + room);
    auto made = read_created(
        client->call(api::kCreateTopics, 4, create_request({{.name = "t", .partitions = 2}})));
    disk.set_quota(plenty);
    ASSERT_EQ(made.size(), 1u);
    bool good = made[0].error == 0;
    (good ? made_it : refused) = true;
    if (!good) {
      client.reset();
      world.crash();
      world.start();
      client = std::make_unique<Client>(world);
    }
    EXPECT_EQ(works(*client, "t"), good) << "room for " << room << " bytes";
    if (!good) client->create("t", 2);
    EXPECT_TRUE(works(*client, "t", good ? 1 : 0)) << room;
    EXPECT_EQ(client->remove("t").error, 0);
  }
  EXPECT_TRUE(refused && made_it);
}

TEST_F(Topics, WhoseFilesCannotBeRemovedStayRemoved) {
  Client client(world);
  client.create("t", 3);
  for (int32_t p = 0; p < 3; p++) EXPECT_EQ(client.produce("t", {}, p).error, 0);
  auto trouble = world.node.disk().add_trouble(
      {.calls = sim::kDiskName, .path_part = "/data/t-1", .code = Errc::permission},
      world.world.stream("trouble"));
  client.remove("t");
  EXPECT_FALSE(works(client, "t"));
  EXPECT_EQ(world.server->partitions(), 0u);
  world.node.disk().remove_trouble(trouble);
  client.create("t", 3);
  for (int32_t p = 0; p < 3; p++)
    EXPECT_EQ(client.offset("t", -1, p).offset, 0) << p << ": not what was deleted";
}

TEST_F(Topics, AreThereOrNotWhereverTheirMakingIsCutShort) {
  for (uint64_t stop_at = 1; stop_at < 60; stop_at++) {
    BrokerWorld cut(stop_at);
    cut.start();
    uint64_t before = cut.node.disk().operations();
    {
      Client client(cut);
      client.create("old");
      ASSERT_TRUE(works(client, "old"));
      uint64_t from = cut.node.disk().operations();
      ASSERT_GT(from, before);
      client.send(api::kDeleteTopics, 6, delete_request({{.name = "old", .id = {}}}), true);
      client.send(api::kCreateTopics, 4, create_request({{.name = "new", .partitions = 2}}));
      client.send(api::kCreateTopics, 4, create_request({{.name = "old"}}));
      cut.run_until([&] { return cut.node.disk().operations() >= from + stop_at; }, seconds(2));
      cut.crash(sim::Crash::power);
    }
    cut.start();
    ASSERT_TRUE(cut.server) << "after operation " << stop_at;
    Client after(cut);
    FoundOffset end = after.offset("old", -1);
    if (end.error == 0) works(after, "old", end.offset);
    works(after, "new");
    // Whatever is there: deleted and made again it is new.
    after.remove("old");
    after.create("old");
    EXPECT_EQ(after.offset("old", -1).offset, 0) << "after operation " << stop_at;
    EXPECT_TRUE(cut.stop());
    EXPECT_TRUE(*cut.stop_result);
  }
}

TEST_F(Topics, LeaveNothingBehindOnTheDisk) {
  Client client(world);
  client.create("t", 2);
  client.produce("t");
  // By then they have another name.
  auto trouble = world.node.disk().add_trouble(
      {.calls = sim::kDiskName, .path_part = "-delete/", .code = Errc::permission},
      world.world.stream("trouble"));
  client.remove("t");
  world.node.disk().remove_trouble(trouble);
  world.restart();
  auto entries = world.node.disk().image().list("/data");
  ASSERT_TRUE(entries);
  for (const host::DirEntry& entry : *entries)
    EXPECT_FALSE(entry.name.ends_with("-delete")) << entry.name;
}

}  // namespace
}  // namespace moldau::broker
