#include "log/log_core.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

LogCore::Opened nothing() {
  LogCore::Opened opened;
  opened.segments.emplace_back();
  return opened;
}

Appended append(LogCore& core, int records, size_t value_size = 20, int epoch = 0) {
  Incoming in = incoming(make_batch(records, 1000 + core.offsets().end.value, value_size));
  auto appended = core.append(in.block, in.bytes, LeaderEpoch(epoch), WallTime{0});
  EXPECT_TRUE(appended);
  return *appended;
}

// Takes the next step and says that it went well. The step's kind is returned.
WriteStep::Kind write_once(LogCore& core) {
  WriteStep step;
  bool role = false;
  core.next_write(step, role);
  WriteStep::Kind kind = step.kind;
  while (role) {
    if (step.kind == WriteStep::Kind::create) core.created(step, nullptr);
    if (step.kind == WriteStep::Kind::write) core.written(step);
    core.next_write(step, role);
  }
  return kind;
}

void sync(LogCore& core) {
  if (auto step = core.begin_sync(false)) core.end_sync(*step);
}

TEST(LogCore, GivesOffsetsInOrderAndTheEpochInPlace) {
  LogCore core({}, nothing());
  Appended first = append(core, 3);
  Incoming in = incoming(make_batch(2, 1, 10));
  auto second = core.append(in.block, in.bytes, LeaderEpoch(5), WallTime{0});
  EXPECT_EQ(first.last, Offset(2));
  EXPECT_EQ(second->base, Offset(3));
  EXPECT_EQ(load_be<int64_t>(in.bytes.data()), 3);
  EXPECT_EQ(load_be<int32_t>(in.bytes.data() + 12), 5);
  EXPECT_EQ(core.offsets().end, Offset(5));
  EXPECT_EQ(core.offsets().written, Offset(0));
}

TEST(LogCore, WritesAllThatIsPendingAtOnce) {
  LogCore core({}, nothing());
  for (int i = 0; i < 10; i++) append(core, 1);
  WriteStep step;
  bool role = false;
  core.next_write(step, role);
  ASSERT_EQ(step.kind, WriteStep::Kind::create);
  core.created(step, nullptr);
  core.next_write(step, role);
  ASSERT_EQ(step.kind, WriteStep::Kind::write);
  EXPECT_EQ(step.count, 10u);
  EXPECT_EQ(step.position, 0);
  append(core, 1);  // while the write is under way
  bool other = false;
  WriteStep none;
  core.next_write(none, other);
  EXPECT_FALSE(other) << "the role is taken";
  Effects effects = core.written(step);
  EXPECT_TRUE(effects.sync_wanted);
  EXPECT_FALSE(effects.committed) << "written is not durable";
  core.next_write(step, role);
  EXPECT_EQ(step.count, 1u) << "who has the role goes on";
}

TEST(LogCore, ACutBeginsOnlyWhenAllIsDurable) {
  for (Flush flush : {Flush::ack, Flush::async}) {
    LogCore core({.flush = flush}, nothing());
    append(core, 1);
    write_once(core);
    auto first = core.begin_sync(true);
    append(core, 1);
    write_once(core);
    EXPECT_FALSE(core.begin_cut()) << "a sync is under way";
    core.end_sync(*first);
    EXPECT_FALSE(core.begin_cut()) << "the second is written, and the cut would call it durable";
    auto second = core.begin_sync(true);
    ASSERT_TRUE(second);
    core.end_sync(*second);
    EXPECT_TRUE(core.begin_cut());
  }
}

TEST(LogCore, SyncMakesDurableWhatWasWrittenWhenItBegan) {
  LogCore core({}, nothing());
  append(core, 2);
  write_once(core);
  auto step = core.begin_sync(false);
  ASSERT_TRUE(step);
  append(core, 2);
  write_once(core);
  EXPECT_FALSE(core.begin_sync(false)) << "one at a time";
  Effects effects = core.end_sync(*step);
  EXPECT_EQ(effects.committed, Offset(2));
  EXPECT_EQ(core.offsets().durable, Offset(2));
  EXPECT_EQ(core.offsets().written, Offset(4));
}

