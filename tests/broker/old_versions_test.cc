// Produce 0 to 2 and Fetch 0 to 3: clients that know message formats 0 and 1 only. What they send
// is stored in format 2, and what they read is converted back.
#include <fmt/format.h>

#include "broker_world.h"
#include "wire/legacy_message.h"
#include "wire/record_set.h"

namespace moldau::broker {
namespace {

using wire::Codec;

std::string text_of(const std::vector<uint8_t>& bytes) { return std::string(as_text(bytes)); }

// "k0"="v0", "k1"="v1" ... as one message set.
std::string old_set(int8_t magic, Codec codec, int count, int64_t first_time = 1000) {
  wire::LegacySetBuilder builder({.magic = magic, .codec = codec, .level = 1});
  for (int i = 0; i < count; i++) {
    std::string key = fmt::format("k{}", i), value = fmt::format("v{}", i);
    builder.add(Offset(i), first_time + i, as_bytes(key), as_bytes(value));
  }
  return text_of(builder.finish());
}

struct Line {
  int64_t offset, timestamp;
  std::string key, value;
  auto operator<=>(const Line&) const = default;
};

std::vector<Line> lines_of(const std::string& set, int8_t magic) {
  std::vector<Line> out;
  wire::Inflater inflater;
  wire::SetWalk walk(as_bytes(set), wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    EXPECT_EQ(walk.batch().magic, magic);
    EXPECT_TRUE(wire::check_any_crc(walk.batch()));
    wire::BatchRecords records(inflater);
    EXPECT_TRUE(records.open(walk.batch()));
    while (records.next()) {
      const wire::AnyRecord& r = records.record();
      out.push_back({r.offset.value, r.timestamp, std::string(as_text(r.key.value_or(Bytes()))),
                     std::string(as_text(r.value.value_or(Bytes())))});
    }
  }
  EXPECT_TRUE(walk.finish());
  return out;
}

struct OldVersions : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  void SetUp() override {
    start({});
    client->create("t");
  }
  void TearDown() override { client.reset(); }
  void start(const TopicDefaults& topic) {
    client.reset();
    if (world.server) ASSERT_TRUE(world.stop());
    world.config.topic = topic;
    world.start();
    client = std::make_unique<Client>(world);
  }

  // Base offset, or the error below 0.
  int64_t produce(int16_t version, const std::string& set) {
    In reply =
        client->call(api::kProduce, version,
                     Out().i16(-1).i32(1000).i32(1).text("t").i32(1).i32(0).blob(set).bytes());
    EXPECT_EQ(reply.i32(), 1);
    reply.text();
    EXPECT_EQ(reply.i32(), 1);
    reply.i32();
    int16_t error = reply.i16();
    int64_t base = reply.i64();
    if (version >= 2) append_time = reply.i64();
    return error != 0 ? -error : base;
  }
  std::string fetch(int16_t version, int64_t offset = 0, int16_t expected_error = 0) {
    Out request;
    request.i32(-1).i32(0).i32(1);
    if (version >= 3) request.i32(50 << 20);
    request.i32(1).text("t").i32(1).i32(0).i64(offset).i32(1 << 20);
    In reply = client->call(api::kFetch, version, request.bytes());
    if (version >= 1) reply.i32();  // throttled
    EXPECT_EQ(reply.i32(), 1);
    reply.text();
    EXPECT_EQ(reply.i32(), 1);
    reply.i32();
    EXPECT_EQ(reply.i16(), expected_error);
    reply.i64();  // high watermark
    return reply.blob();
  }
  int64_t append_time = 0;
};

TEST_F(OldVersions, WhatOldProducersSendIsStoredInFormat2) {
  for (int16_t version : {int16_t{0}, int16_t{1}, int16_t{2}}) {
    int8_t magic = version < 2 ? 0 : 1;
    for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4}) {
      int64_t base = client->offset("t", -1).offset;
      EXPECT_EQ(produce(version, old_set(magic, codec, 3)), base);
      std::string stored = client->fetch({.partitions = {{.offset = base}}}).partitions[0].records;
      auto batch = wire::read_any_batch(as_bytes(stored));
      ASSERT_TRUE(batch);
      EXPECT_EQ(batch->codec, codec);
      EXPECT_EQ(lines_of(stored, 2),
                (std::vector<Line>{{base, magic ? 1000 : -1, "k0", "v0"},
                                   {base + 1, magic ? 1001 : -1, "k1", "v1"},
                                   {base + 2, magic ? 1002 : -1, "k2", "v2"}}));
    }
  }
  EXPECT_EQ(append_time, -1);
}

