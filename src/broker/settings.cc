#include "broker/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

#include "base/suggest.h"

namespace moldau::broker {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();

struct WholeNumber {
  std::string_view name;
  int64_t least;
  int64_t most;
  void (*set)(BrokerConfig&, int64_t);
};

void set_segment_bytes(BrokerConfig& c, int64_t v) {
  c.log.segment_bytes = c.log.clean.segment_bytes = v;
}
void set_index_bytes(BrokerConfig& c, int64_t v) {
  c.log.segment_index_bytes = static_cast<int32_t>(v);
  c.log.clean.index_bytes = v;
}
void set_retention(BrokerConfig& c, int64_t millis) {
  c.log.retention.millis = millis < 0 ? -1 : millis;
}

// Coarse units before fine ones: the last that is given counts.
constexpr WholeNumber kNumbers[] = {
    {"log.segment.bytes", 1 << 20, kMax32, set_segment_bytes},
    {"log.roll.hours", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.log.segment_millis = v * kHour; }},
    {"log.roll.ms", 1, kMax64, [](BrokerConfig& c, int64_t v) { c.log.segment_millis = v; }},
    {"log.roll.jitter.hours", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.log.roll_jitter_millis = v * kHour; }},
    {"log.roll.jitter.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.roll_jitter_millis = v; }},
    {"log.retention.hours", -1, kMax32,
     [](BrokerConfig& c, int64_t v) { set_retention(c, v * kHour); }},
    {"log.retention.minutes", -1, kMax32,
     [](BrokerConfig& c, int64_t v) { set_retention(c, v * kMinute); }},
    {"log.retention.ms", -1, kMax64, set_retention},
    {"log.retention.bytes", -1, kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.retention.bytes = v; }},
    {"log.retention.check.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.maintenance.retention_check = milliseconds(v); }},
    {"log.segment.delete.delay.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.maintenance.delete_delay = milliseconds(v); }},
    {"log.index.interval.bytes", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.log.index_interval_bytes = static_cast<int32_t>(v); }},
    {"log.index.size.max.bytes", 4, kMax32, set_index_bytes},
    {"producer.id.expiration.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.log.producer_expiration_millis = v; }},
    {"producer.id.expiration.check.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.maintenance.producer_expiry_check = milliseconds(v); }},
    {"log.cleaner.threads", 0, 64,
     [](BrokerConfig& c, int64_t v) { c.cleaner.tasks = static_cast<int>(v); }},
    {"log.cleaner.backoff.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.cleaner.backoff = milliseconds(v); }},
    {"log.cleaner.dedupe.buffer.size", 1 << 20, kMax64,
     [](BrokerConfig& c, int64_t v) { c.cleaner.map.bytes = static_cast<size_t>(v); }},
    {"log.cleaner.io.buffer.size", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.cleaner.io_bytes = static_cast<size_t>(v); }},
    {"log.cleaner.delete.retention.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.clean.delete_retention_millis = v; }},
    {"log.cleaner.min.compaction.lag.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.clean.min_lag_millis = v; }},
    {"log.cleaner.max.compaction.lag.ms", 1, kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.clean.max_lag_millis = v; }},
};

struct Fraction {
  std::string_view name;
  double least;
  double most;
  void (*set)(BrokerConfig&, double);
};

constexpr Fraction kFractions[] = {
    {"log.cleaner.min.cleanable.ratio", 0, 1,
     [](BrokerConfig& c, double v) { c.log.clean.min_dirty_ratio = v; }},
    {"log.cleaner.io.buffer.load.factor", 0, 1,
     [](BrokerConfig& c, double v) { c.cleaner.map.load_factor = v; }},
    {"log.cleaner.io.max.bytes.per.second", 1, std::numeric_limits<double>::max(),
     [](BrokerConfig& c, double v) { c.cleaner.bytes_per_second = v; }},
};

constexpr std::string_view kPolicy = "log.cleanup.policy";
constexpr std::string_view kCleaner = "log.cleaner.enable";

template <class T>
Result<T> parse(std::string_view name, std::string_view text, T least, T most) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value >= least && value <= most) return value;
  return fail(Errc::invalid,
              fmt::format("{}={}: it takes a number from {} to {}", name, text, least, most));
}

Result<void> set_policy(std::string_view text, BrokerConfig& config) {
  bool compact = text == "compact" || text == "compact,delete" || text == "delete,compact";
  bool remove = text != "compact";
  if (!compact && text != "delete")
    return fail(Errc::invalid,
                fmt::format("{}={}: it takes delete, compact, or compact,delete", kPolicy, text));
  config.log.clean.compact = compact;
  config.log.retention.delete_old = remove;
  return {};
}

Result<void> set_cleaner(std::string_view text, BrokerConfig& config) {
  if (text != "true" && text != "false")
    return fail(Errc::invalid, fmt::format("{}={}: it takes true or false", kCleaner, text));
  config.cleaner_enabled = text == "true";
  return {};
}

Result<void> check_names(const std::map<std::string, std::string>& settings) {
  std::vector<std::string_view> known = {kPolicy, kCleaner};
  for (const WholeNumber& one : kNumbers) known.push_back(one.name);
  for (const Fraction& one : kFractions) known.push_back(one.name);
  for (const auto& [name, text] : settings)
    if (std::ranges::find(known, name) == known.end())
      return fail(Errc::invalid, unknown_name("setting", name, "--set", known));
  return {};
}

}  // namespace

Result<void> apply_settings(const std::map<std::string, std::string>& settings,
                            BrokerConfig& config) {
  TRY_(check_names(settings));
  for (const WholeNumber& one : kNumbers) {
    auto given = settings.find(std::string(one.name));
    if (given == settings.end()) continue;
    TRY(value, parse<int64_t>(one.name, given->second, one.least, one.most));
    one.set(config, value);
  }
  for (const Fraction& one : kFractions) {
    auto given = settings.find(std::string(one.name));
    if (given == settings.end()) continue;
    TRY(value, parse<double>(one.name, given->second, one.least, one.most));
    one.set(config, value);
  }
  if (auto given = settings.find(std::string(kPolicy)); given != settings.end())
    TRY_(set_policy(given->second, config));
  if (auto given = settings.find(std::string(kCleaner)); given != settings.end())
    TRY_(set_cleaner(given->second, config));
  return {};
}

}  // namespace moldau::broker
