// Reading a log of several segments whose tail holds next to nothing: ranges of files, limits,
// timestamps.
#include <gtest/gtest.h>

#include "host/disk.h"
#include "log/log.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr LogConfig kConfig{.segment_bytes = 1000, .index_interval_bytes = 150, .tail_bytes = 1};

const LogDirConfig kDirConfig;

// 30 batches of 3 records, timestamps 1000, 1001, 1002; 1010, ...; each batch 3 * 20 + ... bytes,
// in several segments.
struct Reading {
  TestDisk disk;
  TestWorld world{disk};
  std::unique_ptr<LogDir> dir;
  std::unique_ptr<Log> log;
  size_t batch = 0;  // bytes of each
};

Task<void> fill(Env& env, Reading& reading) {
  auto dir = co_await LogDir::open(env, "data", kDirConfig);
  reading.dir = std::move(*dir);
  auto log = co_await Log::open(env, *reading.dir, "topic-0", kConfig);
  reading.log = std::move(*log);
  for (int i = 0; i < 30; i++) {
    Incoming in = incoming(make_batch(3, 1000 + i * 10, 40));
    reading.batch = in.bytes.size();
    Appended appended = *reading.log->append(in.block, in.bytes, LeaderEpoch(0), WallTime{0});
    co_await reading.log->write_out(env);
    while (reading.log->state(appended) == AppendState::pending) co_await env.loop.yield();
  }
}

struct Want {
  const char* what;
  ReadRequest request;
  size_t bytes;  // in batches
  int64_t base;
};

Task<void> check_reads(Env& env, Log& log, size_t batch) {
  for (const Want& want :
       {Want{"one", {Offset(0), 1, Offset(90)}, 1, 0},
        Want{"from inside", {Offset(31), 2 * batch, Offset(90)}, 2, 30},
        Want{"up to the end of the segment", {Offset(0), 1 << 20, Offset(90)}, 1000 / batch, 0},
        Want{"up to a limit", {Offset(3), 1 << 20, Offset(9)}, 2, 3},
        Want{"a limit inside a batch", {Offset(3), 1 << 20, Offset(10)}, 2, 3},
        Want{"a limit inside the first batch", {Offset(3), 1 << 20, Offset(5)}, 0, 0},
        Want{"less than a batch", {Offset(3), batch - 1, Offset(90), false}, 0, 0}}) {
    ReadRequest request = want.request;
    auto read = co_await log.read(env, request);
    EXPECT_TRUE(read) << want.what;
    EXPECT_EQ(read->bytes, want.bytes * batch) << want.what;
    if (want.bytes > 0) EXPECT_EQ(read->base, Offset(want.base)) << want.what;
  }
  ReadRequest beyond{.from = Offset(91), .max_bytes = 1, .limit = Offset(91)};
  auto read = co_await log.read(env, beyond);
  EXPECT_EQ(read.error().code(), Errc::out_of_range);
}

TEST(LogRead, GivesRangesOfFilesWithinTheBounds) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  EXPECT_TRUE(reading.world.run(check_reads(reading.world.env, *reading.log, reading.batch)));
}

Task<void> check_every_offset(Env& env, Log& log) {
  for (int64_t offset = 0; offset < 90; offset++) {
    ReadRequest request{.from = Offset(offset), .max_bytes = 1, .limit = Offset(90)};
    auto read = co_await log.read(env, request);
    EXPECT_TRUE(read) << offset;
    EXPECT_EQ(read->base, Offset(offset / 3 * 3)) << offset;
  }
}

TEST(LogRead, FindsEveryOffsetAlsoWithoutIndexFiles) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  EXPECT_TRUE(reading.world.run(check_every_offset(reading.world.env, *reading.log)));
  std::erase_if(reading.disk.names,
                [](const auto& file) { return file.first.ends_with(".index"); });
  for (auto& [path, inode] : reading.disk.names)
    if (path.ends_with(".timeindex")) inode->data.resize(5);
  EXPECT_TRUE(reading.world.run(check_every_offset(reading.world.env, *reading.log)));
}

Task<void> check_timestamps(Env& env, Log& log) {
  for (int64_t t = 990; t <= 1292; t++) {
    WallTime time{t};
    auto found = co_await log.find_timestamp(env, time);
    int64_t batch = std::max<int64_t>(0, (t - 1000 + 7) / 10);  // 1003 to 1009 belong to nobody
    int64_t inside = std::max<int64_t>(0, t - 1000 - batch * 10);
    EXPECT_TRUE(found && *found) << t;
    EXPECT_EQ((*found)->offset, Offset(batch * 3 + inside)) << t;
    EXPECT_EQ((*found)->timestamp.millis, 1000 + batch * 10 + inside) << t;
  }
  WallTime late{1293};
  auto none = co_await log.find_timestamp(env, late);
  EXPECT_TRUE(none && !*none);
  auto largest = co_await log.max_timestamp(env);
  EXPECT_EQ(**largest, (TimestampOffset{WallTime{1292}, Offset(89)}));
}

