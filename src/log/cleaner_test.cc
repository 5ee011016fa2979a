// The cleaner on a log, on a disk that forgets what was not synced: whatever happens, reading the
// log from its start gives the newest value of each key.
#include "log/cleaner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/bug.h"
#include "base/random.h"
#include "log/test_world.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr CleanPolicy kCompact{
    .compact = true, .min_dirty_ratio = 0, .delete_retention_millis = 0, .segment_bytes = 3000};
constexpr LogConfig kSmall{
    .segment_bytes = 1000, .index_interval_bytes = 150, .tail_bytes = 300, .clean = kCompact};

struct Written {
  std::string key;
  std::optional<std::string> value;
  bool operator==(const Written&) const = default;
};
using Records = std::map<int64_t, Written>;  // by offset

// Of the partition: others have not confirmed what lies above.
struct Owner final : LogListener {
  std::optional<Offset> limit;
  void on_committed(Offset) override {}
  void on_failed() override {}
  std::optional<Offset> high_watermark() const override { return limit; }
};

// What the test knows, across the lives of the process.
struct Story {
  Records sent;
  int64_t acked = 0;  // everything below was acknowledged
  std::string error;
  Records found;  // by the last look
  int64_t cleanings = 0;
  int keys = 12;
  OffsetMap::Config map{.bytes = 24 * 1000};
};

void complain(Story& story, std::string what) {
  if (story.error.empty()) story.error = std::move(what);
}

// The records of whole batches, added to `into`; the offset behind them.
Offset take_records(Bytes bytes, Offset from, Records& into, Story& story) {
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    if (!wire::check_batch_crc(walk.batch())) complain(story, "a checksum does not hold");
    if (header.last_offset() < from) complain(story, fmt::format("asked for {}", from));
    from = header.next_offset();
    wire::RecordWalk records(header, wire::RecordWalk::records_of(walk.batch()),
                             wire::RecordWalk::Offsets::ascending);
    while (records.next()) {
      Written written{std::string(as_text(*records.record().key)), {}};
      if (records.record().value) written.value = std::string(as_text(*records.record().value));
      into[records.offset().value] = written;
    }
    if (!records.finish()) complain(story, "a record does not hold");
  }
  return from;
}

Task<void> read_all(Env& env, Log& log, size_t max_bytes, Records& into, Story& story) {
  Offset end = log.offsets().end;
  for (Offset at = log.offsets().start; at < end;) {
    ReadRequest request{.from = at, .max_bytes = max_bytes, .limit = end};
    auto result = co_await log.read(env, request);
    if (!result) co_return complain(story, "read failed: " + result.error().to_string());
    ReadResult& read = *result;
    auto bytes = co_await flat(read);
    Offset next = bytes.empty() ? end : take_records(bytes, at, into, story);
    if (next == at) co_return complain(story, fmt::format("nothing whole at {}", at));
    at = next;
  }
}

std::map<std::string, std::string> state_of(const Records& records, int64_t end) {
  std::map<std::string, std::string> state;
  for (const auto& [offset, written] : records) {
    if (offset >= end) break;
    if (written.value)
      state[written.key] = *written.value;
    else
      state.erase(written.key);
  }
  return state;
}

