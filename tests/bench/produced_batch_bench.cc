// What the broker's look at a produced batch costs for each record: CRC and walk, by size of the
// value, and for compressed batches the inflation; and what building anew with another codec costs.
#include "wire/produced_batch.h"

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/varint.h"
#include "wire/compress.h"

namespace moldau::wire {
namespace {

void add_varint(std::vector<uint8_t>& out, int64_t v) {
  uint8_t bytes[kMaxVarint64];
  size_t n = write_varint(bytes, zigzag(v));
  out.insert(out.end(), bytes, bytes + n);
}

// A batch of about 1 MB without keys and headers, as a producer sends it; values of some variety,
// or every codec shines.
std::vector<uint8_t> batch_of(size_t value, int32_t* count) {
  uint64_t state = 1;
  std::vector<uint8_t> out(61);
  *count = static_cast<int32_t>(1'000'000 / (value + 10));
  for (int32_t i = 0; i < *count; i++) {
    std::vector<uint8_t> body{0};
    add_varint(body, i / 100);  // timestamp, in milliseconds since the first
    add_varint(body, i);
    add_varint(body, -1);
    add_varint(body, static_cast<int64_t>(value));
    for (size_t at = 0; at < value; at++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      body.push_back(static_cast<uint8_t>('a' + (state >> 60)));
    }
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

// The same records, compressed.
std::vector<uint8_t> packed(Codec codec, const std::vector<uint8_t>& batch) {
  std::vector<uint8_t> out(batch.begin(), batch.begin() + 61);
  compress(codec, level_range(codec).usual, 2, Bytes(batch).subspan(61), out);
  store_be(&out[8], static_cast<int32_t>(out.size() - 12));
  store_be(&out[21], static_cast<int16_t>(codec));
  store_be(&out[17], crc32c(Bytes(out).subspan(21)));
  return out;
}

void run(benchmark::State& state, const std::vector<uint8_t>& in, int32_t count,
         const ProduceRules& rules, int64_t bytes) {
  Inflater inflater;
  std::vector<uint8_t> batch = in;
  for (auto _ : state) {
    ProducedBatch checked = check_produced(batch, rules, inflater);
    if (checked.fault.error != ErrorCode::none) state.SkipWithError("the batch is refused");
    benchmark::DoNotOptimize(checked.records);
  }
  state.SetItemsProcessed(state.iterations() * count);
  state.SetBytesProcessed(state.iterations() * bytes);
  state.counters["record"] =
      benchmark::Counter(static_cast<double>(state.iterations() * count),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void check(benchmark::State& state) {
  int32_t count = 0;
  std::vector<uint8_t> batch = batch_of(static_cast<size_t>(state.range(0)), &count);
  ProduceRules rules{.version = 9, .now = WallTime{1'000'000}};
  run(state, batch, count, rules, std::ssize(batch));
}

// Bytes are those of the records, not compressed.
void check_compressed(benchmark::State& state) {
  int32_t count = 0;
  auto codec = static_cast<Codec>(state.range(0));
  std::vector<uint8_t> batch = batch_of(static_cast<size_t>(state.range(1)), &count);
  ProduceRules rules{.version = 9, .now = WallTime{1'000'000}};
  if (state.range(2)) rules.validation = BatchValidation::header;
  state.SetLabel(std::string(codec_name(codec)) + (state.range(2) ? " header" : " full"));
  run(state, packed(codec, batch), count, rules, std::ssize(batch));
}

void recompress(benchmark::State& state) {
  int32_t count = 0;
  std::vector<uint8_t> batch = batch_of(100, &count);
  ProduceRules rules{.version = 9,
                     .max_batch_bytes = 4 << 20,
                     .now = WallTime{1'000'000},
                     .codec = static_cast<Codec>(state.range(0))};
  state.SetLabel("lz4 to " + std::string(codec_name(*rules.codec)));
  run(state, packed(Codec::lz4, batch), count, rules, std::ssize(batch));
}

BENCHMARK(check)->Arg(10)->Arg(100)->Arg(1024);
BENCHMARK(check_compressed)->ArgsProduct({{1, 2, 3, 4}, {10, 100, 1024}, {0}});
BENCHMARK(check_compressed)->ArgsProduct({{3, 4}, {100}, {1}});
BENCHMARK(recompress)->Arg(0)->Arg(2)->Arg(4);

}  // namespace
}  // namespace moldau::wire