TEST(LogRead, FindsTheFirstRecordOfEveryTimestamp) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  EXPECT_TRUE(reading.world.run(check_timestamps(reading.world.env, *reading.log)));
}

Task<void> remove_and_make_again(Env& env, Reading& reading) {
  ReadRequest request{.from = Offset(0), .max_bytes = 1 << 20, .limit = Offset(90)};
  auto held = co_await reading.log->read(env, request);
  Result<void> removed = co_await reading.log->remove(env);
  EXPECT_TRUE(removed);
  reading.log = nullptr;
  auto left = co_await reading.dir->contents(env);
  EXPECT_TRUE(left->partitions.empty());
  std::vector<uint8_t> bytes(held->bytes);
  MutableBytes into(bytes);
  auto count = co_await held->pieces[0].file->read_at(into, 0);
  EXPECT_EQ(*count, bytes.size()) << "who reads it keeps it";
  auto log = co_await Log::open(env, *reading.dir, "topic-0", kConfig);
  reading.log = std::move(*log);
  EXPECT_EQ(reading.log->offsets().end, Offset(0));
  removed = co_await reading.log->close(env);
  EXPECT_TRUE(removed);
}

TEST(LogRemove, FreesTheNameAndKeepsWhatIsBeingRead) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  EXPECT_TRUE(reading.world.run(remove_and_make_again(reading.world.env, reading)));
}

// No checksum covers the base offset: where it cannot be, the batch is not served.
TEST(LogRead, RefusesABatchWithAnOffsetThatCannotBe) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  std::vector<uint8_t>& file = reading.disk.file("data/topic-0/00000000000000000000.log");
  auto read = [](Env& e, Log& log) -> Task<void> {
    ReadRequest request{.from = Offset(3), .max_bytes = 1, .limit = Offset(90)};
    auto result = co_await log.read(e, request);
    EXPECT_EQ(result.error().code(), Errc::corrupt);
  };
  file[reading.batch + 2] ^= 1;  // far behind the end
  EXPECT_TRUE(reading.world.run(read(reading.world.env, *reading.log)));
  file[reading.batch + 2] ^= 1;
  file[reading.batch + 7] ^= 2;  // 1, where 3 is due
  EXPECT_TRUE(reading.world.run(read(reading.world.env, *reading.log)));
}

// Every bit that a checksum covers, of a batch in the middle of what is asked for.
Task<void> check_refusals(Env& env, Reading& reading) {
  std::vector<uint8_t>& file = reading.disk.file("data/topic-0/00000000000000000000.log");
  for (size_t at = reading.batch + 16; at < 2 * reading.batch; at++) {
    file[at] ^= static_cast<uint8_t>(1u << at % 8);
    ReadRequest request{.from = Offset(0), .max_bytes = 1 << 20, .limit = Offset(90)};
    auto refused = co_await reading.log->read(env, request);
    EXPECT_FALSE(refused) << at;
    EXPECT_TRUE(reading.log->take_damage()) << at;
    ReadRequest before{.from = Offset(0), .max_bytes = 1, .limit = Offset(90)};
    auto served = co_await reading.log->read(env, before);
    EXPECT_TRUE(served && served->bytes == reading.batch) << at;
    EXPECT_FALSE(reading.log->take_damage());
    file[at] ^= static_cast<uint8_t>(1u << at % 8);
  }
}

TEST(LogRead, RefusesWhatIsDamagedOnTheMedium) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  EXPECT_TRUE(reading.world.run(check_refusals(reading.world.env, reading)));
}

// The price of sendfile: memory is believed.
TEST(LogRead, LooksOnlyAtWhatComesFromTheMedium) {
  Reading reading;
  ASSERT_TRUE(reading.world.run(fill(reading.world.env, reading)));
  reading.disk.file("data/topic-0/00000000000000000000.log")[reading.batch + 70] ^= 1;
  auto read = [](Env& e, Log& log, bool served) -> Task<void> {
    ReadRequest request{.from = Offset(0), .max_bytes = 1 << 20, .limit = Offset(90)};
    auto result = co_await log.read(e, request);
    EXPECT_EQ(result.has_value(), served);
  };
  EXPECT_TRUE(reading.world.run(read(reading.world.env, *reading.log, false)));
  std::string damage = reading.log->take_damage().value_or("");
  EXPECT_TRUE(damage.contains("data/topic-0/00000000000000000000.log")) << damage;
  reading.disk.in_memory = true;
  EXPECT_TRUE(reading.world.run(read(reading.world.env, *reading.log, true)));
}

}  // namespace
}  // namespace moldau::log
