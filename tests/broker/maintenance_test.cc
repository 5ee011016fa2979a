// What the broker does by the clock: old segments go, silent producers are forgotten, a compacted
// partition is cleaned while it is used; and DeleteRecords, which goes the same way.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "broker_world.h"
#include "host/disk.h"

namespace moldau::broker {
namespace {

constexpr int16_t kOutOfRange = 1;
constexpr int16_t kPolicyViolation = 44;
constexpr int16_t kOutOfOrder = 45;
constexpr int16_t kStorageError = 56;
constexpr int16_t kInvalidRecord = 87;

struct MaintenanceTest : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  MaintenanceTest() {
    world.config.log.segment_bytes = 1000;
    world.config.log.delete_delay = seconds(2);
    world.config.maintenance = {.retention_check = seconds(1)};
  }
  void TearDown() override { client.reset(); }
  void start() {
    world.start();
    client = std::make_unique<Client>(world);
  }
  void again() {
    client.reset();
    world.start();
    client = std::make_unique<Client>(world);
  }
  void fill(int batches, int64_t timestamp = 1'700'000'000'000, int32_t partition = 0) {
    for (int i = 0; i < batches; i++)
      EXPECT_EQ(client->produce("t", {.value_size = 200, .timestamp = timestamp}, partition).error,
                0);
  }
  Fetched at(int64_t offset, int32_t partition = 0) {
    FetchReply reply = client->fetch({.partitions = {{.index = partition, .offset = offset}}});
    return reply.partitions.size() == 1 ? reply.partitions[0] : Fetched{};
  }
  int64_t earliest(int32_t partition = 0) { return client->offset("t", -2, partition).offset; }
  std::set<std::string> files(const std::string& path = "/data/t-0") {
    std::set<std::string> out;
    bool done = false;
    world.node.scope().spawn(list(path, out, done));
    EXPECT_TRUE(world.run_until([&] { return done; }));
    return out;
  }
  host::Task<void> list(std::string path, std::set<std::string>& out, bool& done) {
    auto entries = co_await world.node.env().disk.list(path);
    if (entries)
      for (const host::DirEntry& entry : *entries) out.insert(entry.name);
    done = true;
  }
  size_t count(std::string_view suffix, const std::string& path = "/data/t-0") {
    std::set<std::string> all = files(path);
    return static_cast<size_t>(std::ranges::count_if(
        all, [&](const std::string& name) { return name.ends_with(suffix); }));
  }
  std::vector<RecordsDeleted> delete_below(int64_t offset) {
    return read_records_deleted(
        client->call(api::kDeleteRecords, 1, delete_records_request("t", {{0, offset}})));
  }
};

TEST_F(MaintenanceTest, ALogThatIsTooLargeLosesItsOldestSegments) {
  world.config.log.retention = {.millis = -1, .bytes = 2000};
  start();
  client->create("t");
  fill(40);
  world.run_for(milliseconds(2500));
  int64_t start = earliest();
  EXPECT_GT(start, 20);
  EXPECT_LT(start, 36);
  EXPECT_EQ(at(start - 1).error, kOutOfRange);
  EXPECT_EQ(at(start).error, 0);
  EXPECT_EQ(at(start).log_start, start);
  EXPECT_GT(count(".deleted"), 0u) << "who reads them may still open them";
  world.run_for(seconds(3));
  EXPECT_EQ(count(".deleted"), 0u);
  size_t segments = count(".log");
  EXPECT_LT(segments, 6u);
  world.crash(sim::Crash::power);
  again();
  EXPECT_EQ(earliest(), start);
  EXPECT_EQ(at(start - 1).error, kOutOfRange);
  EXPECT_EQ(at(39).error, 0);
}

TEST_F(MaintenanceTest, RecordsThatAreTooOldGoAllOfThem) {
  world.config.log.retention = {.millis = 60'000};
  start();
  client->create("t");
  fill(12, world.node.wall().millis);
  world.run_for(seconds(30));
  EXPECT_EQ(earliest(), 0);
  world.run_for(seconds(40));
  EXPECT_EQ(earliest(), 12);
  EXPECT_EQ(at(12).error, 0);
  EXPECT_EQ(at(11).error, kOutOfRange);
  EXPECT_EQ(client->produce("t", {.timestamp = world.node.wall().millis}).base, 12);
  world.run_for(seconds(5));
  EXPECT_EQ(count(".log"), 1u);
}

// Two data directories; the disk behind one cannot write where its logs begin.
struct OneBadDisk : MaintenanceTest {
  OneBadDisk() {
    world.config.log_dirs = {"/a", "/b"};
    world.config.log.retention = {.millis = -1, .bytes = 2000};
    world.config.maintenance.retention_check = seconds(4);
  }
  void fail_checkpoints(const std::string& bad, Errc code) {
    world.node.disk().add_trouble(
        {.calls = sim::kDiskWrite, .path_part = bad + "/log-start-offset-checkpoint", .code = code},
        world.world.stream("trouble"));
  }
  void retain_with(const std::string& bad, Errc code) {
    start();
    client->create("t", 2);
    fail_checkpoints(bad, code);
    fill(40, 1'700'000'000'000, 0);
    fill(40, 1'700'000'000'000, 1);
    world.run_for(seconds(6));  // one round
  }
};

TEST_F(OneBadDisk, AFullOneHoldsUpRetentionOfNoOther) {
  retain_with("/b", Errc::no_space);
  EXPECT_GT(earliest(0), 20);
  EXPECT_LT(count(".log", "/a/t-0"), 6u);
  EXPECT_GT(earliest(1), 20) << "there it makes room";
  EXPECT_LT(count(".log", "/b/t-1"), 6u);
  EXPECT_EQ(client->produce("t", {}, 1).error, 0) << "it is not offline";
  world.crash(sim::Crash::power);
  again();
  EXPECT_GT(earliest(1), 20);
  EXPECT_EQ(at(40, 1).error, 0);
}

TEST_F(OneBadDisk, NorDoesTheFirst) {
  retain_with("/a", Errc::no_space);
  EXPECT_GT(earliest(1), 20);
  EXPECT_LT(count(".log", "/b/t-1"), 6u);
  EXPECT_EQ(client->produce("t", {}, 0).error, 0);
}

TEST_F(OneBadDisk, OneThatFailsGoesOfflineAndTheOtherIsLookedAfter) {
  retain_with("/b", Errc::io);
  EXPECT_GT(earliest(0), 20);
  EXPECT_LT(count(".log", "/a/t-0"), 6u);
  EXPECT_EQ(client->produce("t", {}, 1).error, kStorageError);
  EXPECT_GT(count(".log", "/b/t-1"), 6u) << "nothing goes there";
}

TEST_F(MaintenanceTest, AProducerThatIsSilentForTooLongIsForgotten) {
  world.config.log.producer_expiration_millis = 10'000;
  world.config.maintenance.producer_expiry_check = seconds(1);
  start();
  client->create("t");
  Batch batch{.timestamp = world.node.wall().millis, .producer_id = 7, .epoch = 0, .sequence = 0};
  EXPECT_EQ(client->produce("t", batch).error, 0);
  batch.sequence = 5;
  EXPECT_EQ(client->produce("t", batch).error, kOutOfOrder);
  world.run_for(seconds(12));
  EXPECT_EQ(client->produce("t", batch).error, 0) << "nothing is known of it any more";
}

TEST_F(MaintenanceTest, DeletedRecordsAreGoneForGood) {
  start();
  client->create("t");
  fill(12);
  EXPECT_EQ(delete_below(7), (std::vector<RecordsDeleted>{{0, 7, 0}}));
  EXPECT_EQ(delete_below(3), (std::vector<RecordsDeleted>{{0, 7, 0}})) << "it never goes back";
  EXPECT_EQ(delete_below(13), (std::vector<RecordsDeleted>{{0, -1, kOutOfRange}}));
  EXPECT_EQ(delete_below(-2), (std::vector<RecordsDeleted>{{0, -1, kOutOfRange}}));
  EXPECT_EQ(at(6).error, kOutOfRange);
  EXPECT_EQ(at(7).error, 0);
  world.crash(sim::Crash::power);
  again();
  EXPECT_EQ(earliest(), 7);
  world.run_for(seconds(5));
  std::set<std::string> left = files();
  EXPECT_FALSE(left.contains("00000000000000000000.log")) << "whole segments below the start go";
  EXPECT_EQ(delete_below(-1), (std::vector<RecordsDeleted>{{0, 12, 0}}));
  EXPECT_EQ(client->produce("t").base, 12);
}

TEST_F(MaintenanceTest, DeletedRecordsOfManyPartitionsAreSavedTogether) {
  start();
  client->create("t", 8);
  for (int32_t i = 0; i < 8; i++) fill(4, 1'700'000'000'000, i);
  world.run_for(milliseconds(100));  // what is derived from sealed segments is written
  auto operations = [&](const std::vector<std::pair<int32_t, int64_t>>& partitions) {
    uint64_t before = world.node.disk().operations();
    auto done = read_records_deleted(
        client->call(api::kDeleteRecords, 1, delete_records_request("t", partitions)));
    EXPECT_EQ(done.size(), partitions.size());
    for (const RecordsDeleted& one : done) EXPECT_EQ(one.error, 0);
    return world.node.disk().operations() - before;
  };
  uint64_t one = operations({{7, 1}});
  EXPECT_GT(one, 0u);
  EXPECT_EQ(operations({{0, 1}, {1, 2}, {2, 3}, {3, 1}, {4, 2}, {5, 3}, {6, 4}}), one);
  world.crash(sim::Crash::power);
  again();
  EXPECT_EQ(earliest(1), 2);
  EXPECT_EQ(earliest(6), 4);
  EXPECT_EQ(earliest(7), 1);
}

TEST_F(OneBadDisk, DeletedRecordsAreConfirmedWhereTheyAreSaved) {
  start();
  client->create("t", 4);
  for (int32_t i = 0; i < 4; i++) fill(2, 1'700'000'000'000, i);
  fail_checkpoints("/b", Errc::no_space);
  auto done = read_records_deleted(client->call(
      api::kDeleteRecords, 1, delete_records_request("t", {{0, 1}, {1, 1}, {2, 2}, {3, 3}})));
  EXPECT_EQ(done, (std::vector<RecordsDeleted>{
                      {0, 1, 0}, {1, -1, kStorageError}, {2, 2, 0}, {3, -1, kOutOfRange}}));
}

// Every record that is read is one that was sent to that offset, and the newest of each key is
// among them.
struct Compacted : MaintenanceTest {
  static constexpr int kKeys = 5;
  std::vector<Batch> sent;  // by offset
  Compacted() {
    world.config.log.clean = {.compact = true, .min_dirty_ratio = 0.1};
    world.config.log.retention.delete_old = false;
    world.config.cleaner.backoff = seconds(1);
    world.config.cleaner.map.bytes = 10'000;
  }
  void send(int batches) {
    for (int i = 0; i < batches; i++) {
      auto offset = static_cast<int64_t>(sent.size());
      Batch batch{.value_size = 100 + sent.size() % 50,
                  .fill = static_cast<char>('a' + offset % 26),
                  .key = fmt::format("key{}", offset * offset % kKeys)};
      EXPECT_EQ(client->produce("t", batch).base, offset);
      sent.push_back(batch);
    }
  }
  // From `position` to the end; how many batches. All that came is added to `bytes`.
  int read(int64_t& position, std::string* bytes = nullptr) {
    int count = 0;
    for (;;) {
      Fetched got = at(position);
      EXPECT_EQ(got.error, 0);
      if (got.records.empty()) return count;
      if (bytes) *bytes += got.records;
      for (In in(got.records); in.left() > 0; count++) {
        int64_t offset = in.i64();
        std::string rest = in.raw(static_cast<size_t>(in.i32()));
        EXPECT_GE(offset, position);
        EXPECT_LT(offset, std::ssize(sent));
        std::string wanted = sent[static_cast<size_t>(offset)].bytes();
        EXPECT_EQ(rest.substr(9), wanted.substr(21)) << "all but offset, length and epoch";
        position = offset + 1;
      }
    }
  }
  void expect_newest_of_each() {
    int64_t position = 0;
    std::string all;
    read(position, &all);
    for (int i = 0; i < kKeys; i++) {
      auto newest = std::ranges::find(sent.rbegin(), sent.rend(), fmt::format("key{}", i),
                                      [](const Batch& one) { return *one.key; });
      if (newest == sent.rend()) continue;
      std::string bytes = newest->bytes().substr(21);
      EXPECT_NE(all.find(bytes), std::string::npos) << i;
    }
  }
};

TEST_F(Compacted, APartitionIsCleanedWhileItIsUsed) {
  start();
  client->create("t");
  int64_t position = 0;
  int tail = 0;
  for (int round = 0; round < 12; round++) {
    send(10);
    tail += read(position);
    world.run_for(milliseconds(700));
  }
  EXPECT_GT(tail, 100) << "who reads at the end sees what is not cleaned yet";
  world.run_for(seconds(5));
  position = 0;
  int left = read(position);
  EXPECT_EQ(position, 120);
  EXPECT_LT(left, 40);
  EXPECT_GE(left, 3);
  expect_newest_of_each();
  EXPECT_EQ(earliest(), 0) << "what is compacted only is not deleted";
  EXPECT_EQ(count(".deleted"), 0u);
  world.crash(sim::Crash::power);
  again();
  position = 0;
  read(position);
  EXPECT_EQ(position, 120);
  expect_newest_of_each();
}

TEST_F(Compacted, OnlyRecordsWithKeysAreTakenAndNoneIsDeletedByRequest) {
  start();
  client->create("t");
  EXPECT_EQ(client->produce("t").error, kInvalidRecord);
  send(3);
  EXPECT_EQ(delete_below(1), (std::vector<RecordsDeleted>{{0, -1, kPolicyViolation}}));
}

TEST_F(Compacted, WithDeleteAsWellOldSegmentsGo) {
  world.config.log.retention = {.delete_old = true, .millis = -1, .bytes = 1500};
  start();
  client->create("t");
  // Each key once: nothing is superseded.
  for (int i = 0; i < 30; i++)
    EXPECT_EQ(client->produce("t", {.value_size = 200, .key = fmt::format("{}", i)}).error, 0);
  world.run_for(seconds(10));
  EXPECT_GT(earliest(), 15);
  EXPECT_LT(earliest(), 28);
  EXPECT_LT(count(".log"), 5u);
}

}  // namespace
}  // namespace moldau::broker