TEST_F(OldVersions, OldConsumersGetTheFormatOfTheirTime) {
  for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4})
    produce(2, old_set(1, codec, 2));
  for (int16_t version = 0; version < 4; version++) {
    int8_t magic = version < 2 ? 0 : 1;
    std::vector<Line> lines = lines_of(fetch(version), magic);
    ASSERT_EQ(lines.size(), 8u) << version;
    for (int64_t i = 0; i < 8; i++)
      EXPECT_EQ(lines[static_cast<size_t>(i)],
                (Line{i, magic ? 1000 + i % 2 : -1, fmt::format("k{}", i % 2),
                      fmt::format("v{}", i % 2)}));
    EXPECT_EQ(lines_of(fetch(version, 1), magic).front().offset, 1);
  }
}

TEST_F(OldVersions, WhatIsReadFromTheFileIsConvertedToo) {
  produce(2, old_set(1, Codec::lz4, 2));
  start({});  // the tail is empty again
  EXPECT_EQ(lines_of(fetch(3), 1).size(), 2u);
}

TEST_F(OldVersions, DamageIsRefusedAndNothingIsEmptySuccess) {
  std::string set = old_set(1, Codec::none, 2);
  set[20] = '!';
  EXPECT_EQ(produce(2, set), -2) << "CORRUPT_MESSAGE";
  EXPECT_EQ(produce(2, old_set(1, Codec::gzip, 2) + old_set(1, Codec::gzip, 2)), -87);
  EXPECT_EQ(produce(2, ""), -1);
  EXPECT_EQ(produce(2, old_set(1, Codec::none, 1).substr(0, 20)), -1);
  EXPECT_EQ(client->offset("t", -1).offset, 0);
}

TEST_F(OldVersions, NewBatchesInOldRequestsAreTakenAsTheyAre) {
  EXPECT_EQ(produce(2, Batch{.records = 2}.bytes() + Batch{.records = 3}.bytes()), 0);
  EXPECT_EQ(client->offset("t", -1).offset, 5);
}

TEST_F(OldVersions, ZstdHasNoOldFormat) {
  start({.codec = Codec::zstd});
  EXPECT_EQ(client->produce("t", {.records = 2}).error, 0);
  EXPECT_EQ(fetch(3, 0, 76), "");
}

TEST_F(OldVersions, TheTopicsCodecIsAppliedToWhatProducersSend) {
  start({.codec = Codec::gzip});
  EXPECT_EQ(client->produce("t", {.records = 20, .value_size = 100}).base, 0);
  std::string stored = client->fetch({}).partitions[0].records;
  auto batch = wire::read_any_batch(as_bytes(stored));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->codec, Codec::gzip);
  EXPECT_EQ(lines_of(stored, 2).size(), 20u);
}

TEST_F(OldVersions, TheBrokersTimestampsAreSetInPlace) {
  start({.timestamp_type = wire::TimestampType::log_append_time});
  Produced produced = client->produce("t", {.records = 2});
  EXPECT_GT(produced.append_time, 0);
  std::string stored = client->fetch({}).partitions[0].records;
  for (const Line& line : lines_of(stored, 2)) EXPECT_EQ(line.timestamp, produced.append_time);
  EXPECT_EQ(produce(2, old_set(1, Codec::lz4, 2)), 2);
  EXPECT_EQ(append_time, lines_of(fetch(3, 2), 1).back().timestamp);
}

}  // namespace
}  // namespace moldau::broker