TEST(LogCore, BeginsASegmentOnlyWhenTheOneBeforeIsDurable) {
  LogCore core({.segment_bytes = 300}, nothing());
  append(core, 1, 150);
  append(core, 1, 150);
  write_once(core);
  EXPECT_EQ(core.offsets().written, Offset(1));
  EXPECT_EQ(write_once(core), WriteStep::Kind::none);
  auto step = core.begin_sync(false);
  EXPECT_TRUE(core.end_sync(*step).write_wanted);
  write_once(core);
  EXPECT_EQ(core.offsets().written, Offset(2));
  EXPECT_EQ(core.segments().size(), 2u);
  EXPECT_EQ(core.recovery_point(), Offset(0)) << "the index of the sealed segment is not on disk";
  auto derived = core.unsaved_derived();
  ASSERT_TRUE(derived);
  core.derived_saved(derived->index->base());
  EXPECT_EQ(core.recovery_point(), Offset(0)) << "nor are the leader epochs";
  core.epochs_saved(core.unsaved_epochs()->version);
  EXPECT_EQ(core.recovery_point(), Offset(1));
}

// A recovery point at the end of the last segment would lie at the border of the next one, and
// recovery would believe index files that a clean stop had left before the segment was full.
TEST(LogCore, KeepsTheRecoveryPointInsideTheLastSegment) {
  LogCore core({.segment_bytes = 300}, nothing());
  append(core, 2, 50);
  write_once(core);
  sync(core);
  core.epochs_saved(core.unsaved_epochs()->version);
  EXPECT_EQ(core.offsets().durable, Offset(2));
  EXPECT_EQ(core.recovery_point(), Offset(1));
  core.derived_saved(core.final_derived().index->base());
  EXPECT_EQ(core.recovery_point(), Offset(2)) << "after a clean stop all of it";
}

// An epoch that a full disk took back, and one that began before it: the file lacks the earlier.
TEST(LogCore, WaitsForTheEarliestEpochThatIsNotSaved) {
  LogCore core({}, nothing());
  append(core, 2);
  write_once(core);
  sync(core);
  core.epochs_saved(core.unsaved_epochs()->version);
  append(core, 3);
  append(core, 1, 20, 1);  // epoch 1 begins at 5
  WriteStep step;
  bool role = false;
  core.next_write(step, role);
  core.write_failed(Error(Errc::no_space));
  append(core, 9, 20, 2);  // epoch 2 at 2
  write_once(core);
  sync(core);
  EXPECT_EQ(core.offsets().durable, Offset(11));
  EXPECT_EQ(core.recovery_point(), Offset(2));
}

TEST(LogCore, FindsNoTimestampInASegmentThatIsNotMadeYet) {
  LogCore core({.segment_bytes = 300}, nothing());
  append(core, 1, 150);
  append(core, 1, 150);
  write_once(core);
  ASSERT_EQ(core.segments().size(), 2u);
  ASSERT_FALSE(core.segments().back().exists);
  auto plan = core.plan_time(WallTime{1001}, Offset(0));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kind, ReadPlan::Kind::done);
}

// Between the plan and the walk the rest may be written, and the segment behind: an answer from
// there would pass over what the plan does not cover.
TEST(LogCore, ATimestampIsNotLookedForBehindWhatIsNotWritten) {
  LogCore core({.segment_bytes = 400}, nothing());
  append(core, 1, 100);
  write_once(core);
  append(core, 1, 100);
  append(core, 1, 100);
  ASSERT_EQ(core.segments().size(), 2u);
  auto plan = core.plan_time(WallTime{1001}, Offset(0));
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->kind, ReadPlan::Kind::file);
  EXPECT_FALSE(plan->next_segment);
  write_once(core);
  plan = core.plan_time(WallTime{1001}, Offset(0));
  EXPECT_EQ(plan->next_segment, Offset(2));
}

TEST(LogCore, AsyncCommitsWhenWrittenAndSyncsSealedSegmentsOnly) {
  LogCore core({.segment_bytes = 300, .flush = Flush::async}, nothing());
  append(core, 1, 150);
  write_once(core);
  EXPECT_EQ(core.offsets().committed, Offset(1));
  EXPECT_FALSE(core.begin_sync(false));
  append(core, 1, 150);
  write_once(core);
  auto step = core.begin_sync(false);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->through, Offset(1));
  core.end_sync(*step);
  EXPECT_TRUE(core.begin_sync(true)) << "a clean close syncs all";
}

TEST(LogCore, RollsAsKafkaDoes) {
  struct Case {
    const char* why;
    LogConfig config;
    int appends;
    size_t segments;
  };
  for (const Case& c : {Case{"one batch is 113 bytes: two fit", {.segment_bytes = 226}, 4, 2},
                        Case{"one byte less: each has its own", {.segment_bytes = 225}, 4, 4},
                        Case{"age by timestamps", {.segment_millis = 2}, 6, 2},
                        Case{"the index is full after two entries",
                             {.index_interval_bytes = 100, .segment_index_bytes = 36},
                             7,
                             3}}) {
    LogCore core(c.config, nothing());
    for (int i = 0; i < c.appends; i++) append(core, 1, 45);
    EXPECT_EQ(core.segments().size(), c.segments) << c.why;
  }
}

