// Compaction and producers: what a log knows of sequences and transactions is the same before and
// after it, over restarts of every kind.
#include <gtest/gtest.h>

#include "log/cleaner.h"
#include "log/producer_snapshot.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr CleanPolicy kCompact{
    .compact = true, .min_dirty_ratio = 0, .delete_retention_millis = 0, .segment_bytes = 4000};
constexpr LogConfig kSmall{
    .segment_bytes = 700, .index_interval_bytes = 200, .tail_bytes = 300, .clean = kCompact};
constexpr OffsetMap::Config kMap{.bytes = 24 * 1000};

// What a log says of itself.
struct Look {
  Offset end;
  Offset stable;
  std::vector<ProducerEntry> producers;
  AbortedList aborted;
  int records = 0;
  int64_t bytes = 0;  // of its segments
};

struct Story {
  Look look;
  std::string error;
  int64_t dropped = 0;
  void complain(std::string what) {
    if (error.empty()) error = std::move(what);
  }
};

Task<void> put(Env& env, Log& log, std::vector<uint8_t> bytes, Origin origin, Story& story) {
  auto appended = co_await append_and_wait(env, log, bytes, origin, LeaderEpoch(0));
  if (!appended) story.complain(appended.error().to_string());
}

std::vector<uint8_t> batch(int64_t producer, int sequence, bool transactional, std::string key) {
  return make_producer_batch({.producer = producer,
                              .sequence = sequence,
                              .transactional = transactional,
                              .value_size = 30,
                              .key = std::move(key)});
}

// Producer 1 wrote once and is silent; 2 goes on; 3 commits and aborts in turn; 4 aborts once; the
// transaction of 5 stays open from halfway on. All write to a few keys.
Task<void> write(Env& env, Log& log, Story& story) {
  co_await put(env, log, batch(1, 0, false, "a"), Origin::client, story);
  for (int i = 0; i < 24; i++) {
    std::string key(1, static_cast<char>('a' + i % 3));
    co_await put(env, log, batch(2, i, false, key), Origin::client, story);
    co_await put(env, log, batch(3, i, true, key), Origin::client, story);
    if (i == 3) co_await put(env, log, batch(4, 0, true, "b"), Origin::client, story);
    if (i == 5) co_await put(env, log, make_marker(4, 0, true), Origin::coordinator, story);
    if (i == 17) co_await put(env, log, batch(5, 0, true, "c"), Origin::client, story);
    if (i % 2 == 1)
      co_await put(env, log, make_marker(3, 0, i % 4 == 1), Origin::coordinator, story);
  }
  co_await env.loop.sleep(milliseconds(5));  // what is derived from sealed segments is written
}

Task<void> clean(Env& env, Log& log, Story& story) {
  LogConfig quick = log.config();
  quick.delete_delay = milliseconds(1);
  log.reconfigure(quick);
  Cleaner cleaner(env, {.map = kMap, .io_bytes = 300});
  cleaner.add(log);
  OffsetMap map(kMap, {3, 5});
  for (int i = 0; i < 3; i++) (void)co_await cleaner.clean_dirtiest(map);
  CleanerStats stats = cleaner.stats();
  if (!stats.last_error.empty()) story.complain(stats.last_error);
  story.dropped += stats.records_dropped;
  co_await env.loop.sleep(milliseconds(5));
  co_await cleaner.remove(env, log);
  co_await cleaner.stop();
}

Task<void> look_at(Env& env, Log& log, Story& story) {
  Look& look = story.look;
  look = Look{.end = log.offsets().end};
  look.stable = log.last_stable(look.end);
  std::vector<uint8_t> snapshot = log.producer_snapshot();
  auto producers = decode_producer_snapshot(snapshot);
  if (!producers) co_return story.complain(producers.error().to_string());
  look.producers = std::move(*producers);
  Offset start(0);
  auto aborted = co_await log.aborted(env, start, look.end);
  if (!aborted) co_return story.complain(aborted.error().to_string());
  look.aborted = std::move(*aborted);
  for (Offset at = start; at < look.end;) {
    ReadRequest request{.from = at, .max_bytes = 1, .limit = look.end};
    auto result = co_await log.read(env, request);
    if (!result) co_return story.complain(result.error().to_string());
    ReadResult& read = *result;
    auto bytes = co_await flat(read);
    if (bytes.empty()) break;
    auto header = wire::read_batch_header(bytes);
    if (!header) co_return story.complain(header.error().to_string());
    look.records += header->control() ? 0 : header->record_count;
    look.bytes += std::ssize(bytes);
    at = header->next_offset();
  }
}

struct Life {
  bool write = false;
  bool clean = false;
  bool close = true;
};

Task<void> live(Env& env, Story& story, Life life) {
  TestLog opened;
  Result<void> done = co_await opened.open(env, kSmall);
  if (!done) co_return story.complain(done.error().to_string());
  Log& log = *opened.log;
  if (life.write) co_await write(env, log, story);
  if (life.clean) co_await clean(env, log, story);
  co_await look_at(env, log, story);
  if (!life.close) co_return;
  done = co_await opened.close(env);
  if (!done) story.complain(done.error().to_string());
}

