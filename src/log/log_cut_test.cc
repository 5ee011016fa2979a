// Truncation: what is left, and that a crash at any point leaves a log without a hole.
#include <gtest/gtest.h>

#include "log/batch_info.h"
#include "log/log.h"
#include "log/producer_snapshot.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr LogConfig kSmall{.segment_bytes = 700, .index_interval_bytes = 200, .tail_bytes = 600};

struct Story {
  std::string error;
  Offset end;                      // as found or left
  std::vector<uint8_t> producers;  // snapshots by the log itself
  std::vector<EpochEntry> epochs;
  std::vector<uint8_t> bytes;  // all that can be read
  Offset start;
  void complain(std::string what) {
    if (error.empty()) error = std::move(what);
  }
};

Task<void> open(Env& env, TestLog& out, Story& story) {
  Result<void> opened = co_await out.open(env, kSmall);
  if (!opened) story.complain(opened.error().to_string());
}

// Batch number i has offset i, epoch i / 5, producer 1 or 2, and content that generation decides.
Task<void> fill(Env& env, Log& log, Story& story, int until, int generation) {
  for (int64_t i = log.offsets().end.value; i < until; i++) {
    Incoming in =
        incoming(make_producer_batch({.producer = 1 + i % 2,
                                      .epoch = static_cast<int16_t>(generation),
                                      .sequence = static_cast<int32_t>(i / 2),
                                      .timestamp = 1'700'000'000'000 + i * 10 + generation}));
    wire::set_base_offset(in.bytes, Offset(i));
    wire::set_leader_epoch(in.bytes, LeaderEpoch(static_cast<int32_t>(i / 5 + 10 * generation)));
    auto appended = log.append_verbatim(in.block, in.bytes, WallTime{0});
    if (!appended) co_return story.complain(appended.error().to_string());
    co_await log.write_out(env);
    Appended at = *appended;
    co_await wait_for(env, log, at);
  }
}

Task<void> look(Env& env, Log& log, Story& story) {
  Offsets offsets = log.offsets();
  story.end = offsets.end;
  story.start = offsets.start;
  story.producers = log.producer_snapshot();
  story.epochs.clear();
  story.bytes.clear();
  for (Offset at = offsets.start; at < offsets.end;) {
    ReadRequest request{.from = at, .max_bytes = 1, .limit = offsets.end};
    auto result = co_await log.read(env, request);
    if (!result || result->pieces.empty())
      co_return story.complain(fmt::format("nothing at {} of {}", at, offsets.end));
    ReadResult& read = *result;
    auto batch = co_await flat(read);
    story.bytes.insert(story.bytes.end(), batch.begin(), batch.end());
    auto header = wire::read_batch_header(batch);
    if (!header || header->base_offset != at)
      co_return story.complain(fmt::format("no batch at {}", at));
    std::optional<EpochEnd> epoch = log.epoch_end(header->leader_epoch);
    if (!epoch || epoch->epoch != header->leader_epoch || epoch->end <= at)
      story.complain(fmt::format("epoch {} does not know offset {}", header->leader_epoch, at));
    at = header->next_offset();
  }
}

Task<void> shut(Env& env, TestLog& open, Story& story) {
  Result<void> closed = co_await open.close(env);
  if (!closed) story.complain(closed.error().to_string());
}

Task<void> write_then_close(Env& env, Story& story, int until, int generation) {
  TestLog o;
  co_await open(env, o, story);
  if (!story.error.empty()) co_return;
  co_await fill(env, *o.log, story, until, generation);
  co_await look(env, *o.log, story);
  co_await shut(env, o, story);
}

// Opens, cuts, writes other batches in place of what was cut, looks, and closes or not.
Task<void> cut_and_go_on(Env& env, Story& story, int to, int until, bool close) {
  TestLog o;
  co_await open(env, o, story);
  if (!story.error.empty()) co_return;
  auto end = co_await o.log->truncate(env, Offset(to));
  if (!end) co_return story.complain(end.error().to_string());
  co_await fill(env, *o.log, story, until, 1);
  co_await look(env, *o.log, story);
  if (close) co_await shut(env, o, story);
}

