// What the broker's look at a produced batch costs for each record: CRC and walk, by size of the
// value.
#include "wire/produced_batch.h"

#include <benchmark/benchmark.h>

#include <vector>

#include "base/crc32c.h"
#include "base/varint.h"

namespace moldau::wire {
namespace {

void add_varint(std::vector<uint8_t>& out, int64_t v) {
  uint8_t bytes[kMaxVarint64];
  size_t n = write_varint(bytes, zigzag(v));
  out.insert(out.end(), bytes, bytes + n);
}

// A batch of about 1 MB without keys and headers, as a producer sends it.
std::vector<uint8_t> batch_of(size_t value, int32_t* count) {
  std::vector<uint8_t> out(61);
  *count = static_cast<int32_t>(1'000'000 / (value + 10));
  for (int32_t i = 0; i < *count; i++) {
    std::vector<uint8_t> body{0};
    add_varint(body, i / 100);  // timestamp, in milliseconds since the first
    add_varint(body, i);
    add_varint(body, -1);
    add_varint(body, static_cast<int64_t>(value));
    body.resize(body.size() + value, 'v');
    add_varint(body, 0);
    add_varint(out, std::ssize(body));
    out.insert(out.end(), body.begin(), body.end());
  }
  store_be(&out[8], static_cast<int32_t>(out.size() - 12));
  out[16] = 2;
  store_be(&out[23], *count - 1);
  store_be(&out[35], int64_t{(*count - 1) / 100});
  store_be(&out[43], int64_t{-1});
  store_be(&out[57], *count);
  store_be(&out[17], crc32c(Bytes(out).subspan(21)));
  return out;
}

void check(benchmark::State& state) {
  int32_t count = 0;
  std::vector<uint8_t> batch = batch_of(static_cast<size_t>(state.range(0)), &count);
  ProduceRules rules{.version = 9, .now = WallTime{1'000'000}};
  for (auto _ : state) {
    ProducedBatch checked = check_produced(batch, rules);
    if (checked.fault.error != ErrorCode::none) state.SkipWithError("the batch is refused");
    benchmark::DoNotOptimize(checked.records);
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * std::ssize(batch));
}

BENCHMARK(check)->Arg(10)->Arg(100)->Arg(1024);

}  // namespace
}  // namespace moldau::wire
