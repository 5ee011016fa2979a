#include "host/metrics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "base/random.h"

namespace moldau::host {
namespace {

// Everything as lines of text.
class Lines : public MetricVisitor {
 public:
  void counter(const MetricInfo& info, uint64_t value) override { add(info, value); }
  void gauge(const MetricInfo& info, int64_t value) override { add(info, value); }
  void histogram(const MetricInfo& info, const HistogramSnapshot& snapshot) override {
    add(info, snapshot.count);
  }
  std::vector<std::string> lines;

 private:
  template <class T>
  void add(const MetricInfo& info, T value) {
    std::string labels;
    for (const auto& [key, text] : info.labels) labels += fmt::format("{}={},", key, text);
    lines.push_back(fmt::format("{}{{{}}} {}", info.name, labels, value));
  }
};

std::vector<std::string> lines_of(const Registry& registry) {
  Lines lines;
  registry.visit(lines);
  return lines.lines;
}

TEST(Registry, ShowsAllMetricsInOrder) {
  Registry registry;
  registry.counter({.name = "b", .labels = {{"topic", "y"}, {"client", "c"}}}).add(3);
  registry.counter({.name = "b", .labels = {{"topic", "x"}, {"client", "c"}}}).add();
  registry.gauge({.name = "c"}).set(-5);
  registry.histogram({.name = "a"}).record(17);
  EXPECT_EQ(lines_of(registry), (std::vector<std::string>{"a{} 1", "b{client=c,topic=x,} 1",
                                                          "b{client=c,topic=y,} 3", "c{} -5"}));
}

TEST(Registry, GivesTheSameObjectForTheSameName) {
  Registry registry;
  Counter& a = registry.counter({.name = "n", .labels = {{"x", "1"}, {"y", "2"}}});
  Counter& b = registry.counter({.name = "n", .labels = {{"y", "2"}, {"x", "1"}}, .help = "again"});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &registry.counter({.name = "n", .labels = {{"x", "1"}}}));
  Histogram& h = registry.histogram({.name = "h"});
  EXPECT_EQ(&h, &registry.histogram({.name = "h"}));
}

TEST(RegistryDeathTest, RefusesTheSameNameForAnotherKind) {
  Registry registry;
  registry.counter({.name = "requests"});
  EXPECT_DEATH(registry.gauge({.name = "requests"}), "requests is registered as another kind");
}

TEST(Registry, UsesTheMemoryOfRemovedMetricsAgain) {
  Registry registry(2);
  MetricInfo kept{.name = "kept"};
  registry.counter(kept).add(9);
  size_t before = 0;
  for (int i = 0; i < 50; i++) {
    MetricInfo topic{.name = "bytes", .labels = {{"topic", std::to_string(i)}}};
    MetricInfo times{.name = "times", .labels = {{"topic", std::to_string(i)}}};
    registry.counter(topic).add(5);
    registry.histogram(times).record(1000);
    EXPECT_EQ(registry.counter(topic).value(), 5u);  // starts at zero each time
    HistogramSnapshot snapshot = registry.histogram(times).snapshot();
    EXPECT_EQ(snapshot.count, 1u);
    EXPECT_EQ(snapshot.sum, 1000u);
    registry.remove(topic);
    registry.remove(times);
    registry.remove(times);
    if (i == 0) before = registry.memory_bytes();
  }
  EXPECT_EQ(registry.memory_bytes(), before);
  EXPECT_EQ(lines_of(registry), std::vector<std::string>{"kept{} 9"});
}

TEST(Registry, CountersCostEightBytesAShard) {
  Registry registry(2);
  for (int i = 0; i < 5120; i++) {
    registry.counter({.name = std::to_string(i)}).add(1);
    if (i % 512 == 0) registry.histogram({.name = "h" + std::to_string(i)}, 100);
  }
  EXPECT_LE(registry.memory_bytes(), 2u * 8 * (5120 + 11 * 512));
}

TEST(Counter, LosesNothingWhenThreadsCountTogether) {
  Registry registry(2);  // fewer shards than threads: some share
  Counter& counter = registry.counter({.name = "c"});
  Gauge& gauge = registry.gauge({.name = "g"});
  Histogram& histogram = registry.histogram({.name = "h"});
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; t++)
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 2000; i++) {
        counter.add(2);
        gauge.add(i % 2 == 0 ? 3 : -2);
        histogram.record(t * 2000 + i);
        if (i == 1000) registry.counter({.name = "late" + std::to_string(t)}).add();
      }
    });
  lines_of(registry);  // reading disturbs nobody
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 4u * 2000 * 2);
  EXPECT_EQ(gauge.value(), 4 * 1000);
  HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.count, 8000u);
  EXPECT_EQ(snapshot.sum, 8000u * 7999 / 2);
  EXPECT_EQ(snapshot.max, 7999u);
  EXPECT_EQ(lines_of(registry).size(), 3u + 4);
}

