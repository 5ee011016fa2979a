// A log and its producers, across restarts and crashes.
#include <gtest/gtest.h>

#include "base/bug.h"
#include "base/random.h"
#include "log/batch_info.h"
#include "log/log.h"
#include "log/producer_snapshot.h"
#include "log/recovery.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

constexpr LogConfig kSmall{.segment_bytes = 700, .index_interval_bytes = 200, .tail_bytes = 600};

// What is expected of the log: a model of its producers, batch by batch.
struct History {
  std::vector<PlacedBatch> batches;
  std::vector<bool> acked;
  std::string error;
  std::map<int64_t, int32_t> next;  // sequence by producer
  int repeated = 0;

  void complain(std::string what) {
    if (error.empty()) error = std::move(what);
  }
  ProducerState model() const {
    ProducerState state;
    for (const PlacedBatch& batch : batches) (void)state.apply(batch);
    return state;
  }
};

Task<std::optional<Appended>> put(Env& env, Log& log, std::vector<uint8_t> bytes, Origin origin,
                                  History& history) {
  Incoming in = incoming(bytes);
  auto appended = log.append(in.block, in.bytes, LeaderEpoch(0), WallTime{0}, origin);
  if (!appended) {
    history.complain(appended.error().to_string());
    co_return std::nullopt;
  }
  Appended at = *appended;
  if (!at.duplicate) {
    auto header = wire::read_batch_header(in.bytes);
    history.batches.push_back(
        {read_producer_part(*header, in.bytes), at.base, 0, header->max_timestamp});
    history.acked.push_back(false);
  }
  co_await log.write_out(env);
  co_await wait_for(env, log, at);
  if (log.state(at) == AppendState::committed && !at.duplicate) history.acked.back() = true;
  co_return at;
}

// What a new life finds: a prefix with all that was acknowledged, and the producers of just that.
void adopt(History& history, const Log& log) {
  Offset end = log.offsets().end;
  while (!history.batches.empty() && history.batches.back().base >= end) {
    if (history.acked.back()) history.complain("an acknowledged batch is gone");
    history.batches.pop_back();
    history.acked.pop_back();
  }
  if (std::ssize(history.batches) != end.value)
    history.complain(fmt::format("{} batches, end {}", history.batches.size(), end));
  if (log.producer_snapshot() != encode_producer_snapshot(history.model()))
    history.complain(fmt::format("other producers than the log has, end {}", end));
  history.next.clear();
  for (const PlacedBatch& batch : history.batches)
    if (!batch.producer.control)
      history.next[batch.producer.id.value] = batch.producer.base_sequence + 1;
}

Task<void> life(Env& env, History& history, uint64_t seed, int count, bool close) {
  TestLog opened;
  Result<void> open = co_await opened.open(env, kSmall);
  if (!open) co_return history.complain(open.error().to_string());
  Log& log = *opened.log;
  adopt(history, log);
  Random random(seed);
  for (int i = 0; i < count && history.error.empty(); i++) {
    int64_t producer = 1 + static_cast<int64_t>(random.below(3));
    bool transactional = producer == 3;
    std::vector<uint8_t> bytes = make_producer_batch({.producer = producer,
                                                      .sequence = history.next[producer]++,
                                                      .transactional = transactional});
    Origin origin = Origin::client;
    bool ends = transactional && random.one_in(3);
    if (ends) {
      history.next[producer]--;
      bytes = make_marker(producer, 0, random.one_in(2));
      origin = Origin::coordinator;
    }
    auto at = co_await put(env, log, bytes, origin, history);
    if (!at || ends) continue;
    auto again = co_await put(env, log, bytes, origin, history);
    if (!again || !again->duplicate || again->base != at->base)
      history.complain("a batch that was sent again was stored again");
    history.repeated++;
  }
  if (!close) co_return;
  Result<void> closed = co_await opened.close(env);
  if (!closed) history.complain(closed.error().to_string());
}

TEST(LogProducers, AreTheSameAfterACleanRestart) {
  TestDisk disk;
  History history;
  for (uint64_t seed = 1; seed <= 4; seed++) {
    TestWorld world(disk);
    ASSERT_TRUE(world.run(life(world.env, history, seed, 9, true)));
    ASSERT_EQ(history.error, "") << "life " << seed;
  }
  EXPECT_GT(history.repeated, 20);
  bool snapshot_at_end = disk.names.contains(
      "data/topic-0/" + segment_file_name(Offset(std::ssize(history.batches)), ".snapshot"));
  EXPECT_TRUE(snapshot_at_end);
}

