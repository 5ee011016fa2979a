// Counters, gauges and histograms of one process (or of one simulated node), read by exporters.
// Counting costs one uncontended atomic addition: each thread adds in memory of its own shard,
// reading sums the shards. No lock and no allocation but in registering, removing and reading,
// which may happen on any thread.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace moldau::host {

class Registry;

// What a metric is called and what it says.
struct MetricInfo {
  std::string name;  // as exported: "kafka_server_bytes_in_total"
  std::vector<std::pair<std::string, std::string>> labels;  // sorted by key when registered
  std::string help;                                         // one sentence with the unit
};

// n 64-bit cells in each shard; copies name the same cells.
class MetricCells {
 public:
  MetricCells() = default;
  MetricCells(Registry* registry, std::atomic<uint64_t>* first, size_t stride)
      : registry_(registry), first_(first), stride_(stride) {}
  std::atomic<uint64_t>* mine() const;  // of this thread's shard
  std::atomic<uint64_t>* of(size_t shard) const { return first_ + shard * stride_; }
  uint64_t sum(size_t cell) const;
  uint64_t largest(size_t cell) const;
  void zero(size_t count) const;

 private:
  Registry* registry_ = nullptr;
  std::atomic<uint64_t>* first_ = nullptr;
  size_t stride_ = 0;
};

// Only ever rises.
class Counter {
 public:
  explicit Counter(MetricCells cells) : cells_(cells) {}
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  void add(uint64_t n = 1) { cells_.mine()->fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return cells_.sum(0); }

 private:
  friend class Registry;
  MetricCells cells_;
};

// A level. Either add() from any number of threads, or set() from one: set() does not see the adds
// of others.
class Gauge {
 public:
  explicit Gauge(MetricCells cells) : cells_(cells) {}
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;
  void add(int64_t n) {
    cells_.mine()->fetch_add(static_cast<uint64_t>(n), std::memory_order_relaxed);
  }
  void set(int64_t value) {
    cells_.of(0)->store(static_cast<uint64_t>(value), std::memory_order_relaxed);
  }
  int64_t value() const { return static_cast<int64_t>(cells_.sum(0)); }

 private:
  friend class Registry;
  MetricCells cells_;
};

// The buckets of all histograms: exact below 32, then 32 to each power of two, so that a bucket is
// at most 1/32 of its values wide and its middle at most 1/64 (1.6 %) away from any of them.
struct HistogramBuckets {
  static constexpr size_t kPerOctave = 32;
  static size_t index(uint64_t value);
  static uint64_t lowest(size_t index);
  static uint64_t highest(size_t index);
};

// What a histogram held at one moment, or the difference of two moments.
struct HistogramSnapshot {
  std::vector<uint64_t>
      counts;  // by HistogramBuckets; the last one holds all larger values as well
  uint64_t count = 0;
  uint64_t sum = 0;
  uint64_t max = 0;  // exact, since the start
  double mean() const { return count ? static_cast<double>(sum) / static_cast<double>(count) : 0; }
  // The value below which the share q (0 to 1) of all lies, within 1.6 %; 0 if there are none.
  uint64_t quantile(double q) const;
  // What came since earlier, a snapshot of the same histogram.
  HistogramSnapshot since(const HistogramSnapshot& earlier) const;
};

// A distribution of non-negative numbers (nanoseconds, bytes). Memory is fixed by the largest value
// that it tells apart.
class Histogram {
 public:
  Histogram(MetricCells cells, size_t buckets) : cells_(cells), buckets_(buckets) {}
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;
  void record(uint64_t value);
  HistogramSnapshot snapshot() const;

 private:
  friend class Registry;
  // Cells: sum, maximum, one for each bucket.
  static constexpr size_t kSum = 0, kMax = 1, kFirstBucket = 2;
  MetricCells cells_;
  size_t buckets_;
};

// Is shown every metric, sorted by name and labels. Must not call the registry.
class MetricVisitor {
 public:
  virtual ~MetricVisitor() = default;
  virtual void counter(const MetricInfo& info, uint64_t value) = 0;
  virtual void gauge(const MetricInfo& info, int64_t value) = 0;
  virtual void histogram(const MetricInfo& info, const HistogramSnapshot& snapshot) = 0;
};

// Owns all metrics; what it returns lives as long as it does or until it is removed. Registering a
// name and labels that are there returns the same object; with another kind it is a bug.
class Registry {
 public:
  // Rounded up to a power of two. Threads beyond it share; memory grows with it. One for each loop
  // is right.
  explicit Registry(size_t shards = 4);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  Counter& counter(MetricInfo info);
  Gauge& gauge(MetricInfo info);
  // Tells values up to `highest` apart; larger ones count as that, but sum and maximum stay exact.
  // Costs 256 bytes a power of two and shard: 2^40, eighteen minutes in nanoseconds, is 9.3 KB.
  Histogram& histogram(MetricInfo info, uint64_t highest = uint64_t{1} << 40);

  // Of things that come and go (topics, clients): takes it away and uses its memory for the next.
  // The caller knows that nobody will touch it any more. Removing what is not there does nothing.
  void remove(const MetricInfo& info);

  void visit(MetricVisitor& visitor) const;
  size_t shards() const { return shards_; }
  size_t memory_bytes() const;  // of all cells

 private:
  friend class MetricCells;
  struct Entry;
  using Key = std::pair<std::string, std::vector<std::pair<std::string, std::string>>>;
  static Key key_of(const MetricInfo& info);
  Entry& entry(MetricInfo info, size_t cells);
  MetricCells allocate(size_t cells);
  size_t shard_of_this_thread();

  const size_t shards_;
  std::atomic<size_t> next_thread_{0};
  mutable std::mutex mutex_;
  std::map<Key, std::unique_ptr<Entry>> entries_;  // guarded by mutex_
  std::multimap<size_t, MetricCells> free_;        // guarded by mutex_; by number of cells
  struct Slab;
  std::vector<std::unique_ptr<Slab>> slabs_;  // guarded by mutex_
  Slab* filling_ = nullptr;                   // guarded by mutex_; where small ones go
};

}  // namespace moldau::host
