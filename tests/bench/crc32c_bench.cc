// CRC-32C by length and by kernel, in bytes a second; and the patching of a changed header of a 1
// MiB batch.
#include "base/crc32c.h"

#include <benchmark/benchmark.h>

#include <vector>

#include "base/crc32c_kernels.h"

namespace moldau {
namespace {

using crc32c_detail::Kernel;

void lengths(benchmark::internal::Benchmark* b) {
  for (int64_t n : {16, 61, 100, 200, 400, 1024, 4096, 16 << 10, 1 << 20, 64 << 20}) b->Arg(n);
}

void update(benchmark::State& state, const Kernel& kernel) {
  std::vector<uint8_t> data(static_cast<size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(kernel.update(~0u, data.data(), data.size()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
}

void chosen(benchmark::State& state) {
  std::vector<uint8_t> data(static_cast<size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(data));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  state.SetLabel(std::string(crc32c_implementation()));
}

void patch(benchmark::State& state) {
  std::vector<uint8_t> before(10, 1), after(10, 2);
  uint32_t crc = 0x12345678;
  for (auto _ : state) {
    crc = crc32c_patch(crc, before, after, static_cast<uint64_t>(state.range(0)));
    benchmark::DoNotOptimize(crc);
  }
}

BENCHMARK_CAPTURE(update, portable, crc32c_detail::kPortable)->Apply(lengths);
#if defined(__x86_64__)
BENCHMARK_CAPTURE(update, sse42, crc32c_detail::kSse42)->Apply(lengths);
BENCHMARK_CAPTURE(update, vpclmul, crc32c_detail::kVpclmul)->Apply(lengths);
#elif defined(__aarch64__)
BENCHMARK_CAPTURE(update, arm, crc32c_detail::kArm)->Apply(lengths);
#endif
BENCHMARK(chosen)->Apply(lengths);
BENCHMARK(patch)->Arg(1000)->Arg(1 << 20);

}  // namespace
}  // namespace moldau
