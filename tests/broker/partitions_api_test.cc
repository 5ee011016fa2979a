// CreatePartitions, DescribeLogDirs, DescribeProducers, DescribeTopicPartitions: what the
// comparison with Apache Kafka cannot show, because it needs disks that fail and crashes at the
// worst moment, and the heart of what it shows.
#include "broker_world.h"

namespace moldau::broker {
namespace {

constexpr int16_t kStorageError = 56;
constexpr int16_t kCreatePartitions = 37, kDescribeLogDirs = 35, kDescribeProducers = 61,
                  kDescribeTopicPartitions = 75;

struct HeldPartition {
  std::string topic;
  int32_t index = 0;
  int64_t size = 0;
  int64_t lag = 0;
  bool future = false;
  bool operator==(const HeldPartition&) const = default;
};
struct Directory {
  int16_t error = 0;
  std::string path;
  std::vector<HeldPartition> held;
  int64_t total = 0;
  int64_t usable = 0;
};

struct PartitionsApi : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  PartitionsApi() { world.config.log_dirs = {"/a", "/b"}; }
  void SetUp() override { connect(); }
  void TearDown() override { client.reset(); }
  void connect() {
    if (!world.server) world.start();
    client = std::make_unique<Client>(world);
  }
  // Version 1.
  TopicError grow(const std::string& topic, int32_t count, bool validate_only = false) {
    Out out;
    out.i32(1).text(topic).i32(count).i32(-1).i32(1000).i8(validate_only);
    In in = client->call(kCreatePartitions, 1, out.bytes());
    in.i32();
    EXPECT_EQ(in.i32(), 1);
    TopicError result{.name = in.text().value_or(""), .error = in.i16()};
    result.message = in.text().value_or("");
    return result;
  }
  // Version 4, flexible; of all topics.
  std::vector<Directory> directories() {
    In in = client->call(kDescribeLogDirs, 4, Out().count(0).count(0).bytes(), true);
    in.i32();
    EXPECT_EQ(in.i16(), 0);
    std::vector<Directory> all;
    for (size_t left = in.count() - 1; left > 0; left--) {
      Directory& dir = all.emplace_back();
      dir.error = in.i16();
      dir.path = in.compact().value_or("");
      for (size_t topics = in.count() - 1; topics > 0; topics--) {
        std::string topic = in.compact().value_or("");
        for (size_t partitions = in.count() - 1; partitions > 0; partitions--) {
          HeldPartition one{.topic = topic, .index = in.i32()};
          one.size = in.i64();
          one.lag = in.i64();
          one.future = in.i8();
          in.count();
          dir.held.push_back(one);
        }
        in.count();
      }
      dir.total = in.i64();
      dir.usable = in.i64();
      in.count();
    }
    return all;
  }
};
using Leaders = std::vector<int32_t>;

TEST_F(PartitionsApi, NewPartitionsTakeRecordsAndAreThereAfterARestart) {
  client->create("t");
  EXPECT_EQ(client->produce("t").error, 0);
  EXPECT_EQ(grow("t", 3), (TopicError{"t", 0, ""}));
  EXPECT_EQ(client->metadata("t").leaders, (Leaders{1, 1, 1}));
  EXPECT_EQ(client->produce("t", {}, 2).base, 0);
  EXPECT_EQ(client->produce("t", {}, 0).base, 1);
  client.reset();
  world.restart();
  connect();
  EXPECT_EQ(client->metadata("t").leaders, (Leaders{1, 1, 1}));
  EXPECT_EQ(client->produce("t", {}, 2).base, 1);
}

TEST_F(PartitionsApi, TheNumberOnlyGrows) {
  client->create("t", 2);
  EXPECT_EQ(grow("t", 2), (TopicError{"t", 37, "Topic already has 2 partition(s)."}));
  EXPECT_EQ(grow("t", 1),
            (TopicError{"t", 37,
                        "The topic t currently has 2 partition(s); 1 would not be an increase."}));
  EXPECT_EQ(grow("nobody", 1), (TopicError{"nobody", 3, ""}));
  EXPECT_EQ(grow("t", 5, true), (TopicError{"t", 0, ""}));
  EXPECT_EQ(client->metadata("t").leaders, (Leaders{1, 1}));
  EXPECT_EQ(grow("t", 200'003).error, 44) << "a few bytes do not make millions of files";
}

TEST_F(PartitionsApi, ACrashWhileItGrowsLeavesTheOldNumberOrTheNewOne) {
  int old_number = 0;
  int new_number = 0;
  for (int micros = 100; micros < 100'000; micros += micros / 5) {
    BrokerWorld crashing(static_cast<uint64_t>(micros) + 1);
    crashing.start();
    Client one(crashing);
    one.create("t");
    EXPECT_EQ(one.produce("t").error, 0);
    Out out;
    out.i32(1).text("t").i32(4).i32(-1).i32(1000).i8(0);
    one.send(kCreatePartitions, 1, out.bytes());
    crashing.run_for(microseconds(micros));
    bool answered = one.has_reply();
    crashing.crash(sim::Crash::power);
    crashing.start();
    ASSERT_TRUE(crashing.server) << crashing.start_error->to_string();
    Client after(crashing);
    size_t count = after.metadata("t").leaders.size();
    if (answered) EXPECT_EQ(count, 4u) << micros;
    if (count != 1) EXPECT_EQ(count, 4u) << micros;
    (count == 1 ? old_number : new_number)++;
    EXPECT_EQ(after.produce("t").base, 1) << micros;
    for (int32_t i = 1; i < static_cast<int32_t>(count); i++)
      EXPECT_EQ(after.produce("t", {}, i).base, 0) << micros;
  }
  EXPECT_GT(old_number, 0);
  EXPECT_GT(new_number, 0);
}

TEST_F(PartitionsApi, ADiskThatFillsUpLeavesTheOldNumber) {
  client->create("t");
  uint64_t trouble = world.node.disk().add_trouble(
      {.calls = sim::kDiskWrite, .path_part = "/t-1", .code = Errc::no_space},
      world.world.stream("trouble"));
  EXPECT_EQ(grow("t", 3).error, kStorageError);
  EXPECT_EQ(client->metadata("t").leaders, (Leaders{1}));
  world.node.disk().remove_trouble(trouble);
  EXPECT_EQ(grow("t", 3).error, 0);
  EXPECT_EQ(client->produce("t", {}, 2).base, 0);
}

TEST_F(PartitionsApi, TwoThatGrowATopicAtOnceLeaveOneNumber) {
  client->create("t");
  Client other(world);
  Out to_three;
  to_three.i32(1).text("t").i32(3).i32(-1).i32(1000).i8(0);
  client->send(kCreatePartitions, 1, to_three.bytes());
  other.send(kCreatePartitions, 1, to_three.bytes());
  std::vector<int16_t> errors;
  for (Client* one : {client.get(), &other}) {
    std::optional<In> in = one->reply();
    ASSERT_TRUE(in);
    in->i32();
    in->i32();
    in->text();
    errors.push_back(in->i16());
  }
  std::ranges::sort(errors);
  EXPECT_EQ(errors, (std::vector<int16_t>{0, 37}));
  EXPECT_EQ(client->metadata("t").leaders.size(), 3u);
}

TEST_F(PartitionsApi, DirectoriesTellWhatLiesInThemAndHowMuchRoomThereIs) {
  client->create("t", 3);
  Batch batch;
  EXPECT_EQ(client->produce("t", batch, 1).error, 0);
  EXPECT_EQ(client->produce("t", batch, 1).error, 0);
  int64_t twice = static_cast<int64_t>(2 * batch.bytes().size());
  std::vector<Directory> all = directories();
  ASSERT_EQ(all.size(), 2u);
  using Held = std::vector<HeldPartition>;
  EXPECT_EQ(all[0].path, "/a");
  EXPECT_EQ(all[0].held, (Held{{"t", 0}, {"t", 2}}));
  EXPECT_EQ(all[1].held, (Held{{"t", 1, twice}}));
  for (const Directory& dir : all) {
    EXPECT_GT(dir.total, 0);
    EXPECT_LE(dir.usable, dir.total);
  }
}

TEST_F(PartitionsApi, ADirectoryThatFailedSaysSo) {
  client->create("t", 2);
  world.node.disk().add_trouble({.calls = sim::kDiskSync, .path_part = "/b/"},
                                world.world.stream("trouble"));
  EXPECT_EQ(client->produce("t", {}, 1).error, kStorageError);
  std::vector<Directory> all = directories();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].error, 0);
  EXPECT_EQ(all[1].error, kStorageError);
  EXPECT_TRUE(all[1].held.empty());
  EXPECT_EQ(all[1].total, -1);
}

TEST_F(PartitionsApi, ProducersAreDescribedAlsoAfterARestart) {
  client->create("t");
  Batch batch{.records = 3,
              .timestamp = world.node.wall().millis,
              .producer_id = 7,
              .epoch = 2,
              .sequence = 0};
  EXPECT_EQ(client->produce("t", batch).error, 0);
  for (bool restarted : {false, true}) {
    if (restarted) {
      client.reset();
      world.restart();
      connect();
    }
    Out out;
    out.count(2).compact("t").count(2).i32(0).count(0).count(0);
    In in = client->call(kDescribeProducers, 0, out.bytes(), true);
    in.i32();
    EXPECT_EQ(in.count(), 2u);
    in.compact();
    EXPECT_EQ(in.count(), 2u);
    EXPECT_EQ(in.i32(), 0);
    EXPECT_EQ(in.i16(), 0);
    in.compact();
    EXPECT_EQ(in.count(), 2u);
    EXPECT_EQ(in.i64(), 7);
    EXPECT_EQ(in.i32(), 2);
    EXPECT_EQ(in.i32(), 2) << "the sequence of the last record";
    EXPECT_EQ(in.i64(), batch.timestamp + 2);
    EXPECT_EQ(in.i32(), -1);
    EXPECT_EQ(in.i64(), -1);
  }
}

TEST_F(PartitionsApi, PagesOfPartitionsJoinToAll) {
  world.config.max_described_partitions = 3;
  client.reset();
  world.restart();
  connect();
  client->create("a", 2);
  client->create("b", 5);
  client->create("c", 1);
  std::vector<std::pair<std::string, int32_t>> seen;
  std::optional<std::pair<std::string, int32_t>> cursor;
  int pages = 0;
  do {
    Out out;
    out.count(1).i32(2000);
    if (cursor)
      out.i8(1).compact(cursor->first).i32(cursor->second).count(0);
    else
      out.i8(-1);
    In in = client->call(kDescribeTopicPartitions, 0, out.count(0).bytes(), true);
    in.i32();
    size_t on_page = 0;
    for (size_t topics = in.count() - 1; topics > 0; topics--) {
      EXPECT_EQ(in.i16(), 0);
      std::string topic = in.compact().value_or("");
      in.uuid();
      in.i8();
      for (size_t partitions = in.count() - 1; partitions > 0; partitions--, on_page++) {
        EXPECT_EQ(in.i16(), 0);
        seen.emplace_back(topic, in.i32());
        in.raw(8);                                                          // leader and epoch
        for (int list = 0; list < 5; list++) in.raw(4 * (in.count() - 1));  // of brokers
        in.count();
      }
      in.i32();
      in.count();
    }
    EXPECT_LE(on_page, 3u);
    cursor.reset();
    if (in.i8() == 1) {
      cursor.emplace(in.compact().value_or(""), 0);
      cursor->second = in.i32();
    }
    ASSERT_LT(++pages, 10);
  } while (cursor);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(seen,
            (std::vector<std::pair<std::string, int32_t>>{
                {"a", 0}, {"a", 1}, {"b", 0}, {"b", 1}, {"b", 2}, {"b", 3}, {"b", 4}, {"c", 0}}));
}

}  // namespace
}  // namespace moldau::broker