bool run(TestDisk& disk, Story& story, Life life) {
  TestWorld world(disk);
  return world.run(live(world.env, story, life));
}

// Of a producer: what decides over its next batch. (Older batches may be gone, as in Kafka, when
// its state is made from the log alone.)
struct Stand {
  ProducerId id;
  ProducerEpoch epoch;
  int32_t sequence;
  std::optional<Offset> open_since;
  bool operator==(const Stand&) const = default;
};
std::vector<Stand> stands(const Look& look) {
  std::vector<Stand> all;
  for (const ProducerEntry& entry : look.producers)
    all.push_back({entry.id, entry.epoch, entry.last_sequence(), entry.open_since});
  return all;
}

void forget_snapshots(TestDisk& disk) {
  std::erase_if(disk.names, [](const auto& file) { return file.first.ends_with(".snapshot"); });
  std::erase_if(disk.durable_names,
                [](const auto& file) { return file.first.ends_with(".snapshot"); });
}

// A transaction is to be known as aborted for as long as anything of it can be read.
void expect_same(const Look& before, const Look& after, const char* when) {
  EXPECT_EQ(after.end, before.end) << when;
  EXPECT_EQ(after.stable, before.stable) << when;
  EXPECT_TRUE(stands(after) == stands(before)) << when;
}

TEST(CleanProducers, SequencesAndTransactionsOutliveCompaction) {
  TestDisk disk;
  Story story;
  ASSERT_TRUE(run(disk, story, {.write = true}));
  Look before = story.look;
  EXPECT_EQ(before.producers.size(), 5u);
  EXPECT_EQ(before.aborted.size(), 7u);
  EXPECT_LT(before.stable, before.end) << "a transaction is open";
  ASSERT_TRUE(run(disk, story, {.clean = true}));
  Look cleaned = story.look;
  expect_same(before, cleaned, "cleaned");
  EXPECT_EQ(cleaned.producers, before.producers);
  EXPECT_GT(story.dropped, 20);
  EXPECT_LT(cleaned.bytes, before.bytes);
  ASSERT_TRUE(run(disk, story, {}));
  EXPECT_EQ(story.look.producers, before.producers);
  EXPECT_EQ(story.look.aborted, cleaned.aborted) << "in memory and in the files";
  ASSERT_TRUE(run(disk, story, {.close = false}));
  expect_same(before, story.look, "before a crash");
  disk.lose_power();
  ASSERT_TRUE(run(disk, story, {}));
  expect_same(before, story.look, "after a crash");
  EXPECT_EQ(story.look.aborted, cleaned.aborted);
  EXPECT_EQ(story.error, "");
}

// From the batches that compaction left, without any snapshot: also of a producer whose records are
// all gone.
TEST(CleanProducers, TheLogAloneTellsTheNextSequence) {
  TestDisk disk;
  Story story;
  ASSERT_TRUE(run(disk, story, {.write = true}));
  Look before = story.look;
  ASSERT_TRUE(run(disk, story, {.clean = true}));
  Look cleaned = story.look;
  forget_snapshots(disk);
  ASSERT_TRUE(run(disk, story, {}));
  expect_same(before, story.look, "after a clean stop");
  forget_snapshots(disk);
  disk.names.erase("data/.kafka_cleanshutdown");
  disk.names.erase("data/recovery-point-offset-checkpoint");
  disk.lose_power();
  ASSERT_TRUE(run(disk, story, {}));
  expect_same(before, story.look, "after the log was looked through");
  EXPECT_EQ(story.look.aborted, cleaned.aborted) << "made again from the batches";
  EXPECT_EQ(story.error, "");
}

// A cleaning that stops at each operation that is `part` of kParts, so that no case takes long.
// Where it was cut short the log is as it was, or as it is to be.
struct CleanProducersCrash : testing::TestWithParam<int64_t> {
  static constexpr int64_t kParts = 32;
};

TEST_P(CleanProducersCrash, AtAnyOperationOfACleaningChangesNoSequence) {
  Look before;
  int crashes = 0;
  for (int64_t stop = GetParam();; stop += kParts) {
    TestDisk disk;
    Story story;
    ASSERT_TRUE(run(disk, story, {.write = true}));
    before = story.look;
    disk.stop_at = disk.operations + stop;
    bool ended = run(disk, story, {.clean = true, .close = false});
    disk.resume();
    if (ended) break;
    crashes++;
    disk.lose_power();
    ASSERT_TRUE(run(disk, story, {}));
    expect_same(before, story.look, "after a crash");
    ASSERT_EQ(story.error, "") << "stopped at " << stop;
    if (HasFailure()) FAIL() << "stopped at " << stop;
  }
  EXPECT_GT(crashes, 2);
}

INSTANTIATE_TEST_SUITE_P(Parts, CleanProducersCrash,
                         testing::Range(int64_t{0}, CleanProducersCrash::kParts));

}  // namespace
}  // namespace moldau::log
