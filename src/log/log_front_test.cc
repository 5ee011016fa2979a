// What goes from the front of a log: retention and deleted records, on a log of several segments,
// stopped at every disk operation; and that logs do not all roll together.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/random.h"
#include "log/test_world.h"
#include "wire/record_batch.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr int64_t kBegin = 1'700'000'000'000;  // the clock's first time
constexpr LogConfig kSmall{.segment_bytes = 700,
                           .index_interval_bytes = 200,
                           .tail_bytes = 600,
                           .retention = {.millis = -1}};

struct Story {
  LogConfig config = kSmall;
  Offset start;
  Offset end;
  Offset deleted;            // up to here somebody was told that it is gone
  std::vector<Offset> read;  // base offsets of what can be read
  int unsaved = 0;           // checkpoints that the disk did not take
  std::string error;
  void complain(std::string what) {
    if (error.empty()) error = std::move(what);
  }
};

// One record a batch, one second apart in their timestamps.
Task<void> fill(Env& env, Log& log, Story& story, int until) {
  for (int64_t i = log.offsets().end.value; i < until; i++) {
    Incoming in = incoming(make_batch(1, kBegin + i * 1000, 60));
    auto appended =
        log.append(in.block, in.bytes, LeaderEpoch(static_cast<int32_t>(i / 10)), env.clock.wall());
    if (!appended) co_return story.complain(appended.error().to_string());
    Appended at = *appended;
    co_await log.write_out(env);
    co_await wait_for(env, log, at);
  }
  co_await env.loop.sleep(milliseconds(5));  // what is derived from sealed segments is written
}

Task<void> look(Env& env, Log& log, Story& story) {
  Offsets offsets = log.offsets();
  story.start = offsets.start;
  story.end = offsets.end;
  story.read.clear();
  for (Offset at = offsets.start; at < offsets.end;) {
    ReadRequest request{.from = at, .max_bytes = 1, .limit = offsets.end};
    auto result = co_await log.read(env, request);
    if (!result) co_return story.complain(result.error().to_string());
    ReadResult& read = *result;
    auto bytes = co_await flat(read);
    auto header = wire::read_batch_header(bytes);
    if (!header || header->base_offset != at)
      co_return story.complain(fmt::format("no batch at {}", at));
    story.read.push_back(at);
    at = header->next_offset();
  }
  if (offsets.start > Offset(0)) {
    Offset below = offsets.start - 1;
    ReadRequest request{.from = below, .max_bytes = 1, .limit = offsets.end};
    auto result = co_await log.read(env, request);
    if (result || result.error().code() != Errc::out_of_range)
      story.complain(fmt::format("{} is served, the log begins at {}", below, offsets.start));
  }
}

// As the broker's maintenance does it, twice: what was rolled just now has its files by then. A
// full disk may take no checkpoint.
Task<void> retention_round(Env& env, TestLog& opened, Story& story) {
  Log& log = *opened.log;
  for (int i = 0; i < 2; i++) {
    Result<bool> moved = co_await log.retain(env);
    if (!moved) co_return story.complain(moved.error().to_string());
    Result<void> done;
    if (*moved) done = co_await opened.dir->save_points(env);
    if (!done) story.unsaved++;
    if (!done && done.error().code() != Errc::no_space)
      co_return story.complain(done.error().to_string());
    Instant due = env.loop.now() + milliseconds(10);
    done = co_await log.remove_old(env, due);
    if (!done) co_return story.complain(done.error().to_string());
    co_await env.loop.sleep(milliseconds(20));
    Instant now = env.loop.now();
    done = co_await log.delete_doomed(env, now);
    if (!done) co_return story.complain(done.error().to_string());
  }
}

struct Life {
  int fill = 0;  // up to this offset
  std::optional<int64_t> remove_below;
  bool retain = false;
  bool close = true;
  std::function<void()> filled = {};  // called then
};

