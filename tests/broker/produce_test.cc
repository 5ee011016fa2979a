// Produce: what is answered, when, and what is refused. The expected answers are Apache
// Kafka 4.3.1's.
#include "base/crc32c.h"
#include "broker_world.h"

namespace moldau::broker {
namespace {

struct Produce : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  void SetUp() override {
    world.start();
    client = std::make_unique<Client>(world);
    client->create("t", 2);
  }
  void TearDown() override { client.reset(); }
  Produced send(const std::string& records, int32_t partition = 0,
                std::optional<std::string> transactional_id = {}) {
    return read_produced(
        client->call(api::kProduce, 8,
                     produce_request("t", partition, records, -1, std::move(transactional_id))));
  }
  static std::string changed(std::string batch, size_t at, std::string_view with,
                             bool keep_crc_valid) {
    batch.replace(at, with.size(), with);
    if (keep_crc_valid) {
      auto* bytes = reinterpret_cast<uint8_t*>(batch.data());
      store_be(bytes + 17, crc32c(as_bytes(batch).subspan(21)));
    }
    return batch;
  }
};

TEST_F(Produce, GivesOffsetsInOrder) {
  Produced first = client->produce("t", {.records = 3});
  EXPECT_EQ(first,
            (Produced{.index = 0, .error = 0, .base = 0, .append_time = -1, .log_start = 0}));
  EXPECT_EQ(client->produce("t", {.records = 2}).base, 3);
  EXPECT_EQ(client->produce("t").base, 5);
  EXPECT_EQ(client->produce("t", {}, 1).base, 0);
  EXPECT_EQ(client->produce("t", {}, 0, 1).base, 6) << "acks=1";
}

TEST_F(Produce, AnswersOnlyWhenTheBatchIsDurable) {
  Produced produced = client->produce("t", {.fill = 'd'});
  EXPECT_EQ(produced.error, 0);
  world.crash(sim::Crash::power);
  client.reset();
  world.start();
  client = std::make_unique<Client>(world);
  EXPECT_EQ(client->offset("t", -1).offset, 1);
}

TEST_F(Produce, NeedsNoTimeoutToWaitForASlowDisk) {
  world.node.disk().slow_down(1'000);  // a sync takes two seconds
  client->send(
      api::kProduce, 8,
      Out().no_text().i16(-1).i32(0).i32(1).text("t").i32(1).i32(0).blob(Batch().bytes()).bytes());
  std::optional<In> reply = client->reply(seconds(300));
  ASSERT_TRUE(reply);
  EXPECT_EQ(read_produced(*reply).error, 0) << "the timeout of 0 is for other replicas";
}

TEST_F(Produce, WithoutAcksAnswersNothing) {
  client->send(api::kProduce, 8, produce_request("t", 0, Batch().bytes(), 0));
  client->send(api::kProduce, 8, produce_request("t", 0, Batch().bytes(), 0));
  EXPECT_EQ(client->produce("t").base, 2) << "the first reply is the third request's";
}

TEST_F(Produce, WithoutAcksAFailureClosesTheConnection) {
  client->send(api::kProduce, 8, produce_request("t", 9, Batch().bytes(), 0));
  EXPECT_TRUE(client->wait_closed());
  Client other(world);
  other.send(api::kProduce, 8,
             produce_request("t", 0, changed(Batch().bytes(), 17, "\1\2\3\4", false), 0));
  EXPECT_TRUE(other.wait_closed());
}

TEST_F(Produce, WithoutAcksIsHeldBackWhenTheDiskIsBehind) {
  EXPECT_EQ(client->produce("t").error, 0);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; i++) clients.push_back(std::make_unique<Client>(world));
  world.node.disk().slow_down(1'000'000);  // nothing is written for half a minute
  std::string request = produce_request("t", 0, Batch{.value_size = 1'000'000}.bytes(), 0);
  for (int round = 0; round < 6; round++)
    for (auto& one : clients) one->send_later(api::kProduce, 8, request);
  world.run_for(seconds(2));
  // All of it is 48 MB; the partition takes 16, and then what each connection has begun.
  EXPECT_LE(world.server->memory(), 40u << 20);
  EXPECT_GE(world.server->memory(), 16u << 20);
}

TEST_F(Produce, RefusesWhatIsNotThere) {
  EXPECT_EQ(send(Batch().bytes(), 9).error, 3);
  EXPECT_EQ(send(Batch().bytes(), -1).error, 3);
  Produced unknown = client->produce("nobody");
  EXPECT_EQ(unknown,
            (Produced{.index = 0, .error = 3, .base = -1, .append_time = -1, .log_start = -1}));
  EXPECT_EQ(client->produce("bad name").error, 3);
  EXPECT_EQ(client->produce("").error, 3);
}

TEST_F(Produce, RefusesOtherAcks) {
  for (int16_t acks : {int16_t{2}, int16_t{-2}}) {
    EXPECT_EQ(client->produce("t", {}, 0, acks),
              (Produced{.index = 0, .error = 21, .base = -1, .append_time = -1, .log_start = -1}));
  }
}

TEST_F(Produce, RefusesDamagedBatches) {
  std::string good = Batch{.records = 2}.bytes();
  struct Case {
    const char* what;
    std::string records;
    int16_t error;
    int64_t log_start;
    std::string message;
  };
  std::vector<Case> cases = {
      {"nothing", "", 87, -1, ""},
      {"ten zeros", std::string(10, '\0'), 87, -1, ""},
      {"truncated header", good.substr(0, 40), 87, -1, ""},
      {"truncated batch", good.substr(0, good.size() - 1), 87, -1, ""},
      {"bad checksum", changed(good, good.size() - 3, "!", false), 2, -1, ""},
      {"length 10", changed(good, 8, std::string("\0\0\0\x0a", 4), false), 2, -1,
       "Record size 10 is less than the minimum record overhead (14)"},
      {"length -1", changed(good, 8, "\xff\xff\xff\xff", false), 2, -1,
       "Record size -1 is less than the minimum record overhead (14)"},
      {"magic 0", changed(good, 16, std::string(1, '\0'), false), 87, -1, ""},
      {"magic 1", changed(good, 16, "\1", false), 87, -1, ""},
      {"magic 3", changed(good, 16, "\3", false), 2, -1, "Invalid magic found in record: 3"},
      {"two batches", good + good, 87, -1, ""},
      {"base offset 7", changed(good, 7, "\7", false), 87, 0, ""},
      {"a count of 3", changed(good, 57, std::string("\0\0\0\3", 4), true), 87, 0, ""},
      {"a count of 0", changed(good, 57, std::string("\0\0\0\0", 4), true), 87, 0, ""},
      {"a last offset delta of -1", changed(good, 23, "\xff\xff\xff\xff", true), 87, 0, ""},
      {"a control batch", changed(good, 21, std::string("\0\x20", 2), true), 87, 0, ""},
      {"codec 5", changed(good, 21, std::string("\0\5", 2), true), -1, 0, ""},
  };
  for (const Case& c : cases) {
    Produced produced = send(c.records);
    EXPECT_EQ(produced.error, c.error) << c.what;
    EXPECT_EQ(produced.base, -1) << c.what;
    EXPECT_EQ(produced.log_start, c.log_start) << c.what;
    EXPECT_EQ(produced.message, c.message) << c.what;
  }
  EXPECT_EQ(send(good + "x").base, 0)
      << "a byte behind the batch is ignored, and nothing above was kept";
}

TEST_F(Produce, RefusesBatchesAboveTheLimit) {
  EXPECT_EQ(client->produce("t", {.value_size = 1'048'588}).error, 10);
  EXPECT_EQ(client->produce("t", {.value_size = 1'048'500}).error, 0);
}

TEST_F(Produce, StoresABatchOfAnIdempotentProducerOnce) {
  auto batch = [](int16_t epoch, int32_t sequence, int records = 2) {
    return Batch{.records = records, .producer_id = 9, .epoch = epoch, .sequence = sequence}
        .bytes();
  };
  EXPECT_EQ(send(Batch().bytes()).base, 0);
  Produced first = send(batch(0, 0));
  EXPECT_EQ(first.base, 1);
  EXPECT_EQ(first.append_time, -1);
  EXPECT_EQ(send(batch(0, 2)).base, 3);
  Produced again = send(batch(0, 0));
  EXPECT_EQ(again.error, 0);
  EXPECT_EQ(again.base, 1) << "where it is";
  EXPECT_EQ(again.append_time, 1'700'000'000'001) << "Kafka shows the batch's timestamp here";
  Produced gap = send(batch(0, 5));
  EXPECT_EQ(gap,
            (Produced{.index = 0, .error = 45, .base = -1, .append_time = -1, .log_start = 0}));
  EXPECT_EQ(send(batch(1, 1)).error, 45) << "a new epoch begins at 0";
  EXPECT_EQ(send(batch(1, 0)).base, 5);
  EXPECT_EQ(send(batch(0, 4)).error, 47) << "the old epoch is over";
  EXPECT_EQ(send(Batch().bytes()).base, 7) << "nothing else was stored";
}

TEST_F(Produce, RefusesTransactionalBatches) {
  constexpr int16_t kTransactional = 16;
  std::string batch =
      Batch{.attributes = kTransactional, .producer_id = 1, .epoch = 0, .sequence = 0}.bytes();
  EXPECT_EQ(send(batch),
            (Produced{.index = 0, .error = 53, .base = -1, .append_time = -1, .log_start = -1}));
  EXPECT_EQ(send(batch, 0, "id").error, 48);
  EXPECT_EQ(client->offset("t", -1).offset, 0);
}

TEST_F(Produce, OneBadPartitionDoesNotHoldUpTheOthers) {
  Out request;
  std::string good = Batch().bytes();
  request.no_text()
      .i16(-1)
      .i32(1000)
      .i32(1)
      .text("t")
      .i32(3)
      .i32(0)
      .blob(good)
      .i32(9)
      .blob(good)
      .i32(1)
      .blob("x");
  In reply = client->call(api::kProduce, 8, request.bytes());
  EXPECT_EQ(reply.i32(), 1);
  reply.text();
  std::vector<int16_t> errors;
  for (int32_t n = reply.i32(); n > 0; n--) {
    reply.i32();
    errors.push_back(reply.i16());
    reply.raw(24);
    EXPECT_EQ(reply.i32(), 0);
    reply.text();
  }
  EXPECT_EQ(errors, (std::vector<int16_t>{0, 3, 87}));
  EXPECT_EQ(client->offset("t", -1).offset, 1);
}

TEST_F(Produce, AFullDiskIsAStorageErrorAndLeavesNoTrace) {
  world.node.disk().add_trouble(
      {.calls = sim::kDiskWrite, .path_part = ".log", .code = Errc::no_space},
      world.world.stream("trouble"));
  EXPECT_EQ(client->produce("t").error, 56);
  EXPECT_EQ(client->offset("t", -1).offset, 0);
  EXPECT_FALSE(client->closed());
}

}  // namespace
}  // namespace moldau::broker
