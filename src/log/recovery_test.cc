// What recovery takes away, it takes so that a power loss in the middle leaves no hole.
#include "log/recovery.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace moldau::log
