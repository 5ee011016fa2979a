// What counting and not logging cost, alone and with two threads at once; beside them one atomic
// shared by all.
#include <benchmark/benchmark.h>

#include "host/clock.h"
#include "host/logging.h"
#include "host/metrics.h"

namespace moldau::host {
namespace {

// One for all threads of a benchmark, and for the whole run.
Registry& registry() {
  static Registry instance(4);
  return instance;
}

void shared_atomic(benchmark::State& state) {
  static std::atomic<uint64_t> value{0};
  for (auto _ : state) value.fetch_add(1, std::memory_order_relaxed);
}

void counter(benchmark::State& state) {
  Counter& c = registry().counter({.name = "counter"});
  for (auto _ : state) c.add();
}

void histogram(benchmark::State& state) {
  Histogram& h = registry().histogram({.name = "histogram"});
  uint64_t value = 1;
  for (auto _ : state) h.record(value = (value * 0x9e3779b97f4a7c15u >> 40) + 1);
}

struct NoClock : Clock {
  Instant now() const override { return {}; }
  WallTime wall() const override { return {}; }
};
struct NoSink : LogSink {
  void write(std::string_view line) override { benchmark::DoNotOptimize(line.data()); }
};

void log_line(benchmark::State& state, LogFormat format, LogLevel level) {
  LogConfig config(level);
  NoSink sink;
  NoClock clock;
  Logger logger({.config = config, .sink = sink, .clock = clock, .format = format}, "bench");
  int64_t n = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(++n);
    MOLDAU_LOG_INFO(logger, "partition {} moved its high watermark to {}", "orders-3", n);
  }
}

BENCHMARK(shared_atomic)->Threads(1)->Threads(2);
BENCHMARK(counter)->Threads(1)->Threads(2);
BENCHMARK(histogram)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(log_line, off, LogFormat::text, LogLevel::warn);
BENCHMARK_CAPTURE(log_line, text, LogFormat::text, LogLevel::info);
BENCHMARK_CAPTURE(log_line, json, LogFormat::json, LogLevel::info);

}  // namespace
}  // namespace moldau::host
