#include "host/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>
#include <variant>

#include "base/check.h"

namespace moldau::host {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kCellsPerLine = kCacheLine / sizeof(uint64_t);
constexpr size_t kSlabCells = 512;
constexpr int kOctaveBits = std::countr_zero(HistogramBuckets::kPerOctave);

// The number of the running thread in the registry it counted in last; its low bits are its shard.
// A simulator with many registries in one thread finds another owner here at times and is given the
// next number: sums do not depend on it. Nor does it matter that a registry that is gone may have
// had the address of this one.
constinit thread_local const Registry* t_owner = nullptr;
constinit thread_local size_t t_number = 0;

}  // namespace

// Memory of the same number of cells for each shard; no two shards share a cache line.
struct Registry::Slab {
  Slab(size_t cells, size_t shards)
      : stride((cells + kCellsPerLine - 1) / kCellsPerLine * kCellsPerLine),
        total(stride * shards),
        memory(new(std::align_val_t{kCacheLine}) std::atomic<uint64_t>[total]()) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() { ::operator delete[](memory, std::align_val_t{kCacheLine}); }

  size_t stride;
  size_t total;
  size_t used = 0;  // of stride
  std::atomic<uint64_t>* memory;
};

struct Registry::Entry {
  Entry(MetricInfo info, MetricCells cells, size_t count)
      : info(std::move(info)), cells(cells), cell_count(count) {}
  MetricInfo info;
  MetricCells cells;
  size_t cell_count;
  std::variant<std::monostate, Counter, Gauge, Histogram> metric;
};

std::atomic<uint64_t>* MetricCells::mine() const { return of(registry_->shard_of_this_thread()); }

uint64_t MetricCells::sum(size_t cell) const {
  uint64_t total = 0;
  for (size_t s = 0; s < registry_->shards(); s++)
    total += of(s)[cell].load(std::memory_order_relaxed);
  return total;
}

uint64_t MetricCells::largest(size_t cell) const {
  uint64_t out = 0;
  for (size_t s = 0; s < registry_->shards(); s++)
    out = std::max(out, of(s)[cell].load(std::memory_order_relaxed));
  return out;
}

void MetricCells::zero(size_t count) const {
  for (size_t s = 0; s < registry_->shards(); s++)
    for (size_t i = 0; i < count; i++) of(s)[i].store(0, std::memory_order_relaxed);
}

size_t HistogramBuckets::index(uint64_t value) {
  if (value < kPerOctave) return value;
  int shift = static_cast<int>(std::bit_width(value)) - 1 - kOctaveBits;
  return static_cast<size_t>(shift) * kPerOctave + (value >> shift);
}

uint64_t HistogramBuckets::lowest(size_t index) {
  if (index < 2 * kPerOctave) return index;
  size_t shift = index / kPerOctave - 1;
  return (kPerOctave + index % kPerOctave) << shift;
}

uint64_t HistogramBuckets::highest(size_t index) {
  if (index < 2 * kPerOctave) return index;
  return lowest(index) + ((uint64_t{1} << (index / kPerOctave - 1)) - 1);
}

void Histogram::record(uint64_t value) {
  std::atomic<uint64_t>* cells = cells_.mine();
  size_t bucket = std::min(HistogramBuckets::index(value), buckets_ - 1);
  cells[kFirstBucket + bucket].fetch_add(1, std::memory_order_relaxed);
  cells[kSum].fetch_add(value, std::memory_order_relaxed);
  uint64_t max = cells[kMax].load(std::memory_order_relaxed);
  while (value > max && !cells[kMax].compare_exchange_weak(max, value, std::memory_order_relaxed)) {
  }
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot out;
  out.counts.resize(buckets_);
  for (size_t i = 0; i < buckets_; i++) {
    out.counts[i] = cells_.sum(kFirstBucket + i);
    out.count += out.counts[i];
  }
  out.sum = cells_.sum(kSum);
  out.max = cells_.largest(kMax);
  return out;
}

uint64_t HistogramSnapshot::quantile(double q) const {
  if (count == 0) return 0;
  double wanted = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count));
  uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, count);
  uint64_t seen = 0;
  for (size_t i = 0; i < counts.size(); i++) {
    seen += counts[i];
    if (seen < rank) continue;
    // The last bucket has no upper end, and no value is above the maximum.
    if (i + 1 == counts.size() && max > HistogramBuckets::highest(i)) return max;
    uint64_t low = HistogramBuckets::lowest(i);
    return std::min(low + (HistogramBuckets::highest(i) - low) / 2, std::max(max, low));
  }
  return max;
}

