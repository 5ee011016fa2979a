// What compaction costs in user memory, without the disk: filling the offset map from dirty
// batches, and filtering them, by size of the value. Bytes are those of the log that goes in.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "log/cleaner.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

constexpr SipKey kHashKey{1, 2};

// About 16 MB in batches of 100 records; each key comes four times, in random order.
std::vector<uint8_t> dirty_log(size_t value_size, int64_t* records) {
  std::vector<uint8_t> log;
  int64_t count = 16'000'000 / static_cast<int64_t>(value_size + 30);
  std::vector<uint8_t> value(value_size, 'v');
  Random random(7);
  for (*records = 0; *records < count;) {
    wire::RecordBatchBuilder::Options options;
    options.base_offset = Offset(*records);
    wire::RecordBatchBuilder builder(options);
    for (int i = 0; i < 100; i++, ++*records) {
      std::string key =
          "customer-" + std::to_string(random.below(static_cast<uint64_t>(count / 4)));
      builder.add(1000 + *records, as_bytes(key), value);
    }
    std::vector<uint8_t> batch = builder.finish();
    log.insert(log.end(), batch.begin(), batch.end());
  }
  return log;
}

bool fill(OffsetMap& map, Bytes log) {
  map.clear();
  MapFill fill(map, Offset(0));
  wire::BatchWalk walk(log, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    auto fits = fill.add(walk.header(), walk.batch());
    if (!fits || !*fits) return false;
  }
  return true;
}

void fill_map(benchmark::State& state) {
  int64_t records = 0;
  std::vector<uint8_t> log = dirty_log(static_cast<size_t>(state.range(0)), &records);
  OffsetMap map({.bytes = size_t{128} << 20}, kHashKey);
  for (auto _ : state)
    if (!fill(map, log)) state.SkipWithError("the log does not fit");
  state.SetItemsProcessed(state.iterations() * records);
  state.SetBytesProcessed(state.iterations() * std::ssize(log));
}

void filter(benchmark::State& state) {
  int64_t records = 0;
  std::vector<uint8_t> log = dirty_log(static_cast<size_t>(state.range(0)), &records);
  OffsetMap map({.bytes = size_t{128} << 20}, kHashKey);
  if (!fill(map, log)) state.SkipWithError("the log does not fit");
  LastRecords producers;
  std::vector<uint8_t> out;
  for (auto _ : state) {
    BatchFilter filter(map, producers, {.now = WallTime{5000}, .round_end = Offset(INT64_MAX)});
    out.clear();
    wire::BatchWalk walk(log, wire::BatchWalk::Torn::refuse);
    while (walk.next())
      if (!filter.filter(walk.header(), walk.batch(), out)) state.SkipWithError("a bad batch");
  }
  state.counters["kept"] = static_cast<double>(out.size()) / static_cast<double>(log.size());
  state.SetItemsProcessed(state.iterations() * records);
  state.SetBytesProcessed(state.iterations() * std::ssize(log));
}

BENCHMARK(fill_map)->Arg(100)->Arg(1024)->Unit(benchmark::kMillisecond);
BENCHMARK(filter)->Arg(100)->Arg(1024)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace moldau::log