TEST(Counter, WorksWithManyRegistriesInOneThread) {
  for (int round = 0; round < 20;
       round++) {  // new ones may stand where older ones stood, with fewer shards
    Registry big(8), small(1);
    Counter &a = big.counter({.name = "n"}), &b = small.counter({.name = "n"});
    for (int i = 0; i < 20; i++) {
      a.add();
      b.add(10);
    }
    ASSERT_EQ(a.value(), 20u);
    ASSERT_EQ(b.value(), 200u);
  }
}

TEST(HistogramBuckets, CoverAllNumbersWithoutGapOrOverlap) {
  for (size_t i = 0; i < 1919; i++)
    ASSERT_EQ(HistogramBuckets::highest(i) + 1, HistogramBuckets::lowest(i + 1)) << i;
  EXPECT_EQ(HistogramBuckets::highest(1919), std::numeric_limits<uint64_t>::max());
  Random random(1);
  for (int i = 0; i < 20'000; i++) {
    uint64_t value = random.next() >> (i % 64);
    size_t index = HistogramBuckets::index(value);
    uint64_t low = HistogramBuckets::lowest(index), high = HistogramBuckets::highest(index);
    ASSERT_LE(low, value);
    ASSERT_GE(high, value);
    ASSERT_LE(high - low, low / 32) << value;
  }
}

TEST(Histogram, TellsQuantilesWithinThreePercent) {
  Random random(2);
  for (int shape = 0; shape < 3; shape++) {
    Registry registry;
    Histogram& histogram = registry.histogram({.name = "h"});
    std::vector<uint64_t> values;
    for (int i = 0; i < 5000; i++) {
      uint64_t value = shape == 0 ? random.below(1'000'000)
                                  : random.next() >> (24 + random.below(shape == 1 ? 40 : 8));
      values.push_back(value);
      histogram.record(value);
    }
    std::ranges::sort(values);
    HistogramSnapshot snapshot = histogram.snapshot();
    for (double q : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      double exact = static_cast<double>(values[static_cast<size_t>(q * 5000) - 1]);
      EXPECT_NEAR(static_cast<double>(snapshot.quantile(q)), exact, exact * 0.016)
          << shape << " " << q;
    }
    EXPECT_EQ(snapshot.max, values.back());
    EXPECT_LE(snapshot.quantile(1), snapshot.max);
  }
}

TEST(Histogram, CountsWhatIsTooLargeAndKeepsItsSumAndMaximum) {
  Registry registry;
  Histogram& histogram = registry.histogram({.name = "h"}, 1000);
  histogram.record(10);
  histogram.record(5'000'000);
  HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.count, 2u);
  EXPECT_EQ(snapshot.sum, 5'000'010u);
  EXPECT_EQ(snapshot.quantile(0.5), 10u);
  EXPECT_EQ(snapshot.quantile(1), 5'000'000u);
  EXPECT_LT(snapshot.counts.size(), 250u);
  EXPECT_DOUBLE_EQ(snapshot.mean(), 2'500'005);
}

TEST(Histogram, TellsWhatCameSince) {
  Registry registry;
  Histogram& histogram = registry.histogram({.name = "h"});
  EXPECT_EQ(histogram.snapshot().quantile(0.5), 0u);
  histogram.record(1'000'000);
  HistogramSnapshot earlier = histogram.snapshot();
  for (int i = 0; i < 10; i++) histogram.record(7);
  HistogramSnapshot since = histogram.snapshot().since(earlier);
  EXPECT_EQ(since.count, 10u);
  EXPECT_EQ(since.sum, 70u);
  EXPECT_EQ(since.quantile(0.99), 7u);
}

}  // namespace
}  // namespace moldau::host