Task<void> only_look(Env& env, Story& story) {
  TestLog o;
  co_await open(env, o, story);
  if (!story.error.empty()) co_return;
  co_await look(env, *o.log, story);
  co_await shut(env, o, story);
}

template <class... A>
bool live(TestDisk& disk, Task<void> (*life)(Env&, A...), std::type_identity_t<A>... arguments) {
  TestWorld world(disk);
  return world.run(life(world.env, arguments...));
}

// A log that never held anything else.
Story straight(int from_first, int until) {
  TestDisk disk;
  Story story;
  live(disk, write_then_close, story, from_first, 0);
  live(disk, write_then_close, story, until, 1);
  EXPECT_EQ(story.error, "");
  return story;
}

TEST(LogCut, LeavesALogThatNeverHeldMore) {
  for (int to : {19, 15, 7, 1, 0}) {
    TestDisk disk;
    Story story;
    live(disk, write_then_close, story, 20, 0);
    live(disk, cut_and_go_on, story, to, 22, true);
    ASSERT_EQ(story.error, "") << to;
    Story wanted = straight(to, 22);
    EXPECT_EQ(story.end, wanted.end);
    EXPECT_EQ(story.bytes, wanted.bytes) << to;
    EXPECT_EQ(story.producers, wanted.producers) << to;
    live(disk, only_look, story);
    EXPECT_EQ(story.error, "");
    EXPECT_EQ(story.bytes, wanted.bytes) << "after a restart";
  }
}

TEST(LogCut, TakesAWholeBatchThatHoldsTheOffset) {
  TestDisk disk;
  Story story;
  live(disk, write_then_close, story, 3, 0);
  TestWorld world(disk);
  Offset end;
  auto body = [](Env& env, Story& s, Offset& out) -> Task<void> {
    TestLog o;
    co_await open(env, o, s);
    Incoming in = incoming(make_batch(5, 1000, 10));
    (void)o.log->append(in.block, in.bytes, LeaderEpoch(1), WallTime{0});
    co_await o.log->write_out(env);
    Offset middle(5);
    auto cut = co_await o.log->truncate(env, middle);
    if (cut) out = *cut;
    co_await shut(env, o, s);
  };
  ASSERT_TRUE(world.run(body(world.env, story, end)));
  EXPECT_EQ(end, Offset(3));
  EXPECT_EQ(story.error, "");
}

// The log is what it was, cut short by whole batches, or the new one: never a mixture.
void expect_one_of(const Story& found, const Story& before, const Story& after, int64_t stop) {
  size_t same = 0;
  size_t most = std::min(found.bytes.size(), before.bytes.size());
  while (same < most && found.bytes[same] == before.bytes[same]) same++;
  bool old = same == found.bytes.size();
  most = std::min(found.bytes.size(), after.bytes.size());
  bool fresh = equal(Bytes(found.bytes).first(most), Bytes(after.bytes).first(most)) &&
               found.bytes.size() == most;
  EXPECT_TRUE(old || fresh) << "stopped at " << stop << ", end " << found.end.value;
}

void crash_everywhere(bool torn, std::string& error) {
  Story before, after;
  TestDisk first;
  live(first, write_then_close, before, 20, 0);
  int64_t setup = first.operations;
  live(first, cut_and_go_on, after, 7, 12, true);
  int64_t operations = first.operations - setup;
  Random random(7);
  for (int64_t stop = 1; stop < operations && error.empty(); stop++) {
    TestDisk disk;
    Story story;
    live(disk, write_then_close, story, 20, 0);
    disk.stop_at = disk.operations + stop;
    live(disk, cut_and_go_on, story, 7, 12, true);
    disk.resume();
    disk.lose_power(torn ? &random : nullptr);
    Story found;
    live(disk, only_look, found);
    if (!found.error.empty()) error = fmt::format("stopped at {}: {}", stop, found.error);
    if (found.end < Offset(7)) error = fmt::format("stopped at {}: kept data is gone", stop);
    if (error.empty()) expect_one_of(found, before, after, stop);
    // And it can be gone on with.
    Story again;
    live(disk, cut_and_go_on, again, 7, 12, true);
    if (!again.error.empty()) error = fmt::format("stopped at {}, again: {}", stop, again.error);
    if (again.bytes != after.bytes && error.empty())
      error = fmt::format("stopped at {}: other bytes in the end", stop);
    if (again.producers != after.producers && error.empty())
      error = fmt::format("stopped at {}: other producers in the end", stop);
  }
}