Task<void> live(Env& env, Story& story, Life life) {
  TestLog opened;
  Result<void> done = co_await opened.open(env, story.config);
  if (!done) co_return story.complain(done.error().to_string());
  Log& log = *opened.log;
  co_await look(env, log, story);
  if (story.start < story.deleted)
    story.complain(fmt::format("deleted below {}, begins at {}", story.deleted, story.start));
  co_await fill(env, log, story, life.fill);
  if (life.filled) life.filled();
  if (life.remove_below) {
    Offset to(*life.remove_below);
    auto start = co_await log.delete_records(env, to);
    if (!start) co_return story.complain(start.error().to_string());
    story.deleted = *start;
  }
  if (life.retain) co_await retention_round(env, opened, story);
  co_await look(env, log, story);
  if (!life.close) co_return;
  done = co_await opened.close(env);
  if (!done) story.complain(done.error().to_string());
}

bool run(TestDisk& disk, Story& story, Life life) {
  TestWorld world(disk);
  return world.run(live(world.env, story, life));
}

size_t files_like(const TestDisk& disk, std::string_view suffix) {
  return static_cast<size_t>(std::ranges::count_if(
      disk.names, [&](const auto& file) { return file.first.ends_with(suffix); }));
}

TEST(LogFront, RetentionBySizeLeavesAboutThatMuch) {
  TestDisk disk;
  Story story;
  ASSERT_TRUE(run(disk, story, {.fill = 40}));
  size_t before = files_like(disk, ".log");
  story.config.retention.bytes = 1500;
  ASSERT_TRUE(run(disk, story, {.retain = true}));
  EXPECT_GT(story.start, Offset(20));
  EXPECT_LT(story.start, Offset(36));
  EXPECT_LT(files_like(disk, ".log"), before / 2);
  EXPECT_EQ(files_like(disk, ".deleted"), 0u);
  Offset start = story.start;
  ASSERT_TRUE(run(disk, story, {}));
  EXPECT_EQ(story.start, start);
  EXPECT_EQ(story.end, Offset(40));
  EXPECT_EQ(story.error, "");
}

TEST(LogFront, RetentionByTimeTakesTheLastSegmentAsWell) {
  TestDisk disk;
  Story story;
  story.config.retention.millis = 25'000;
  ASSERT_TRUE(run(disk, story, {.fill = 20}));
  for (const char* suffix : {"index", "timeindex"})  // they have to be made again
    disk.names.erase(std::string("data/topic-0/00000000000000000000.") + suffix);
  ASSERT_TRUE(run(disk, story, {.retain = true}));
  EXPECT_EQ(story.start, Offset(0)) << "nothing is that old yet";
  {
    TestWorld world(disk);
    auto later = [](Env& env, Story& s) -> Task<void> {
      co_await env.loop.sleep(seconds(60));
      Life life{.retain = true};
      co_await live(env, s, life);
    };
    ASSERT_TRUE(world.run(later(world.env, story)));
  }
  EXPECT_EQ(story.start, Offset(20));
  EXPECT_EQ(story.end, Offset(20));
  EXPECT_LE(files_like(disk, ".log"), 1u);
  ASSERT_TRUE(run(disk, story, {.fill = 25}));
  EXPECT_EQ(story.start, Offset(20));
  EXPECT_EQ(story.read.size(), 5u);
  EXPECT_EQ(story.error, "");
}

TEST(LogFront, ALogThatIsOnlyCompactedIsCutBelowItsStartAlone) {
  TestDisk disk;
  Story story;
  story.config.clean.compact = true;
  story.config.retention = {.delete_old = false, .millis = 0, .bytes = 0};
  ASSERT_TRUE(run(disk, story, {.fill = 40, .retain = true}));
  EXPECT_EQ(story.start, Offset(0));
  size_t before = files_like(disk, ".log");
  ASSERT_TRUE(run(disk, story, {.remove_below = 20, .retain = true}));
  EXPECT_EQ(story.start, Offset(20));
  EXPECT_LT(files_like(disk, ".log"), before);
  EXPECT_GT(files_like(disk, ".log"), before / 3);
  story.config.retention.delete_old = true;  // cleanup.policy=compact,delete
  ASSERT_TRUE(run(disk, story, {.retain = true}));
  EXPECT_EQ(story.start, Offset(40));
  EXPECT_EQ(story.error, "");
}