TEST(LogCore, ASegmentThatBeginsWithoutATimestampIsNotOldForThat) {
  LogCore core({.segment_millis = 1000}, nothing());
  for (int64_t time : {int64_t{-1}, int64_t{1'700'000'000'000}}) {
    Incoming in = incoming(make_batch(1, time, 10));
    ASSERT_TRUE(core.append(in.block, in.bytes, LeaderEpoch(0), WallTime{500}).has_value());
  }
  EXPECT_EQ(core.segments().size(), 1u);
}

TEST(LogCore, RefusesWhatNoSegmentHolds) {
  LogCore core({.segment_bytes = 100}, nothing());
  Incoming in = incoming(make_batch(1, 0, 100));
  EXPECT_EQ(core.append(in.block, in.bytes, LeaderEpoch(0), WallTime{0}).error().code(),
            Errc::too_large);
}

TEST(LogCore, TakesBackWhatDoesNotFitTheDisk) {
  LogCore core({.segment_bytes = 300}, nothing());
  Appended kept = append(core, 1, 100);
  write_once(core);
  sync(core);
  Appended lost = append(core, 1, 100, 1);  // a second segment and a new epoch
  Appended lost_too = append(core, 1, 100, 1);
  WriteStep step;
  bool role = false;
  core.next_write(step, role);
  Effects effects = core.write_failed(fail(Errc::no_space));
  EXPECT_TRUE(effects.dropped);
  EXPECT_FALSE(effects.offline);
  EXPECT_FALSE(core.failed(kept.ticket));
  EXPECT_TRUE(core.failed(lost.ticket));
  EXPECT_TRUE(core.failed(lost_too.ticket));
  EXPECT_EQ(core.offsets().end, Offset(1));
  EXPECT_EQ(core.epochs().entries().size(), 1u);
  Appended again = append(core, 1, 100, 1);
  EXPECT_EQ(again.base, lost.base);
  EXPECT_FALSE(core.failed(again.ticket));
  write_once(core);
  EXPECT_EQ(core.offsets().written, Offset(2));
}

TEST(LogCore, RememberedFailuresAreBounded) {
  LogCore core({}, nothing());
  Appended oldest{};
  for (int i = 0; i < 3000; i++) {
    append(core, 1);
    write_once(core);  // so that the ranges do not join
    Appended lost = append(core, 1);
    if (i == 0) oldest = lost;
    WriteStep step;
    bool role = false;
    core.next_write(step, role);
    core.write_failed(fail(Errc::no_space));
    EXPECT_TRUE(core.failed(lost.ticket));
  }
  EXPECT_TRUE(core.failed(oldest.ticket));
  EXPECT_FALSE(core.failed(append(core, 1).ticket));
}

TEST(LogCore, AnyOtherFailureIsForGood) {
  LogCore core({}, nothing());
  Appended waiting = append(core, 1);
  WriteStep step;
  bool role = false;
  core.next_write(step, role);
  EXPECT_TRUE(core.write_failed(fail(Errc::io)).offline);
  EXPECT_TRUE(core.failed(waiting.ticket));
  Incoming in = incoming(make_batch(1, 0, 1));
  EXPECT_EQ(core.append(in.block, in.bytes, LeaderEpoch(0), WallTime{0}).error().code(),
            Errc::offline);
  EXPECT_EQ(core.plan_read({.max_bytes = 1, .limit = Offset(1)}).error().code(), Errc::offline);
}

// The system tells of lost pages once, and not necessarily the sync that was to save them.
TEST(LogCore, ASyncProvesNothingIfAnotherFailedMeanwhile) {
  LogCore core({}, nothing());
  append(core, 2);
  write_once(core);
  auto step = core.begin_sync(false);
  ASSERT_TRUE(step);
  append(core, 1);
  WriteStep write;
  bool role = false;
  core.next_write(write, role);
  EXPECT_TRUE(core.write_failed(fail(Errc::io)).offline) << "its cut could not be synced";
  EXPECT_FALSE(core.end_sync(*step).committed);
  EXPECT_EQ(core.offsets().durable, Offset(0));
}

