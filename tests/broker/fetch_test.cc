// Fetch: what is read, when a waiting fetch wakes, limits, errors. The expected answers are Apache
// Kafka 4.3.1's, but for what the top of broker/api/fetch.cc says.
#include "broker_world.h"

namespace moldau::broker {
namespace {

using Part = FetchSpec::Partition;

struct Fetch : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  std::vector<std::string> batches;  // of partition 0, as they come back
  void SetUp() override { begin(); }
  void TearDown() override { client.reset(); }
  void begin() {
    world.start();
    client = std::make_unique<Client>(world);
    client->create("t", 2);
  }
  // Three batches with the offsets 0, 1 to 3, 4.
  void fill() {
    for (const Batch& batch : {Batch{.fill = 'a'}, Batch{.records = 3, .fill = 'b'},
                               Batch{.value_size = 3'000, .fill = 'c'}}) {
      int64_t base = client->produce("t", batch).base;
      std::string bytes = batch.bytes();
      store_be(reinterpret_cast<uint8_t*>(bytes.data()), base);
      store_be(reinterpret_cast<uint8_t*>(bytes.data()) + 12, int32_t{0});
      batches.push_back(bytes);
    }
  }
  std::string all(size_t from = 0) const {
    std::string out;
    for (size_t i = from; i < batches.size(); i++) out += batches[i];
    return out;
  }
  Fetched one(const FetchSpec& spec) {
    FetchReply reply = client->fetch(spec);
    EXPECT_EQ(reply.error, 0);
    EXPECT_EQ(reply.session_id, 0);
    EXPECT_EQ(reply.partitions.size(), 1u);
    return reply.partitions.empty() ? Fetched{} : reply.partitions[0];
  }
  Fetched at(int64_t offset) { return one({.partitions = {{.offset = offset}}}); }
  // Sends it and says for how long it waited.
  Duration waited(const FetchSpec& spec, Duration within = seconds(60)) {
    Instant before = world.world.now();
    client->send(api::kFetch, 11, spec.bytes());
    EXPECT_TRUE(client->reply(within));
    return world.world.now() - before;
  }
};

TEST_F(Fetch, BeginsWithTheBatchThatHoldsTheOffset) {
  fill();
  EXPECT_EQ(at(0).records, all());
  EXPECT_EQ(at(1).records, all(1));
  EXPECT_EQ(at(3).records, all(1)) << "inside a batch";
  EXPECT_EQ(at(4).records, all(2));
  Fetched end = at(5);
  EXPECT_EQ(end.records, "");
  EXPECT_EQ(end.error, 0);
  EXPECT_EQ(end.high_watermark, 5);
  EXPECT_EQ(end.last_stable, 5);
  EXPECT_EQ(end.log_start, 0);
  EXPECT_TRUE(end.aborted_is_null);
  EXPECT_FALSE(one({.isolation = 1}).aborted_is_null);
}

TEST_F(Fetch, ReadsTheSameFromFilesAfterARestart) {
  fill();
  client.reset();
  world.restart();
  client = std::make_unique<Client>(world);
  for (int64_t from = 0; from <= 5; from++) {
    size_t skipped = from == 0 ? 0 : from <= 3 ? 1 : from == 4 ? 2 : 3;
    EXPECT_EQ(at(from).records, all(skipped)) << from;
  }
  EXPECT_EQ(one({.partitions = {{.max_bytes = 100}}}).records, all().substr(0, 100))
      << "a range of the file";
}

TEST_F(Fetch, OutsideOfTheLogIsOutOfRange) {
  fill();
  for (int64_t offset :
       {int64_t{6}, int64_t{1'000'000}, int64_t{-1}, int64_t{-2}, INT64_MAX, INT64_MIN}) {
    Fetched found = at(offset);
    EXPECT_EQ(found.error, 1) << offset;
    EXPECT_EQ(found.high_watermark, -1);
    EXPECT_EQ(found.log_start, -1);
    EXPECT_TRUE(found.aborted_is_null);
  }
}

TEST_F(Fetch, OneWholeBatchComesWhateverTheLimits) {
  fill();
  for (int32_t limit : {0, 1, 80}) {
    EXPECT_EQ(one({.partitions = {{.max_bytes = limit}}}).records, batches[0]) << limit;
    EXPECT_EQ(one({.max_bytes = limit}).records, batches[0]) << limit;
    EXPECT_EQ(one({.partitions = {{.offset = 4, .max_bytes = limit}}}).records, batches[2])
        << limit;
  }
}

TEST_F(Fetch, OnlyTheFirstPartitionWithRecordsIsAllowedAboveTheLimits) {
  fill();
  client->produce("t", {}, 1);
  std::string second = Batch().bytes();
  auto sizes = [&](const FetchSpec& spec) {
    std::vector<size_t> out;
    for (const Fetched& p : client->fetch(spec).partitions) out.push_back(p.records.size());
    return out;
  };
  using Sizes = std::vector<size_t>;
  EXPECT_EQ(sizes({.partitions = {{.index = 0}, {.index = 1}}}),
            (Sizes{all().size(), second.size()}));
  EXPECT_EQ(sizes({.partitions = {{.index = 1}, {.index = 0}}}),
            (Sizes{second.size(), all().size()}));
  EXPECT_EQ(sizes({.partitions = {{.index = 0}, {.index = 1}}, .max_bytes = 1}),
            (Sizes{batches[0].size(), 0}));
  EXPECT_EQ(sizes({.partitions = {{.index = 0, .offset = 5}, {.index = 1, .max_bytes = 1}}}),
            (Sizes{0, second.size()}));
  EXPECT_EQ(sizes({.partitions = {{.index = 0, .offset = 0}, {.index = 0, .offset = 1}}}),
            (Sizes{all(1).size()}))
      << "of a partition that is named twice the last counts";
}

TEST_F(Fetch, AReplyHasABoundThatNoConsumerCanRaise) {
  client.reset();
  ASSERT_TRUE(world.stop());
  world.config.fetch_max_bytes = 200;
  world.start();
  client = std::make_unique<Client>(world);
  fill();
  EXPECT_LE(one({.max_bytes = INT32_MAX}).records.size(), 200u);
}

TEST_F(Fetch, LimitsBelowZeroAreErrorsOfThePartition) {
  fill();
  for (const FetchSpec& spec :
       {FetchSpec{.partitions = {{.max_bytes = -1}}}, FetchSpec{.max_bytes = -1}}) {
    Fetched found = one(spec);
    EXPECT_EQ(found.error, -1);
    EXPECT_EQ(found.high_watermark, -1);
    EXPECT_TRUE(found.aborted_is_null);
  }
}

TEST_F(Fetch, AnUnknownIsolationLevelFailsAsAWhole) {
  FetchReply reply = client->fetch({.isolation = 7});
  EXPECT_EQ(reply.error, -1);
  ASSERT_EQ(reply.partitions.size(), 1u);
  EXPECT_EQ(reply.partitions[0].error, -1);
  EXPECT_FALSE(reply.partitions[0].aborted_is_null);
}

TEST_F(Fetch, WhatIsNotThereIsSaidAtOnce) {
  for (const FetchSpec& spec : {FetchSpec{.partitions = {{.index = 9}}, .max_wait_ms = 5'000},
                                FetchSpec{.partitions = {{.index = -1}}, .max_wait_ms = 5'000},
                                FetchSpec{.topic = "nobody", .max_wait_ms = 5'000},
                                FetchSpec{.topic = "bad name", .max_wait_ms = 5'000}}) {
    Instant before = world.world.now();
    Fetched found = one(spec);
    EXPECT_EQ(found.error, 3);
    EXPECT_EQ(found.high_watermark, -1);
    EXPECT_FALSE(found.aborted_is_null);
    EXPECT_LT((world.world.now() - before).millis(), 100);
  }
}

TEST_F(Fetch, WaitsForRecordsAndNoLonger) {
  fill();
  FetchSpec at_end{.partitions = {{.offset = 5}}, .max_wait_ms = 400};
  int64_t time = waited(at_end).millis();
  EXPECT_GE(time, 400);
  EXPECT_LT(time, 450);
  EXPECT_GE(waited({.max_wait_ms = 400, .min_bytes = 100'000}).millis(), 400)
      << "too little is there";
  EXPECT_LT(waited({.max_wait_ms = 5'000}).millis(), 100) << "there is enough";
  at_end = {.partitions = {{.offset = 5}}, .max_wait_ms = 5'000, .min_bytes = 0};
  EXPECT_LT(waited(at_end).millis(), 100) << "nothing is enough";
  EXPECT_LT(waited({.partitions = {{.offset = 6}}, .max_wait_ms = 5'000}).millis(), 100)
      << "an error";
  EXPECT_LT(waited({.partitions = {}, .max_wait_ms = 5'000}).millis(), 100)
      << "nothing is asked for";
  EXPECT_LT(waited({.partitions = {{.offset = 5}}, .max_wait_ms = -1}).millis(), 100);
}

TEST_F(Fetch, WakesWhenRecordsCome) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    BrokerWorld busy(seed);
    busy.start();
    Client producer(busy);
    producer.create("t", 2);
    Client consumer(busy);
    for (int64_t round = 0; round < 5; round++) {
      FetchSpec spec{.partitions = {{.index = 0, .offset = round}, {.index = 1}},
                     .max_wait_ms = 60'000};
      consumer.send(api::kFetch, 11, spec.bytes());
      producer.send(api::kProduce, 8, produce_request("t", 0, Batch().bytes()));
      ASSERT_TRUE(producer.reply());
      std::optional<In> reply = consumer.reply(milliseconds(100));
      ASSERT_TRUE(reply) << "seed " << seed << " round " << round;
      EXPECT_EQ(read_fetched(*reply).partitions[0].records.size(), Batch().bytes().size());
    }
  }
}

TEST_F(Fetch, WakesOnlyWhenEnoughHasCome) {
  Client consumer(world);
  size_t size = Batch().bytes().size();
  consumer.send(
      api::kFetch, 11,
      FetchSpec{.max_wait_ms = 60'000, .min_bytes = static_cast<int32_t>(3 * size)}.bytes());
  client->produce("t");
  client->produce("t");
  world.run_for(milliseconds(100));
  EXPECT_FALSE(consumer.has_reply());
  client->produce("t");
  std::optional<In> reply = consumer.reply(milliseconds(100));
  ASSERT_TRUE(reply);
  EXPECT_EQ(read_fetched(*reply).partitions[0].records.size(), 3 * size);
}

TEST_F(Fetch, ManyWaitingConsumersAllWake) {
  std::vector<std::unique_ptr<Client>> consumers;
  for (int i = 0; i < 50; i++) {
    consumers.push_back(std::make_unique<Client>(world));
    consumers.back()->send(api::kFetch, 11, FetchSpec{.max_wait_ms = 600'000}.bytes());
  }
  client->produce("t");
  for (auto& consumer : consumers) EXPECT_TRUE(consumer->reply(milliseconds(200)));
}

TEST_F(Fetch, LooksAtTheLeaderEpoch) {
  fill();
  auto error = [&](int32_t epoch) { return one({.partitions = {{.leader_epoch = epoch}}}).error; };
  EXPECT_EQ(error(0), 0);
  EXPECT_EQ(error(-1), 0);
  EXPECT_EQ(error(-5), 0);
  EXPECT_EQ(error(99), 75);
}

// Version 12, flexible: with the epoch of what was read last (KIP-595).
struct Divergence {
  int16_t error;
  bool records;
  bool diverges;
};
Divergence fetch_after(Client& client, int64_t offset, int32_t last_epoch) {
  Out out;
  out.i32(-1).i32(0).i32(1).i32(1 << 20).i8(0).i32(0).i32(-1);
  out.count(2)
      .compact("t")
      .count(2)
      .i32(0)
      .i32(-1)
      .i64(offset)
      .i32(last_epoch)
      .i64(-1)
      .i32(1 << 20)
      .count(0)
      .count(0);
  out.count(1).compact("").count(0);
  In in = client.call(api::kFetch, 12, out.bytes(), true);
  in.raw(10);
  EXPECT_EQ(in.count(), 2u);
  in.compact();
  EXPECT_EQ(in.count(), 2u);
  in.i32();
  Divergence found{};
  found.error = in.i16();
  in.raw(24);
  for (size_t aborted = in.count(); aborted > 1; aborted--) in.raw(17);
  in.i32();
  size_t records = in.count();
  found.records = records > 1;
  in.raw(records > 0 ? records - 1 : 0);
  if (in.count() > 0) {
    EXPECT_EQ(in.count(), 0u) << "the tag of DivergingEpoch";
    in.count();
    EXPECT_EQ(in.i32(), 0);
    EXPECT_EQ(in.i64(), 5);
    found.diverges = true;
  }
  return found;
}
TEST_F(Fetch, TellsWhereTheConsumersLogLeftOurs) {
  fill();
  Divergence same = fetch_after(*client, 1, 0);
  EXPECT_TRUE(same.error == 0 && same.records && !same.diverges);
  Divergence past = fetch_after(*client, 100, 0);
  EXPECT_TRUE(past.error == 0 && !past.records && past.diverges);
  Divergence unknown = fetch_after(*client, 1, 99);
  EXPECT_TRUE(unknown.error == 1 && !unknown.records && !unknown.diverges);
}

TEST_F(Fetch, KnowsOnlySessionsThatItOpened) {
  fill();
  EXPECT_EQ(client->fetch({.session_id = 77, .session_epoch = 1}).error, 70);
  EXPECT_EQ(client->fetch({.session_id = 0, .session_epoch = 1}).error, 70);
  EXPECT_EQ(client->fetch({.session_id = 77, .session_epoch = -1}).error, 0);
}

}  // namespace
}  // namespace moldau::broker
