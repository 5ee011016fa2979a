// Deletion at the front and power losses: what is deleted stays deleted, wherever the process or
// the power stops.
#include <gtest/gtest.h>

#include "base/check.h"
#include "log/log.h"
#include "log/test_world.h"
#include "wire/record_batch.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr LogConfig kSmall{.segment_bytes = 500, .index_interval_bytes = 200, .tail_bytes = 0};

// Batches of three records up to `until`, with timestamps 1000 + offset.
Task<void> fill(Env& env, Log& log, int until) {
  while (log.offsets().end < Offset(until)) {
    Incoming in = incoming(make_batch(3, 1000 + log.offsets().end.value, 40));
    auto appended = log.append(in.block, in.bytes, LeaderEpoch(1), WallTime{0});
    co_await log.write_out(env);
    if (!appended) co_return;
    Appended at = *appended;
    co_await wait_for(env, log, at);
  }
}

// Deletes up to `to` and removes what can be removed. `deleted`: it was said to be done.
Task<void> drop_front(Env& env, Log& log, Offset to, bool& deleted) {
  auto start = co_await log.delete_records(env, to);
  if (!start) co_return;
  deleted = true;
  Instant at = env.loop.now();
  LogDir& dir = log.data_directory();
  Result<void> done = co_await log.remove_old(env, at);
  if (done) done = co_await log.delete_doomed(env, at);
  if (done) done = co_await dir.save_points(env);
}

struct Front {
  bool deleted = false;
  std::string error;
  Offset start, end;
};

Task<void> life(Env& env, Front& out, int until, Offset drop) {
  TestLog open;
  Result<void> opened = co_await open.open(env, kSmall);
  if (!opened) {
    out.error = opened.error().to_string();
    co_return;
  }
  co_await fill(env, *open.log, until);
  if (drop > Offset(0)) co_await drop_front(env, *open.log, drop, out.deleted);
  out.start = open.log->offsets().start;
  out.end = open.log->offsets().end;
}

bool live(TestDisk& disk, Front& front, int until, int drop = 0) {
  TestWorld world(disk);
  return world.run(life(world.env, front, until, Offset(drop)));
}

TEST(LogFrontPower, DeletedRecordsStayDeletedAfterAPowerLossAtAnyOperation) {
  for (int64_t stop = 1;; stop++) {
    TestDisk disk;
    Front before;
    live(disk, before, 42);
    disk.stop_at = disk.operations + stop;
    Front front;
    bool ended = live(disk, front, 0, 37);
    disk.resume();
    Random torn(static_cast<uint64_t>(stop));
    disk.lose_power(&torn);
    Front found;
    live(disk, found, 0);
    EXPECT_EQ(found.error, "") << "stopped at operation " << stop;
    EXPECT_EQ(found.end, Offset(42)) << "stopped at operation " << stop;
    EXPECT_TRUE(found.start == Offset(37) || !front.deleted)
        << "stopped at operation " << stop << ": begins at " << found.start.value;
    if (ended) break;
  }
}

TEST(LogFrontPower, AStartThatOnlyMemoryKnewIsSavedBeforeItIsConfirmed) {
  TestDisk disk;
  auto story = [](Env& env, TestDisk& on, bool& confirmed) -> Task<void> {
    TestLog open;
    Result<void> opened = co_await open.open(env, kSmall);
    CHECK(opened, "{}", opened.error().to_string());
    co_await fill(env, *open.log, 12);
    Offset to(5);
    on.fault = [](std::string_view what, const std::string& path) {
      bool hit = what == "write" && path.find("log-start") != path.npos;
      return hit ? std::optional(Errc::no_space) : std::nullopt;
    };
    auto first = co_await open.log->delete_records(env, to);
    EXPECT_FALSE(first);
    on.fault = {};
    auto second = co_await open.log->delete_records(env, to);
    confirmed = second.has_value();
  };
  bool confirmed = false;
  {
    TestWorld world(disk);
    EXPECT_TRUE(world.run(story(world.env, disk, confirmed)));
  }
  EXPECT_TRUE(confirmed);
  disk.lose_power();
  Front found;
  live(disk, found, 0);
  EXPECT_EQ(found.start, Offset(5));
}

TEST(LogFrontPower, ALookUpByTimestampPassesOverDeletedRecords) {
  TestDisk disk;
  auto story = [](Env& env) -> Task<void> {
    TestLog open;
    Result<void> opened = co_await open.open(env, kSmall);
    CHECK(opened, "{}", opened.error().to_string());
    co_await fill(env, *open.log, 12);
    Offset to(4);  // inside the batch from 3 to 5
    (void)co_await open.log->delete_records(env, to);
    WallTime early{1000};
    auto found = co_await open.log->find_timestamp(env, early);
    EXPECT_EQ((*found)->offset, Offset(4));
    to = Offset(12);
    (void)co_await open.log->delete_records(env, to);
    auto largest = co_await open.log->max_timestamp(env);
    EXPECT_TRUE(largest) << "deleted, but still there";
  };
  TestWorld world(disk);
  EXPECT_TRUE(world.run(story(world.env)));
}

TEST(LogCut, ALogThatWasCutInAGapEndsWhereItsLastBatchDoes) {
  TestDisk disk;
  auto story = [](Env& env, Offset& end) -> Task<void> {
    TestLog open;
    Result<void> opened = co_await open.open(env, kSmall);
    CHECK(opened, "{}", opened.error().to_string());
    co_await fill(env, *open.log, 6);
    Incoming in = incoming(make_batch(3, 2000, 40));
    wire::set_base_offset(in.bytes, Offset(50));
    wire::set_leader_epoch(in.bytes, LeaderEpoch(1));
    auto appended = open.log->append_verbatim(in.block, in.bytes, WallTime{0});
    CHECK(appended, "{}", appended.error().to_string());
    co_await open.log->write_out(env);
    Offset to(20);
    auto cut = co_await open.log->truncate(env, to);
    if (cut) end = *cut;
    LogDir& dir = *open.dir;
    (void)co_await dir.save_points(env);
  };
  Offset end;
  {
    TestWorld world(disk);
    EXPECT_TRUE(world.run(story(world.env, end)));
  }
  EXPECT_EQ(end, Offset(6));
  Front found;
  live(disk, found, 0);
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.end, Offset(6));
}

}  // namespace
}  // namespace moldau::log