// delete_records has answered: from then on nothing below is seen, whatever happens; the rest is
// whole.
void crash_everywhere(const Life& life, bool torn, std::string& error) {
  Random random(5);
  for (int64_t stop = 0; error.empty(); stop++) {
    TestDisk disk;
    Story story;
    story.config.retention.bytes = 1500;
    EXPECT_TRUE(run(disk, story, {.fill = 24}));
    disk.stop_at = disk.operations + stop;
    bool ended = run(disk, story, life);
    disk.resume();
    if (ended && !torn && stop > 0 && story.start == Offset(0)) error = "nothing was removed";
    disk.lose_power(torn ? &random : nullptr);
    for (int i = 0; i < 2; i++) {
      EXPECT_TRUE(run(disk, story, {.close = false}));
      disk.lose_power();
    }
    EXPECT_TRUE(run(disk, story, {.fill = 26, .retain = true}));
    if (story.end != Offset(26)) story.complain(fmt::format("it ends at {}", story.end));
    if (story.read.empty() || story.read.back() != Offset(25)) story.complain("its end is gone");
    EXPECT_EQ(files_like(disk, ".deleted"), 0u) << stop;
    if (!story.error.empty()) error = fmt::format("stopped at {}: {}", stop, story.error);
    if (ended) return;
  }
}

TEST(LogFrontCrash, AtAnyOperationOfRetention) {
  for (bool torn : {false, true}) {
    std::string error;
    crash_everywhere({.retain = true}, torn, error);
    EXPECT_EQ(error, "") << (torn ? "torn" : "whole");
  }
}

TEST(LogFrontCrash, AtAnyOperationOfDeletingRecords) {
  for (bool torn : {false, true}) {
    std::string error;
    crash_everywhere({.remove_below = 15, .retain = true}, torn, error);
    EXPECT_EQ(error, "") << (torn ? "torn" : "whole");
  }
}

// Of a log most of which may go, on a disk that takes no byte more and no checkpoint.
struct FullDisk : testing::Test {
  TestDisk disk;
  Story story;
  FullDisk() { story.config.retention.bytes = 1500; }
  void fill_up() {
    disk.capacity = disk.used();
    refuse_checkpoints();
  }
  void refuse_checkpoints() {
    disk.fault = [](std::string_view what, const std::string& path) {
      bool hit = what == "write" && path.find("checkpoint") != path.npos;
      return hit ? std::optional(Errc::no_space) : std::nullopt;
    };
  }
  void make_room() {
    disk.capacity *= 2;
    disk.fault = {};
  }
};

TEST_F(FullDisk, RetentionMakesRoomOnIt) {
  ASSERT_TRUE(
      run(disk, story, {.fill = 24, .retain = true, .close = false, .filled = [&] { fill_up(); }}));
  EXPECT_EQ(story.unsaved, 1);
  EXPECT_LT(disk.used(), disk.capacity * 3 / 4);
  EXPECT_EQ(story.end, Offset(24));
  Offset start = story.start;
  EXPECT_GT(start, Offset(5));
  disk.lose_power();
  make_room();
  ASSERT_TRUE(run(disk, story, {.fill = 30}));
  EXPECT_EQ(story.error, "");
  EXPECT_EQ(story.start, start) << "the names say it";
}

TEST_F(FullDisk, RetentionOnItLeavesNoHoleWhereverItStops) {
  Random torn(3);
  for (int64_t stop = 0;; stop++) {
    disk = TestDisk();
    story = Story{.config = story.config};
    auto filled = [&] {
      fill_up();
      disk.stop_at = disk.operations + stop;
    };
    bool ended = run(disk, story, {.fill = 20, .retain = true, .close = false, .filled = filled});
    disk.resume();
    disk.lose_power(&torn);
    make_room();
    ASSERT_TRUE(run(disk, story, {.fill = 26}));
    ASSERT_EQ(story.error, "") << "stopped at " << stop;
    ASSERT_EQ(story.end, Offset(26));
    ASSERT_EQ(std::ssize(story.read), story.end - story.start) << "stopped at " << stop;
    if (ended) break;
  }
}