Task<void> check(Env& env, Log& log, Story& story) {
  int64_t end = log.offsets().end.value;
  if (end < story.acked)
    co_return complain(story, fmt::format("acknowledged up to {}, ends at {}", story.acked, end));
  for (size_t max_bytes : {size_t{100'000}, size_t{1}}) {
    Records found;
    co_await read_all(env, log, max_bytes, found, story);
    for (const auto& [offset, written] : found)
      if (!story.sent.contains(offset) || story.sent.at(offset) != written)
        co_return complain(story, fmt::format("other record at {}", offset));
    if (state_of(found, end) != state_of(story.sent, end))
      co_return complain(story, "the newest values are not what was sent");
    if (max_bytes == 1 && found != story.found)
      co_return complain(story, "read batch by batch it is another log");
    story.found = found;
  }
  // What follows any offset is the first of what is there, by way of the indexes.
  for (int64_t from = 0; from < end; from += 7) {
    Records found;
    ReadRequest request{.from = Offset(from), .max_bytes = 1, .limit = Offset(end)};
    auto result = co_await log.read(env, request);
    if (!result) co_return complain(story, "read failed: " + result.error().to_string());
    ReadResult& read = *result;
    auto bytes = co_await flat(read);
    if (!bytes.empty()) take_records(bytes, Offset(from), found, story);
    auto next = story.found.lower_bound(from);
    if (next != story.found.end() && (bytes.empty() || read.base.value > next->first))
      co_return complain(story, fmt::format("{} is not found from {} on", next->first, from));
  }
}

std::vector<uint8_t> random_batch(Story& story, Random& random, int64_t base) {
  wire::RecordBatchBuilder builder;
  int records = 1 + static_cast<int>(random.below(4));
  for (int i = 0; i < records; i++) {
    uint64_t number = random.below(static_cast<uint64_t>(story.keys));
    Written written{fmt::format("key{}", number), {}};
    bool tombstone = random.one_in(6);
    size_t size = random.below(60);
    if (!tombstone) written.value = fmt::format("{}:{:*<{}}", base + i, "", size);
    wire::NullableBytes value;
    if (written.value) value = as_bytes(*written.value);
    builder.add(1000 + base + i, as_bytes(written.key), value);
    story.sent[base + i] = written;
  }
  return builder.finish();
}

Task<void> produce(Env& env, Log& log, Story& story, int batches, uint64_t seed) {
  Random random(seed);
  // What did not survive is sent anew, as something else.
  story.sent.erase(story.sent.lower_bound(log.offsets().end.value), story.sent.end());
  for (int i = 0; i < batches; i++) {
    Incoming in = incoming(random_batch(story, random, log.offsets().end.value));
    auto appended = log.append(in.block, in.bytes, LeaderEpoch(1), env.clock.wall());
    if (!appended) co_return complain(story, "append failed: " + appended.error().to_string());
    if (i % 3 != 0 && i + 1 < batches) continue;
    co_await log.write_out(env);
    Appended last = *appended;
    co_await wait_for(env, log, last);
    if (log.state(last) == AppendState::committed) story.acked = last.last.value + 1;
  }
  co_await env.loop.sleep(milliseconds(5));  // index files of sealed segments are written
}

Task<void> clean(Env& env, Log& log, Story& story, int times) {
  LogConfig quick = log.config();
  quick.delete_delay = milliseconds(3);
  log.reconfigure(quick);
  CleanerConfig config{.map = story.map, .io_bytes = 300};
  Cleaner cleaner(env, config);
  cleaner.add(log);
  OffsetMap map(story.map, {env.entropy.next(), 5});
  for (int i = 0; i < times; i++) {
    bool cleaned = co_await cleaner.clean_dirtiest(map);
    if (cleaned) story.cleanings++;
    CleanerStats stats = cleaner.stats();
    if (!stats.last_error.empty()) complain(story, "cleaning: " + stats.last_error);
    if (log.offline()) break;
  }
  co_await cleaner.remove(env, log);
  co_await env.loop.sleep(milliseconds(5));  // old files are removed
  co_await cleaner.stop();
}

struct Life {
  int batches = 0;
  int cleanings = 0;
  uint64_t seed = 1;
  bool close = true;
  bool check_first = true;
  std::optional<Offset> stable;  // nothing: all that is committed
};

Task<void> live(Env& env, Story& story, Life life) {
  Owner owner;
  owner.limit = life.stable;
  TestLog opened;
  Result<void> open = co_await opened.open(env, kSmall);
  if (!open) co_return complain(story, "open: " + open.error().to_string());
  Log& log = *opened.log;
  log.set_listener(&owner);
  if (life.check_first) co_await check(env, log, story);
  if (life.batches > 0) co_await produce(env, log, story, life.batches, life.seed);
  if (life.cleanings > 0) {
    co_await clean(env, log, story, life.cleanings);
    co_await check(env, log, story);
  }
  if (!life.close) co_return;
  Result<void> closed = co_await opened.close(env);
  if (!closed) complain(story, "close: " + closed.error().to_string());
}

void run(TestDisk& disk, Story& story, Life life) {
  TestWorld world(disk);
  EXPECT_TRUE(world.run(live(world.env, story, life)));
}

// Records per key below the last segment that was cleaned.
TEST(Cleaner, LeavesOneRecordAKeyAndReadersFindIt) {
  TestDisk disk;
  Story story;
  run(disk, story, {.batches = 60});
  EXPECT_EQ(story.error, "");
  size_t before = disk.names.size();
  run(disk, story, {.cleanings = 3});
  EXPECT_EQ(story.error, "");
  EXPECT_GE(story.cleanings, 1);
  EXPECT_LT(disk.names.size(), before) << "segments became one";
  EXPECT_LT(story.found.size(), story.sent.size() / 2);
  EXPECT_TRUE(disk.names.contains("data/cleaner-offset-checkpoint"));
  for (const auto& [name, inode] : disk.names)
    for (const char* state : {".cleaned", ".swap", ".deleted"})
      EXPECT_FALSE(name.ends_with(state)) << name;
  run(disk, story, {.batches = 20, .cleanings = 2, .seed = 2});
  run(disk, story, {});
  EXPECT_EQ(story.error, "");
}

TEST(Cleaner, ASmallMapCleansInSeveralRounds) {
  TestDisk disk;
  Story story{.keys = 40, .map = {.bytes = 24 * 9}};
  run(disk, story, {.batches = 60});
  size_t sent = story.sent.size();
  run(disk, story, {.cleanings = 60});
  EXPECT_EQ(story.error, "");
  EXPECT_GT(story.cleanings, 4);
  EXPECT_LT(story.found.size(), sent * 2 / 3);
}

TEST(Cleaner, NothingAboveTheLastStableOffsetIsTouched) {
  TestDisk disk;
  Story story;
  run(disk, story, {.batches = 60});
  run(disk, story, {.cleanings = 2, .stable = Offset(70)});
  EXPECT_EQ(story.error, "");
  EXPECT_LT(story.found.size(), story.sent.size());
  for (const auto& [offset, written] : story.sent)
    if (offset >= 70) EXPECT_TRUE(story.found.contains(offset)) << offset;
}

TEST(Cleaner, TombstonesGoWhenTheirTimeHasCome) {
  TestDisk disk;
  Story story;
  run(disk, story, {.batches = 60});
  // The first cleaning gives tombstones their horizon, which is over when the next begins.
  run(disk, story, {.batches = 20, .cleanings = 1, .seed = 2});
  run(disk, story, {.batches = 40, .cleanings = 1, .seed = 3});
  EXPECT_EQ(story.error, "");
  int64_t active = story.found.rbegin()->first - 30;
  int old = 0;
  for (const auto& [offset, written] : story.found) old += offset < active / 2 && !written.value;
  EXPECT_EQ(old, 0);
}

Task<void> with_open_log(Env& env, Story& story, Task<void> (*step)(Env&, Log&, Story&)) {
  TestLog opened;
  Result<void> done = co_await opened.open(env, kSmall);
  EXPECT_TRUE(done.has_value());
  Log& log = *opened.log;
  co_await step(env, log, story);
  done = co_await opened.close(env);
  EXPECT_TRUE(done.has_value());
}

Task<void> read_on_while_cleaned(Env& env, Log& log, Story& story) {
  co_await produce(env, log, story, 60, 1);
  ReadRequest request{.from = Offset(0), .max_bytes = 100'000, .limit = log.offsets().end};
  auto result = co_await log.read(env, request);
  ReadResult& read = *result;
  auto before = co_await flat(read);
  co_await clean(env, log, story, 2);
  auto after = co_await flat(read);
  EXPECT_FALSE(before.empty());
  EXPECT_EQ(before, after) << "the old file, though its name is gone";
  EXPECT_GT(story.cleanings, 0);
}

TEST(Cleaner, AReaderUnderWayKeepsItsFile) {
  TestDisk disk;
  TestWorld world(disk);
  Story story;
  EXPECT_TRUE(world.run(with_open_log(world.env, story, read_on_while_cleaned)));
  EXPECT_EQ(story.error, "");
}

Task<void> pause_and_resume(Env& env, Log& log, Story& story) {
  co_await produce(env, log, story, 60, 1);
  co_await log.pause_cleaning(env);
  co_await clean(env, log, story, 1);
  EXPECT_EQ(story.cleanings, 0);
  log.resume_cleaning();
  co_await clean(env, log, story, 1);
  EXPECT_EQ(story.cleanings, 1);
}

TEST(Cleaner, APausedLogIsNotCleaned) {
  TestDisk disk;
  TestWorld world(disk);
  Story story;
  EXPECT_TRUE(world.run(with_open_log(world.env, story, pause_and_resume)));
  EXPECT_EQ(story.error, "");
}

// A cleaning that is slowed down is stopped by who wants the segments; nothing is left of it.
Task<void> stop_a_slow_one(Env& env, Log& log, Story& story) {
  co_await produce(env, log, story, 60, 1);
  CleanerConfig config{.map = story.map, .io_bytes = 300, .bytes_per_second = 1000};
  Cleaner cleaner(env, config);
  cleaner.add(log);
  cleaner.start();
  Instant began = env.loop.now();
  co_await env.loop.sleep(seconds(2));
  co_await log.pause_cleaning(env);
  EXPECT_LT(env.loop.now() - began, milliseconds(2200));
  EXPECT_NE(cleaner.stats().last_error, "");
  EXPECT_EQ(cleaner.stats().cleanings, 0);
  log.resume_cleaning();
  co_await env.loop.sleep(seconds(60));
  EXPECT_GE(cleaner.stats().cleanings, 1) << "it is tried again";
  int64_t bytes = cleaner.stats().bytes_read + cleaner.stats().bytes_written;
  EXPECT_LT(bytes, 60'000) << "1000 bytes a second";
  co_await check(env, log, story);
  co_await cleaner.stop();
}

TEST(Cleaner, IsThrottledAndCanBeStopped) {
  TestDisk disk;
  TestWorld world(disk);
  Story story;
  EXPECT_TRUE(world.run(with_open_log(world.env, story, stop_a_slow_one)));
  EXPECT_EQ(story.error, "");
}

TEST(Cleaner, ADamagedBatchIsLeftAloneAndSaid) {
  TestDisk disk;
  Story story;
  run(disk, story, {.batches = 60});
  disk.file("data/topic-0/00000000000000000000.log")[70] ^= 1;
  run(disk, story, {.cleanings = 1, .check_first = false});
  EXPECT_NE(story.error.find("checksum"), std::string::npos) << story.error;
  EXPECT_EQ(story.cleanings, 0);
}

struct Sweep {
  bool power = true;
  bool torn = false;
  bool later = false;
  int crashes_in_recovery = 0;
  uint64_t seed = 1;
  bool closed_before = true;  // the cleaned log was opened after a clean stop
};
struct Swept {
  int crashes = 0;
  std::string error;
};

// A log that was written in one life is cleaned in the next, which is stopped at operation k, for
// every k; then some more are stopped while they recover; then one looks at what is there.
Swept sweep(const Sweep& how) {
  Swept result;
  for (int64_t stop = 0;; stop++) {
    TestDisk disk;
    Story story;
    Random torn = Random(how.seed).fork("torn", static_cast<uint64_t>(stop));
    auto one = [&](int64_t operations, Life life) {
      TestWorld world(disk);
      if (how.later) disk.later = &world.loop;
      disk.stop_at = disk.operations + operations;
      bool ended = world.run(live(world.env, story, life));
      disk.stop_at = INT64_MAX;
      disk.later = nullptr;
      if (!ended && how.power) disk.lose_power(how.torn ? &torn : nullptr);
      return ended;
    };
    one(INT64_MAX / 2, {.batches = 16, .seed = how.seed, .close = how.closed_before});
    if (!how.closed_before && how.power) disk.lose_power(how.torn ? &torn : nullptr);
    Life cleaning{.batches = 4, .cleanings = 2, .seed = how.seed + 1, .check_first = false};
    bool ended = one(stop, cleaning);
    for (int k = 1; k <= how.crashes_in_recovery; k++) one(k * 7, {});
    one(INT64_MAX / 2, {.cleanings = 1});
    one(INT64_MAX / 2, {});
    if (!story.error.empty())
      result.error = fmt::format("stopped at operation {}: {}", stop, story.error);
    if (ended || !story.error.empty()) return result;
    result.crashes++;
  }
}

TEST(CleanerCrash, PowerLossAtEveryOperationLosesAndRevivesNothing) {
  Swept result = sweep({});
  EXPECT_EQ(result.error, "");
  EXPECT_GT(result.crashes, 100);
}

TEST(CleanerCrash, ProcessDeathAtEveryOperation) { EXPECT_EQ(sweep({.power = false}).error, ""); }

TEST(CleanerCrash, TornNamesAndSectors) {
  EXPECT_EQ(sweep({.torn = true, .later = true}).error, "");
}

TEST(CleanerCrash, PowerLossDuringRecovery) {
  EXPECT_EQ(sweep({.torn = true, .crashes_in_recovery = 3, .seed = 9}).error, "");
}

#ifdef MOLDAU_PLANTED_BUGS
// The tests above would be worth nothing if they did not see these.
TEST(CleanerCrash, PlantedBugsAreFound) {
  for (Bug bug :
       {Bug::cleaner_swap_unsynced, Bug::cleaner_swap_keeps_both, Bug::cleaner_index_off}) {
    plant(bug);
    std::string found;
    for (uint64_t seed = 1; seed < 4 && found.empty(); seed++)
      found = sweep({.torn = seed % 2 == 0, .seed = seed}).error;
    plant(Bug::none);
    EXPECT_NE(found, "") << bug_name(bug);
  }
}

TEST(Cleaner, PlantedBugsAreFound) {
  for (Bug bug : {Bug::cleaner_mixes_keys, Bug::cleaner_drops_unmapped}) {
    plant(bug);
    TestDisk disk;
    Story story{.keys = 40, .map = {.bytes = 24 * 20}};
    run(disk, story, {.batches = 60});
    run(disk, story, {.cleanings = 5});
    plant(Bug::none);
    EXPECT_NE(story.error, "") << bug_name(bug);
  }
  plant(Bug::cleaner_past_stable);
  TestDisk disk;
  Story story;
  run(disk, story, {.batches = 60});
  run(disk, story, {.cleanings = 2, .stable = Offset(70)});
  plant(Bug::none);
  int gone = 0;
  for (const auto& [offset, written] : story.sent)
    gone += offset >= 70 && !story.found.contains(offset);
  EXPECT_GT(gone, 0) << "cleaner_past_stable";
}
#endif

}  // namespace
}  // namespace moldau::log