TEST(LogCut, IsSafeAgainstACrashAtAnyOperation) {
  for (bool torn : {false, true}) {
    std::string error;
    crash_everywhere(torn, error);
    EXPECT_EQ(error, "") << (torn ? "torn" : "whole");
  }
}

Task<void> restart(Env& env, Story& story, int at, int until) {
  TestLog o;
  co_await open(env, o, story);
  if (!story.error.empty()) co_return;
  Offset offset(at);
  auto end = co_await o.log->restart_at(env, offset);
  if (!end) co_return story.complain(end.error().to_string());
  co_await fill(env, *o.log, story, until, 1);
  co_await look(env, *o.log, story);
  co_await shut(env, o, story);
}

TEST(LogCut, DropsAllAndGoesOnAtAnOffset) {
  for (int at : {100, 8}) {
    TestDisk disk;
    Story story;
    live(disk, write_then_close, story, 20, 0);
    live(disk, restart, story, at, at);
    EXPECT_EQ(story.error, "");
    live(disk, only_look, story);
    EXPECT_EQ(story.start, Offset(at)) << "an empty log begins there after a restart";
    EXPECT_EQ(story.end, Offset(at));
    live(disk, restart, story, at, at + 6);
    live(disk, only_look, story);
    EXPECT_EQ(story.error, "");
    EXPECT_EQ(story.start, Offset(at));
    EXPECT_EQ(story.end, Offset(at + 6));
  }
}

// A log of several segments that somebody still writes while it is cut: one that leaves syncs to
// the system, so that what was written just before is in no segment for good.
struct Busy {
  LogConfig config = kSmall;
  std::string error;
  Offset end;
  bool cut = false;
};

Task<void> write_all(Env& env, Log& log, int batches) {
  for (int i = 0; i < batches; i++) {
    Incoming in = incoming(make_batch(1, 1000 + i, 100));
    (void)log.append(in.block, in.bytes, LeaderEpoch(1), WallTime{0});
  }
  co_await log.write_out(env);
}

Task<void> cut_while_written(Env& env, TestDisk& disk, TestLoop& loop, Busy& story,
                             Duration after) {
  TestLog o;
  o.dir_config.checkpoint_interval = seconds(100);
  Result<void> opened = co_await o.open(env, story.config);
  if (!opened) co_return;
  co_await write_all(env, *o.log, 4);
  disk.later = &loop;
  Log& log = *o.log;
  host::Scope writer(env.loop, "writer");
  writer.spawn(write_all(env, log, 12));
  co_await env.loop.sleep(after);
  Offset to(14);
  auto end = co_await log.truncate(env, to);
  story.cut = end.has_value();
  if (end) story.end = *end;
  disk.stop_at = disk.operations;  // the power goes
  co_await writer.drained();
}

TEST(LogCut, WhatItLeavesIsDurableAlsoIfItWasJustBeingWritten) {
  int cuts = 0;
  for (Flush flush : {Flush::ack, Flush::async}) {
    for (int64_t micros = 0; micros < 12'000; micros += 1000) {
      TestDisk disk;
      Busy story;
      story.config.flush = flush;
      {
        TestWorld world(disk);
        world.run(cut_while_written(world.env, disk, world.loop, story, microseconds(micros)));
      }
      disk.resume();
      disk.lose_power();
      if (!story.cut) continue;
      cuts++;
      Story found;
      live(disk, only_look, found);
      EXPECT_EQ(found.error, "") << micros;
      EXPECT_EQ(found.end, story.end) << micros;
    }
  }
  EXPECT_EQ(cuts, 24);
}

}  // namespace
}  // namespace moldau::log
