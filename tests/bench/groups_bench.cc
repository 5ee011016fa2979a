// What it costs to load groups: 1,000 of them with 100 commits each, as a coordinator that starts
// finds them in the partitions of __consumer_offsets; in user memory, without the disk. And what a
// commit costs the core.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "coordinator/driver_load.h"
#include "coordinator/partition_of.h"
#include "wire/record_batch_builder.h"

namespace moldau::coordinator {
namespace {

constexpr int kGroups = 1000, kCommits = 100, kPartitions = 50;
constexpr group::Moment kNow{Instant{1}, WallTime{1'700'000'000'000}};

group::CommitRequest commit_of(const std::string& name, int i) {
  group::CommitRequest request;
  request.who.group = name;
  request.offsets.push_back({.topic = "topic-" + std::to_string(i % 4),
                             .topic_id = {{1, 2, 3}},
                             .partition = i % 25,
                             .offset = i,
                             .leader_epoch = 0,
                             .metadata = "",
                             .commit_millis = std::nullopt});
  return request;
}

// One log: as the driver writes it, a batch a commit.
struct WrittenLog {
  group::GroupCore core{group::GroupConfig()};
  std::vector<uint8_t> bytes;
  int64_t end = 0;

  void flush() {
    for (const group::RecordBytes& record : core.take().records) {
      wire::RecordBatchBuilder::Options options;
      options.base_offset = Offset(end++);
      wire::RecordBatchBuilder builder(options);
      builder.add(kNow.wall.millis, Bytes(record.key), Bytes(*record.value));
      std::vector<uint8_t> batch = builder.finish();
      bytes.insert(bytes.end(), batch.begin(), batch.end());
    }
  }
};

std::vector<WrittenLog> written() {
  std::vector<WrittenLog> logs(kPartitions);
  for (int g = 0; g < kGroups; g++) {
    std::string name = "group-" + std::to_string(g);
    WrittenLog& log = logs[static_cast<size_t>(partition_of(name, kPartitions))];
    group::JoinRequest join;
    join.group = name;
    join.client_id = "client";
    join.client_host = "/127.0.0.1";
    join.protocol_type = "consumer";
    join.protocols = {{"range", std::string(60, 's')}};
    join.session_timeout = seconds(45);
    join.rebalance_timeout = seconds(60);
    join.unique.bytes[0] = static_cast<uint8_t>(g);
    join.instance = name;
    log.core.join(1, join, kNow);
    log.core.tick({kNow.now + seconds(3), kNow.wall});
    group::Effects joined = log.core.take();
    const group::JoinAnswer& answer = joined.joins.at(0).answer;
    group::SyncRequest sync;
    sync.who = {name, answer.member, name, answer.generation};
    sync.assignments = {{answer.member, std::string(200, 'p')}};
    log.core.sync(2, sync, kNow);
    log.flush();
    for (int i = 0; i < kCommits; i++) {
      group::CommitRequest commit = commit_of(name, i);
      commit.who = sync.who;
      benchmark::DoNotOptimize(log.core.commit(commit, kNow));
      log.flush();
    }
  }
  return logs;
}

void load(benchmark::State& state) {
  std::vector<WrittenLog> logs = written();
  size_t bytes = 0;
  for (auto _ : state) {
    size_t offsets = 0, groups = 0;
    bytes = 0;
    for (const WrittenLog& log : logs) {
      group::GroupCore core{group::GroupConfig()};
      Loading loading;
      Result<bool> loaded = load_batches(core, log.bytes, loading);
      if (!loaded || loading.unreadable > 0) return state.SkipWithError("a log cannot be loaded");
      core.loaded(kNow);
      groups += core.list().size();
      offsets += core.state().offset_count();
      bytes += log.bytes.size();
    }
    if (groups != kGroups || offsets != static_cast<size_t>(kGroups) * kCommits)
      return state.SkipWithError("something is missing");
  }
  state.SetItemsProcessed(state.iterations() * kGroups * kCommits);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void commit(benchmark::State& state) {
  group::GroupCore core{group::GroupConfig()};
  int i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(core.commit(commit_of("simple", i++), kNow));
    benchmark::DoNotOptimize(core.take());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(load)->Unit(benchmark::kMillisecond);
BENCHMARK(commit);

}  // namespace
}  // namespace moldau::coordinator