// A log all of which is too old goes on at its end, and nothing but the checkpoint could tell that.
TEST_F(FullDisk, TheLastSegmentWithAFileStaysOnIt) {
  for (bool power : {false, true}) {
    disk = TestDisk();
    story = Story();
    story.config.retention = {.millis = 1000};
    auto late = [](Env& env, TestDisk& on, Story& s, std::function<void()> full) -> Task<void> {
      TestLog opened;
      opened.dir_config.checkpoint_interval = seconds(100);
      Result<void> done = co_await opened.open(env, s.config);
      if (!done) co_return s.complain(done.error().to_string());
      co_await fill(env, *opened.log, s, 24);
      co_await env.loop.sleep(seconds(60));
      full();
      co_await retention_round(env, opened, s);
      co_await look(env, *opened.log, s);
      on.stop_at = on.operations;
    };
    {
      TestWorld world(disk);
      // There is room for the files of the segment, so that it is not kept for their sake.
      ASSERT_TRUE(world.run(late(world.env, disk, story, [&] { refuse_checkpoints(); })));
    }
    disk.resume();
    EXPECT_EQ(story.start, Offset(24));
    EXPECT_EQ(story.end, Offset(24));
    EXPECT_EQ(files_like(disk, ".log"), 1u);
    if (power) disk.lose_power();
    make_room();
    story.config.retention = {.millis = -1};
    ASSERT_TRUE(run(disk, story, {}));
    EXPECT_EQ(story.end, Offset(24)) << "no offset is given twice";
    EXPECT_EQ(story.error, "");
  }
}

TEST_F(FullDisk, ItsDirectoryMayBeTooFullForLongerNames) {
  auto filled = [&] {
    disk.fault = [](std::string_view what, const std::string& path) {
      bool hit = what == "rename" || (what == "write" && path.find("checkpoint") != path.npos);
      return hit ? std::optional(Errc::no_space) : std::nullopt;
    };
  };
  ASSERT_TRUE(run(disk, story, {.fill = 24, .retain = true, .close = false, .filled = filled}));
  EXPECT_EQ(files_like(disk, ".deleted"), 0u);
  EXPECT_GT(story.start, Offset(5));
  EXPECT_LT(files_like(disk, ".log"), 4u);
  EXPECT_EQ(story.error, "");
}

TEST(LogFront, SegmentsOfDifferentLogsRollAtDifferentTimes) {
  // A record a second, a segment ten seconds, less up to five.
  std::set<int64_t> first_rolls;
  for (uint64_t seed = 1; seed <= 12; seed++) {
    LogConfig config{.segment_millis = 10'000, .roll_jitter_millis = 5000, .jitter_seed = seed};
    LogCore::Opened opened;
    opened.segments.emplace_back();
    LogCore core(config, std::move(opened));
    for (int64_t i = 0; i < 30; i++) {
      Incoming in = incoming(make_batch(1, kBegin + i * 1000, 10));
      WallTime now{kBegin + i * 1000};
      ASSERT_TRUE(core.append(in.block, in.bytes, LeaderEpoch(0), now));
    }
    std::vector<Offset> bases = core.segment_bases();
    ASSERT_GE(bases.size(), 3u);
    first_rolls.insert(bases[1].value);
    for (size_t i = 1; i < bases.size(); i++) {
      EXPECT_GE(bases[i] - bases[i - 1], 6);
      EXPECT_LE(bases[i] - bases[i - 1], 11);
    }
  }
  EXPECT_GE(first_rolls.size(), 3u);
}

}  // namespace
}  // namespace moldau::log
