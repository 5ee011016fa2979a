// What recovery takes away, it takes so that a power loss in the middle leaves no hole.
#include "log/recovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "log/log.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr LogConfig kSmall{.segment_bytes = 500, .index_interval_bytes = 200, .tail_bytes = 0};

struct Found {
  std::string error;
  Offset end;
  int64_t batches = 0;  // from the start on, one behind the other
};

// One life: appends batches of one record up to `until`, and counts what is there. Ends by a crash.
Task<void> life(Env& env, Found& out, int until) {
  LogDirConfig config{.checkpoint_interval = seconds(1000)};
  auto dir = co_await LogDir::open(env, "data", config);
  if (!dir) {
    out.error = dir.error().to_string();
    co_return;
  }
  std::string directory = "topic-0";
  auto opened = co_await Log::open(env, **dir, directory, kSmall);
  if (!opened) {
    out.error = opened.error().to_string();
    co_return;
  }
  Log& log = **opened;
  for (int64_t i = log.offsets().end.value; i < until; i++) {
    Incoming in = incoming(make_batch(1, 1000 + i, 60));
    auto appended = log.append(in.block, in.bytes, LeaderEpoch(1), WallTime{0});
    co_await log.write_out(env);
    while (appended && log.state(*appended) == AppendState::pending)
      co_await env.loop.sleep(milliseconds(1));
  }
  out.end = log.offsets().end;
  for (Offset at = log.offsets().start; at < out.end; at += 1) {
    const ReadRequest one{.from = at, .max_bytes = 1, .limit = out.end, .at_least_one = true};
    auto read = co_await log.read(env, one);
    if (!read || read->pieces.empty() || read->base != at) {
      out.error = fmt::format("there is no batch at {} of {}", at, out.end);
      co_return;
    }
    out.batches++;
  }
}

Found live(TestDisk& disk, int until = 0) {
  TestWorld world(disk);
  Found found;
  if (!world.run(life(world.env, found, until))) found.error = "stopped";
  return found;
}

// Twenty batches in segments of three, the third of which begins inside the second.
void prepare(TestDisk& disk) {
  EXPECT_EQ(live(disk, 20).error, "");
  auto node = disk.names.extract("data/topic-0/00000000000000000006.log");
  ASSERT_FALSE(node.empty());
  disk.names["data/topic-0/00000000000000000005.log"] = node.mapped();
  disk.durable_names = disk.names;
}

TEST(Recovery, APowerLossWhileItRemovesSegmentsLeavesNoHole) {
  for (int64_t stop = 1;; stop++) {
    bool ended = false;
    for (uint64_t seed = 0; seed < 4; seed++) {
      TestDisk disk;
      prepare(disk);
      disk.stop_at = disk.operations + stop;
      ended = live(disk).error != "stopped";
      disk.resume();
      Random torn(seed + static_cast<uint64_t>(stop) * 10);
      disk.lose_power(&torn);
      Found found = live(disk);
      EXPECT_EQ(found.error, "") << "stopped at operation " << stop;
      EXPECT_EQ(found.end, Offset(6)) << "stopped at operation " << stop;
    }
    if (ended) break;
  }
}

// What is derived from the batches, on a log of several segments with transactions and epochs.
struct Derived {
  std::string error;
  std::optional<TimestampOffset> found;
  std::optional<TimestampOffset> largest;
  AbortedList aborted;
  Epochs epochs;
  std::vector<std::string> mended;
};

Task<void> look(Env& env, Derived& out, bool fill, bool close) {
  TestLog open;
  Result<void> done = co_await open.open(env, kSmall);
  if (!done) {
    out.error = done.error().to_string();
    co_return;
  }
  Log& log = *open.log;
  for (int i = 0; fill && i < 12; i++) {
    auto batch = make_producer_batch(
        {.sequence = i, .transactional = true, .timestamp = 1'700'000'000'000 + i * 10});
    (void)co_await append_and_wait(env, log, batch, Origin::client, LeaderEpoch(i / 4));
    if (i % 3 != 2) continue;
    auto marker = make_marker(1, 0, true);
    (void)co_await append_and_wait(env, log, marker, Origin::coordinator, LeaderEpoch(i / 4));
  }
  if (fill) co_await env.loop.sleep(milliseconds(5));
  WallTime middle{1'700'000'000'035};
  auto found = co_await log.find_timestamp(env, middle);
  if (found) out.found = *found;
  found = co_await log.max_timestamp(env);
  if (found) out.largest = *found;
  Offset from(0);
  Offset upper = log.offsets().end;
  auto aborted = co_await log.aborted(env, from, upper);
  if (aborted) out.aborted = std::move(*aborted);
  for (int epoch = 0; epoch < 3; epoch++)
    if (auto end = log.epoch_end(LeaderEpoch(epoch))) out.epochs.assign(end->epoch, end->end);
  out.mended = log.mended();
  if (close) done = co_await open.close(env);
  if (!done) out.error = done.error().to_string();
}