// Any order of appends, writes, full disks and syncs keeps start <= durable <= written <= end, an
// exact tail, and positions without a gap.
TEST(LogCore, KeepsItsInvariantsInAnyOrder) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Random random(seed);
    LogCore core({.segment_bytes = 900, .index_interval_bytes = 150, .tail_bytes = 500}, nothing());
    for (int i = 0; i < 100; i++) {
      WriteStep step;
      bool role = false;
      switch (random.below(6)) {
        case 0:
          write_once(core);
          break;
        case 1:
          sync(core);
          break;
        case 2:
          core.next_write(step, role);
          if (role) core.write_failed(fail(Errc::no_space));
          break;
        default:
          append(core, 1 + static_cast<int>(random.below(3)), random.below(100));
          break;
      }
      Offsets at = core.offsets();
      ASSERT_TRUE(at.start <= at.durable && at.durable <= at.written && at.written <= at.end)
          << seed;
      int64_t size = 0;
      for (const Segment& segment : core.segments()) {
        ASSERT_LE(segment.written, segment.size);
        ASSERT_LE(segment.size, 900);
        ASSERT_EQ(segment.sealed, &segment != &core.segments().back());
        size += segment.size - segment.written;
      }
      ASSERT_LE(core.tail_bytes(), 500u + static_cast<size_t>(size));
      auto plan = core.plan_read({.from = at.written, .max_bytes = 1 << 20, .limit = at.end});
      ASSERT_TRUE(plan);
      size_t bytes = 0;
      for (const SharedBytes& piece : plan->tail) bytes += piece.size();
      ASSERT_TRUE(bytes == static_cast<size_t>(size) || plan->tail.size() == 64) << seed;
    }
  }
}

TEST(LogCoreRead, ServesWholeBatchesOfTheTailWithinTheBounds) {
  LogCore core({}, nothing());
  for (int i = 0; i < 4; i++) append(core, 10, 40);  // offsets 0, 10, 20, 30
  size_t one =
      core.plan_read({.from = Offset(0), .max_bytes = 1, .limit = Offset(40)})->tail[0].size();
  struct Case {
    const char* what;
    ReadRequest request;
    size_t batches;
    int64_t base;
  };
  for (const Case& c :
       {Case{"all", {Offset(0), 1 << 20, Offset(40)}, 4, 0},
        Case{"from inside a batch", {Offset(15), 1 << 20, Offset(40)}, 3, 10},
        Case{"two fit", {Offset(0), 3 * one - 1, Offset(40)}, 2, 0},
        Case{"one is too large, and given", {Offset(0), 10, Offset(40)}, 1, 0},
        Case{"one is too large, and not given", {Offset(0), 10, Offset(40), false}, 0, 0},
        Case{"up to the limit", {Offset(0), 1 << 20, Offset(20)}, 2, 0},
        Case{"the limit is inside a batch", {Offset(0), 1 << 20, Offset(25)}, 2, 0},
        Case{"the limit is inside the first batch", {Offset(0), 1 << 20, Offset(5)}, 0, 0},
        Case{"from the limit on", {Offset(20), 1 << 20, Offset(20)}, 0, 0},
        Case{"at the end", {Offset(40), 1 << 20, Offset(90)}, 0, 0}}) {
    auto plan = core.plan_read(c.request);
    ASSERT_TRUE(plan) << c.what;
    size_t bytes = 0;
    for (const SharedBytes& piece : plan->tail) bytes += piece.size();
    EXPECT_EQ(bytes, c.batches * one) << c.what;
    if (c.batches > 0) EXPECT_EQ(plan->base, Offset(c.base)) << c.what;
  }
  EXPECT_EQ(
      core.plan_read({.from = Offset(41), .max_bytes = 1, .limit = Offset(50)}).error().code(),
      Errc::out_of_range);
  EXPECT_EQ(
      core.plan_read({.from = Offset(-1), .max_bytes = 1, .limit = Offset(50)}).error().code(),
      Errc::out_of_range);
}

TEST(LogCoreRead, PrefersOneRangeOfTheFileToManyPieces) {
  LogCore core({}, nothing());
  for (int i = 0; i < 100; i++) append(core, 1);
  EXPECT_EQ(core.plan_read({.max_bytes = 1 << 20, .limit = Offset(100)})->tail.size(), 64u)
      << "not written: no choice";
  write_once(core);
  auto plan = core.plan_read({.max_bytes = 1 << 20, .limit = Offset(100)});
  EXPECT_EQ(plan->kind, ReadPlan::Kind::file);
  EXPECT_EQ(plan->search, 0);
}

}  // namespace
}  // namespace moldau::log
