// Opens a partition that Apache Kafka 4.3.1 wrote: 440 records by kcat, 400 of them in small
// batches and 40 in two gzip batches, index.interval.bytes=512, closed in order (so its indexes are
// complete).
#include <gtest/gtest.h>

#include "files_of.h"
#include "log/log.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr LogConfig kConfig{.index_interval_bytes = 512};
const LogDirConfig kDirConfig;
const std::string kSegment = "data/small-0/00000000000000000000";

struct Found {
  Offsets offsets;
  int segments_read = 0;
  std::vector<uint8_t> bytes;
  std::optional<TimestampOffset> first, last, none;
};

Task<void> look(Env& env, Found& found) {
  auto dir = co_await LogDir::open(env, "data", kDirConfig);
  auto opened = co_await Log::open(env, **dir, "small-0", kConfig);
  EXPECT_TRUE(opened) << opened.error().to_string();
  Log& log = **opened;
  found.offsets = log.offsets();
  found.segments_read = log.segments_read();
  ReadRequest request{.max_bytes = 1 << 20, .limit = found.offsets.end};
  auto result = co_await log.read(env, request);
  found.bytes.resize(result->bytes);
  MutableBytes into(found.bytes);
  auto count = co_await result->pieces[0].file->read_at(into, result->pieces[0].position);
  EXPECT_EQ(count.value_or(0), found.bytes.size());
  WallTime zero{0};
  WallTime never{INT64_MAX};
  auto first = co_await log.find_timestamp(env, zero);
  auto last = co_await log.max_timestamp(env);
  auto none = co_await log.find_timestamp(env, never);
  found.first = *first;
  found.last = *last;
  found.none = *none;
  Result<void> closed = co_await log.close(env);
  EXPECT_TRUE(closed);
  closed = co_await (*dir)->close(1);
  EXPECT_TRUE(closed);
}

Found open_fixture(TestDisk& disk, bool clean) {
  EXPECT_TRUE(load_files(disk, "data/small-0", std::string(FIXTURE) + "/small-0"));
  disk.directories.insert("data");
  if (clean) disk.names["data/.kafka_cleanshutdown"] = std::make_shared<TestDisk::Inode>();
  TestWorld world(disk);
  Found found;
  EXPECT_TRUE(world.run(look(world.env, found)));
  return found;
}

TEST(KafkaPartition, IsServedByteForByteAfterACleanStop) {
  TestDisk disk;
  Found found = open_fixture(disk, true);
  EXPECT_EQ(found.segments_read, 0);
  EXPECT_EQ(found.offsets.end, Offset(440));
  EXPECT_EQ(found.bytes, disk.file(kSegment + ".log"));
}

TEST(KafkaPartition, GivesTheSameIndexFilesWhenTheyAreBuiltAgain) {
  TestDisk original;
  ASSERT_TRUE(load_files(original, "data/small-0", std::string(FIXTURE) + "/small-0"));
  TestDisk disk;
  Found found = open_fixture(disk, false);
  EXPECT_EQ(found.segments_read, 1);
  EXPECT_EQ(found.offsets.end, Offset(440));
  for (const char* suffix : {".log", ".index", ".timeindex"})
    EXPECT_EQ(disk.file(kSegment + suffix), original.file(kSegment + suffix)) << suffix;
  EXPECT_EQ(disk.file("data/small-0/leader-epoch-checkpoint"),
            original.file("data/small-0/leader-epoch-checkpoint"));
}

TEST(KafkaPartition, IsFoundByTimestamp) {
  TestDisk disk;
  Found found = open_fixture(disk, false);
  ASSERT_TRUE(found.first);
  EXPECT_EQ(found.first->offset, Offset(0));
  ASSERT_TRUE(found.last);
  EXPECT_EQ(found.last->timestamp.millis, 1795263115069);
  EXPECT_FALSE(found.none);
}

}  // namespace
}  // namespace moldau::log