TEST(LogProducers, AreTheSameAfterACrashAtAnyOperation) {
  int64_t operations = 0;
  for (int64_t stop = 0; stop == 0 || stop < operations; stop++) {
    TestDisk disk;
    History history;
    {
      TestWorld world(disk);
      ASSERT_TRUE(world.run(life(world.env, history, 1, 6, true)));
    }
    int64_t before = disk.operations;
    if (stop > 0) disk.stop_at = before + stop;
    {
      TestWorld world(disk);
      world.run(life(world.env, history, 2, 8, true));
    }
    if (stop == 0) operations = disk.operations - before;
    disk.resume();
    disk.lose_power();
    for (int again = 0; again < 2; again++) {
      TestWorld world(disk);
      ASSERT_TRUE(world.run(life(world.env, history, 3, 3, again == 1)));
      ASSERT_EQ(history.error, "") << "stopped at " << stop;
    }
  }
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(LogProducers, PlantedBugsAreFound) {
  plant(Bug::restart_forgets_producers);
  TestDisk disk;
  History history;
  for (uint64_t seed = 1; seed <= 2; seed++) {
    TestWorld world(disk);
    world.run(life(world.env, history, seed, 9, true));
  }
  plant(Bug::none);
  EXPECT_NE(history.error, "");
}
#endif

Task<void> grow(Env& env, History& history) {
  TestLog opened;
  Result<void> done = co_await opened.open(env, kSmall);
  if (!done) co_return history.complain(done.error().to_string());
  for (int i = 0; i < 12; i++) {
    auto batch = make_producer_batch({.producer = 1 + i % 2, .sequence = i / 2});
    co_await put(env, *opened.log, batch, Origin::client, history);
  }
  done = co_await opened.close(env);
  if (!done) history.complain(done.error().to_string());
}

Task<void> recover_from(Env& env, Offset log_start, std::string& error, size_t& producers) {
  RecoveryRequest request{.path = "data/topic-0", .log_start = log_start};
  auto entries = co_await env.disk.list(request.path);
  if (entries) request.entries = *entries;
  auto recovered = co_await recover(env, request);
  if (!recovered) co_return void(error = recovered.error().to_string());
  producers = recovered->opened.producers.size();
  if (recovered->opened.end != log_start) error = fmt::format("ends at {}", recovered->opened.end);
}

// A log was cut inside the batch of its start, or its last segments were removed and not the first:
// it begins anew at its start. Whoever wrote to it may send that once more.
TEST(LogProducers, AreKnownWhenAllFilesEndBelowTheStart) {
  for (bool snapshots : {true, false}) {
    TestDisk disk;
    History history;
    {
      TestWorld world(disk);
      ASSERT_TRUE(world.run(grow(world.env, history)));
      ASSERT_EQ(history.error, "");
    }
    for (auto* names : {&disk.names, &disk.durable_names})
      std::erase_if(*names, [&](const auto& file) {
        return !snapshots && file.first.ends_with(".snapshot");
      });
    for (int again = 0; again < 2; again++) {
      TestWorld world(disk);
      std::string error;
      size_t producers = 0;
      ASSERT_TRUE(world.run(recover_from(world.env, Offset(13), error, producers)));
      EXPECT_EQ(error, "");
      EXPECT_EQ(producers, 2u) << "snapshots " << snapshots << " again " << again;
    }
  }
}

struct Txn {
  Offset stable;
  AbortedList all;
  AbortedList late;
  std::string error;
};

// Two transactions in a log of several segments; the first is aborted.
Task<void> transactions(Env& env, Txn& out, bool write) {
  History history;
  TestLog opened;
  Result<void> done = co_await opened.open(env, kSmall);
  if (!done) co_return;
  Log& log = *opened.log;
  if (write) {
    for (int i = 0; i < 6; i++) {
      auto batch = make_producer_batch({.producer = 5, .sequence = i, .transactional = true});
      co_await put(env, log, batch, Origin::client, history);
      co_await put(env, log, make_batch(1, 1, 100), Origin::client, history);
    }
    co_await put(env, log, make_marker(5, 0, true), Origin::coordinator, history);  // 12
    for (int i = 0; i < 6; i++) {
      auto batch = make_producer_batch({.producer = 6, .sequence = i, .transactional = true});
      co_await put(env, log, batch, Origin::client, history);
    }
  }
  out.error = history.error;
  Offset end = log.offsets().end;
  out.stable = log.last_stable(end);
  auto all = co_await log.aborted(env, Offset(0), end);
  if (all) out.all = *all;
  Offset from(13);
  auto late = co_await log.aborted(env, from, end);
  if (late) out.late = *late;
  done = co_await opened.close(env);
  if (!done) out.error = done.error().to_string();
}

TEST(LogProducers, ReadersAreToldOfAbortedTransactionsAlsoAfterARestart) {
  TestDisk disk;
  for (bool write : {true, false}) {
    TestWorld world(disk);
    Txn out;
    ASSERT_TRUE(world.run(transactions(world.env, out, write)));
    EXPECT_EQ(out.error, "");
    EXPECT_EQ(out.stable, Offset(13)) << "the second transaction is open";
    EXPECT_EQ(out.all, (AbortedList{{ProducerId(5), Offset(0), Offset(12), Offset(13)}}));
    EXPECT_EQ(out.late, AbortedList{});
  }
}

}  // namespace
}  // namespace moldau::log