Derived look_at(TestDisk& disk, bool fill = false, bool close = true) {
  TestWorld world(disk);
  Derived out;
  if (!world.run(look(world.env, out, fill, close))) out.error = "stopped";
  return out;
}

void expect_same(const Derived& found, const Derived& wanted) {
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.found, wanted.found);
  EXPECT_EQ(found.largest, wanted.largest);
  EXPECT_EQ(found.aborted, wanted.aborted);
}

bool ends_so(const std::string& path, const std::vector<std::string>& suffixes) {
  return std::ranges::any_of(suffixes, [&](const auto& one) { return path.ends_with(one); });
}

// The files of that kind, with what is in them.
using Files = std::map<std::string, std::vector<uint8_t>>;
Files files_of(const TestDisk& disk, const std::vector<std::string>& suffixes) {
  Files out;
  for (const auto& [path, inode] : disk.names)
    if (ends_so(path, suffixes)) out[path] = inode->data;
  return out;
}

const std::vector<std::string> kIndexes = {".index", ".timeindex", ".txnindex"};

void remove_files(TestDisk& disk, const std::vector<std::string>& suffixes) {
  auto gone = [&](const auto& file) { return ends_so(file.first, suffixes); };
  std::erase_if(disk.names, gone);
  std::erase_if(disk.durable_names, gone);
}

TEST(Recovery, IndexFilesThatAreMissingAreMadeAgain) {
  for (const std::vector<std::string>& missing : {std::vector<std::string>{".timeindex"},
                                                  {".index"},
                                                  {".index", ".txnindex"},
                                                  {".timeindex", ".txnindex"},
                                                  kIndexes}) {
    for (bool clean : {true, false}) {
      TestDisk disk;
      Derived before = look_at(disk, true);
      ASSERT_EQ(before.aborted.size(), 4u);
      ASSERT_EQ(before.found->offset, Offset(5));
      Files files = files_of(disk, kIndexes);
      ASSERT_GT(files.size(), 9u);
      if (!clean) disk.names.erase("data/.kafka_cleanshutdown");
      remove_files(disk, missing);
      Derived after = look_at(disk);
      expect_same(after, before);
      EXPECT_GE(after.mended.size(), files.size() / 3 - 1);
      EXPECT_EQ(files_of(disk, kIndexes), files) << missing.front() << clean;
      after = look_at(disk);
      expect_same(after, before);
      EXPECT_TRUE(after.mended.empty()) << "once";
    }
  }
}

TEST(Recovery, LeaderEpochsAreTakenFromTheBatchesIfTheirFileSaysNothing) {
  const std::string path = "data/topic-0/leader-epoch-checkpoint";
  for (const char* text : {"0\n3\ngarbage\n", "0\n2\n0 0\n", "x", ""}) {
    for (bool clean : {true, false}) {
      TestDisk disk;
      Derived before = look_at(disk, true);
      ASSERT_EQ(before.epochs.entries().size(), 3u);
      std::vector<uint8_t> content = disk.file(path);
      if (!clean) disk.names.erase("data/.kafka_cleanshutdown");
      disk.file(path).assign(text, text + std::strlen(text));
      if (*text == 0) disk.names.erase(path);
      Derived after = look_at(disk, false, false);
      expect_same(after, before);
      EXPECT_EQ(after.epochs.entries(), before.epochs.entries()) << text << clean;
      EXPECT_EQ(after.mended.size(), 1u);
      EXPECT_EQ(disk.file(path), content) << "written at once";
      EXPECT_TRUE(look_at(disk).mended.empty());
    }
  }
}

TEST(Recovery, MissingIndexFilesAreMadeAgainWhereverTheFirstTryStops) {
  for (int64_t stop = 0;; stop++) {
    TestDisk disk;
    Derived before = look_at(disk, true);
    remove_files(disk, {"00000000.index", "00000000.timeindex", "00000000.txnindex"});
    disk.stop_at = disk.operations + stop;
    bool ended = look_at(disk, false, false).error != "stopped";
    disk.resume();
    disk.lose_power();
    expect_same(look_at(disk), before);
    ASSERT_FALSE(testing::Test::HasFailure()) << "stopped at operation " << stop;
    if (ended) break;
  }
}

}  // namespace
}  // namespace moldau::log