HistogramSnapshot HistogramSnapshot::since(const HistogramSnapshot& earlier) const {
  CHECK(earlier.counts.size() == counts.size(), "{} and {} buckets", earlier.counts.size(),
        counts.size());
  HistogramSnapshot out = *this;
  for (size_t i = 0; i < counts.size(); i++) out.counts[i] -= earlier.counts[i];
  out.count -= earlier.count;
  out.sum -= earlier.sum;
  return out;
}

Registry::Registry(size_t shards) : shards_(std::bit_ceil(std::max<size_t>(shards, 1))) {}

Registry::~Registry() = default;

Registry::Key Registry::key_of(const MetricInfo& info) {
  Key key{info.name, info.labels};
  std::ranges::sort(key.second);
  return key;
}

Registry::Entry& Registry::entry(MetricInfo info, size_t cells) {
  Key key = key_of(info);
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    info.labels = key.second;
    auto made = std::make_unique<Entry>(std::move(info), allocate(cells), cells);
    it = entries_.emplace(std::move(key), std::move(made)).first;
  }
  return *it->second;
}

Counter& Registry::counter(MetricInfo info) {
  std::lock_guard lock(mutex_);
  Entry& e = entry(std::move(info), 1);
  if (e.metric.index() == 0) e.metric.emplace<Counter>(e.cells);
  Counter* found = std::get_if<Counter>(&e.metric);
  CHECK(found, "{} is registered as another kind", e.info.name);
  return *found;
}

Gauge& Registry::gauge(MetricInfo info) {
  std::lock_guard lock(mutex_);
  Entry& e = entry(std::move(info), 1);
  if (e.metric.index() == 0) e.metric.emplace<Gauge>(e.cells);
  Gauge* found = std::get_if<Gauge>(&e.metric);
  CHECK(found, "{} is registered as another kind", e.info.name);
  return *found;
}

Histogram& Registry::histogram(MetricInfo info, uint64_t highest) {
  std::lock_guard lock(mutex_);
  size_t buckets = HistogramBuckets::index(highest) + 1;
  Entry& e = entry(std::move(info), Histogram::kFirstBucket + buckets);
  if (e.metric.index() == 0) e.metric.emplace<Histogram>(e.cells, buckets);
  Histogram* found = std::get_if<Histogram>(&e.metric);
  CHECK(found, "{} is registered as another kind", e.info.name);
  return *found;
}

void Registry::remove(const MetricInfo& info) {
  std::lock_guard lock(mutex_);
  auto it = entries_.find(key_of(info));
  if (it == entries_.end()) return;
  it->second->cells.zero(it->second->cell_count);
  free_.emplace(it->second->cell_count, it->second->cells);
  entries_.erase(it);
}

MetricCells Registry::allocate(size_t cells) {
  if (auto it = free_.find(cells); it != free_.end()) {
    MetricCells again = it->second;
    free_.erase(it);
    return again;
  }
  bool large = cells > kSlabCells / 2;  // has a slab of its own
  Slab* slab = filling_;
  if (large || !slab || slab->used + cells > slab->stride) {
    slab = slabs_.emplace_back(std::make_unique<Slab>(large ? cells : kSlabCells, shards_)).get();
    if (!large) filling_ = slab;
  }
  MetricCells out(this, slab->memory + slab->used, slab->stride);
  slab->used += cells;
  return out;
}

size_t Registry::shard_of_this_thread() {
  if (t_owner != this) [[unlikely]] {
    t_owner = this;
    t_number = next_thread_.fetch_add(1, std::memory_order_relaxed);
  }
  return t_number & (shards_ - 1);
}

void Registry::visit(MetricVisitor& visitor) const {
  std::lock_guard lock(mutex_);
  for (const auto& [key, e] : entries_) {
    if (auto* counter = std::get_if<Counter>(&e->metric))
      visitor.counter(e->info, counter->value());
    if (auto* gauge = std::get_if<Gauge>(&e->metric)) visitor.gauge(e->info, gauge->value());
    if (auto* histogram = std::get_if<Histogram>(&e->metric))
      visitor.histogram(e->info, histogram->snapshot());
  }
}

size_t Registry::memory_bytes() const {
  std::lock_guard lock(mutex_);
  size_t cells = 0;
  for (const auto& slab : slabs_) cells += slab->total;
  return cells * sizeof(uint64_t);
}

}  // namespace moldau::host
