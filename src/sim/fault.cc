#include "sim/fault.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <tuple>

#include <fmt/format.h>

namespace moldau::sim {
namespace {

struct Shape {
  const char* name;
  Duration shortest, longest;
  std::array<int64_t, 4> levels;  // one of these
  bool servers_only;
};

constexpr size_t kKinds = static_cast<size_t>(FaultKind::count_);
const std::array<Shape, kKinds> kShapes{{
    {"crash", milliseconds(1), seconds(2), {0, 0, 0, 0}, true},
    {"power", milliseconds(1), seconds(2), {0, 0, 0, 0}, true},
    {"power_all", milliseconds(1), seconds(2), {0, 0, 0, 0}, true},
    {"pause", milliseconds(10), seconds(4), {0, 0, 0, 0}, false},
    {"wall_step", {}, {}, {-3'600'000, -50, 50, 3'600'000}, false},
    {"wall_drift", seconds(1), seconds(9), {-200'000, -500, 500, 200'000}, false},
    {"slow_cpu", milliseconds(100), seconds(4), {10, 100, 1000, 5000}, false},
    {"cut", milliseconds(10), seconds(3), {0, 0, 0, 0}, false},
    {"cut_one_way", milliseconds(10), seconds(3), {0, 0, 0, 0}, false},
    {"slow_link", milliseconds(100), seconds(4), {1, 10, 100, 1000}, false},
    {"loss", milliseconds(100), seconds(4), {1, 10, 100, 300}, false},
    {"reset", {}, {}, {1, 1, 2, 4}, false},
    {"blackhole", {}, {}, {1, 2, 4, 4}, false},
    {"slow_disk", milliseconds(100), seconds(4), {10, 100, 100, 1000}, true},
    {"read_error", milliseconds(1), seconds(2), {1, 4, 32, 256}, true},
    {"write_error", milliseconds(1), seconds(2), {1, 4, 32, 256}, true},
    {"sync_error", milliseconds(1), seconds(2), {1, 2, 4, 16}, true},
    {"name_error", milliseconds(1), seconds(2), {1, 2, 8, 64}, true},
    {"sticky_error", milliseconds(1), seconds(2), {1, 4, 32, 256}, true},
    {"full", milliseconds(100), seconds(4), {0, 1, 16, 64}, true},
    {"flip", {}, {}, {1, 1, 2, 4}, true},
    {"read_flip", milliseconds(1), seconds(2), {1, 4, 32, 256}, true},
}};

bool of_link(FaultKind kind) {
  return kind == FaultKind::cut || kind == FaultKind::cut_one_way || kind == FaultKind::slow_link ||
         kind == FaultKind::loss;
}

// How many faults of one kind: off half of the time, or else quiet days are never seen.
uint64_t draw_count(Random& random) {
  uint64_t intensity = random.below(8);
  if (intensity < 4) return 0;
  if (intensity < 6) return 1 + random.below(2);
  if (intensity < 7) return 2 + random.below(4);
  return 4 + random.below(10);
}

// Mostly short, sometimes long.
Duration draw_duration(Random& random, const Shape& shape) {
  int64_t span = (shape.longest.nanos - shape.shortest.nanos) / 1000;
  uint64_t part = 1 + random.below(16);
  int64_t drawn = static_cast<int64_t>(random.below(static_cast<uint64_t>(span) / part + 1));
  return shape.shortest + microseconds(drawn);
}

Fault draw_one(FaultKind kind, const FaultSpace& space, Random& random) {
  const Shape& shape = kShapes[static_cast<size_t>(kind)];
  Fault fault{.kind = kind};
  int64_t window = (space.until.nanos - space.from.nanos) / 1000;
  fault.start = space.from + microseconds(random.between(0, window));
  fault.duration = draw_duration(random, shape);
  fault.duration = std::min(fault.duration, space.until - fault.start);
  fault.level = shape.levels[random.below(4)];
  // Servers are what the system is made of; clients are rarely the interesting side.
  bool server = shape.servers_only || !random.one_in(4);
  fault.node = static_cast<int32_t>(random.below(server ? space.servers : space.nodes));
  uint64_t other = random.below(space.nodes + 1);
  if (of_link(kind) && other < space.nodes && static_cast<int32_t>(other) != fault.node)
    fault.other = static_cast<int32_t>(other);
  return fault;
}

std::string print_time(Duration d) {
  if (d.nanos % 1'000'000'000 == 0) return fmt::format("{}s", d.nanos / 1'000'000'000);
  if (d.nanos % 1'000'000 == 0) return fmt::format("{}ms", d.nanos / 1'000'000);
  return fmt::format("{}us", d.nanos / 1000);
}

std::optional<int64_t> take_number(std::string_view& text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<Duration> take_time(std::string_view& text) {
  std::optional<int64_t> n = take_number(text);
  if (!n || *n < 0 || *n > 1'000'000'000'000) return std::nullopt;
  if (take(text, "us")) return microseconds(*n);
  if (take(text, "ms") && *n <= 1'000'000'000) return milliseconds(*n);
  if (take(text, "s") && *n <= 1'000'000) return seconds(*n);
  return std::nullopt;
}

std::optional<Fault> parse_one(std::string_view text) {
  Fault fault;
  size_t at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  auto shape = std::find_if(kShapes.begin(), kShapes.end(),
                            [&](const Shape& s) { return text.substr(0, at) == s.name; });
  if (shape == kShapes.end()) return std::nullopt;
  fault.kind = static_cast<FaultKind>(shape - kShapes.begin());
  text.remove_prefix(at + 1);
  std::optional<Duration> start = take_time(text);
  std::optional<Duration> duration = take(text, "+") ? take_time(text) : Duration{};
  if (!start || !duration || !take(text, ":")) return std::nullopt;
  fault.start = *start;
  fault.duration = *duration;
  std::optional<int64_t> node = take_number(text);
  std::optional<int64_t> other = take(text, "-") ? take_number(text) : -1;
  std::optional<int64_t> level = take(text, "=") ? take_number(text) : 0;
  if (!node || !other || !level || !text.empty()) return std::nullopt;
  if (*node < 0 || *node > 1'000'000 || *other < -1 || *other > 1'000'000) return std::nullopt;
  fault.node = static_cast<int32_t>(*node);
  fault.other = static_cast<int32_t>(*other);
  fault.level = *level;
  return fault;
}

}  // namespace

std::string_view fault_name(FaultKind kind) { return kShapes[static_cast<size_t>(kind)].name; }

std::string FaultPlan::to_string() const {
  std::string out;
  for (const Fault& f : faults) {
    if (!out.empty()) out += ',';
    out += fmt::format("{}@{}", fault_name(f.kind), print_time(f.start));
    if (f.duration.nanos) out += fmt::format("+{}", print_time(f.duration));
    out += fmt::format(":{}", f.node);
    if (f.other >= 0) out += fmt::format("-{}", f.other);
    if (f.level) out += fmt::format("={}", f.level);
  }
  return out.empty() ? "none" : out;
}

Result<FaultPlan> FaultPlan::parse(std::string_view text) {
  FaultPlan plan;
  if (text.empty() || text == "none") return plan;
  for (size_t comma = 0; comma != std::string_view::npos;) {
    comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
    std::optional<Fault> fault = parse_one(one);
    if (!fault)
      return fail(Errc::invalid, fmt::format("'{}' is not a fault; write kind@start+duration:node"
                                             "[-other][=level], as in cut@1200ms+3s:0-2",
                                             one));
    plan.faults.push_back(*fault);
  }
  return plan;
}

FaultPlan draw_faults(const Random& root, const FaultSpace& space) {
  FaultPlan plan;
  for (size_t i = 0; i < kKinds; i++) {
    auto kind = static_cast<FaultKind>(i);
    Random random = root.fork(fault_name(kind));
    uint64_t count = draw_count(random);
    if (!(space.kinds & only(kind))) continue;
    if (kind == FaultKind::blackhole) count = std::min<uint64_t>(count, 3);
    for (uint64_t n = 0; n < count; n++) plan.faults.push_back(draw_one(kind, space, random));
  }
  std::sort(plan.faults.begin(), plan.faults.end(), [](const Fault& a, const Fault& b) {
    return std::tie(a.start, a.kind, a.node, a.other, a.duration, a.level) <
           std::tie(b.start, b.kind, b.node, b.other, b.duration, b.level);
  });
  return plan;
}

}  // namespace moldau::sim
