#include "broker/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

#include "base/suggest.h"
#include "broker/broker_keys.h"
#include "coordinator/group/consumer/assignor.h"

namespace moldau::broker {
namespace {

constexpr int64_t kMinute = 60'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kCentury = 100 * 365 * 24 * kHour;  // more than that no clock of ours holds
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
    {"log.retention.bytes", std::numeric_limits<int64_t>::min(), kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.retention.bytes = v; }},
    {"log.retention.check.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.maintenance.retention_check = milliseconds(v); }},
    {"log.segment.delete.delay.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) { c.log.delete_delay = milliseconds(std::min(v, kCentury)); }},
    {"log.index.interval.bytes", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.log.index_interval_bytes = static_cast<int32_t>(v); }},
    {"log.index.size.max.bytes", 4, kMax32, set_index_bytes},
    {"producer.id.expiration.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.log.producer_expiration_millis = v; }},
    {"producer.id.expiration.check.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.maintenance.producer_expiry_check = milliseconds(v); }},
    {"log.message.timestamp.before.max.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) { c.topic.timestamp_before_max_millis = v; }},
    {"log.message.timestamp.after.max.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) { c.topic.timestamp_after_max_millis = v; }},
    {"group.min.session.timeout.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.min_session_timeout = milliseconds(v); }},
    {"group.max.session.timeout.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.max_session_timeout = milliseconds(v); }},
    {"group.initial.rebalance.delay.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.initial_rebalance_delay = milliseconds(v); }},
    {"group.max.size", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.max_size = static_cast<size_t>(v); }},
    {"group.consumer.session.timeout.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.consumer.session_timeout = milliseconds(v); }},
    {"group.consumer.heartbeat.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) {
       c.groups.group.consumer.heartbeat_interval = milliseconds(v);
     }},
    {"group.consumer.max.size", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.consumer.max_size = static_cast<size_t>(v); }},
    {"group.consumer.assignment.interval.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) {
       c.groups.group.consumer.assignment_interval = milliseconds(v);
     }},
    {"group.consumer.regex.refresh.interval.ms", 10'000, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.consumer.regex_refresh = milliseconds(v); }},
    {"offsets.retention.minutes", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.group.offset_retention_millis = v * kMinute; }},
    {"offsets.retention.check.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.groups.expiry_check = milliseconds(v); }},
    {"offset.metadata.max.bytes", 0, kMax32,
     [](BrokerConfig& c, int64_t v) {
       c.groups.group.max_offset_metadata = static_cast<size_t>(v);
     }},
    {"offsets.topic.num.partitions", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.offsets_topic.partitions = static_cast<int32_t>(v); }},
    {"offsets.topic.compression.codec", 0, 4,
     [](BrokerConfig& c, int64_t v) { c.groups.codec = static_cast<wire::Codec>(v); }},
    {"offsets.topic.segment.bytes", 1 << 20, kMax32,
     [](BrokerConfig& c, int64_t v) { c.offsets_topic.segment_bytes = v; }},
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
    {"min.insync.replicas", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.min_insync_replicas = static_cast<int32_t>(v); }},
    {"controller.quorum.election.timeout.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.election_timeout = milliseconds(v); }},
    {"controller.quorum.fetch.timeout.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.fetch_timeout = milliseconds(v); }},
    {"controller.quorum.request.timeout.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.request_timeout = milliseconds(v); }},
    {"controller.quorum.retry.backoff.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.retry_backoff = milliseconds(v); }},
    {"controller.quorum.election.backoff.max.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.election_backoff_max = milliseconds(v); }},
    {"broker.session.timeout.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.session_timeout = milliseconds(v); }},
    {"broker.heartbeat.interval.ms", 1, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.heartbeat = milliseconds(v); }},
    {"metadata.max.idle.interval.ms", 0, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.max_idle = milliseconds(v); }},
    {"metadata.log.max.record.bytes.between.snapshots", 1, kMax64,
     [](BrokerConfig& c, int64_t v) { c.kraft.snapshot_bytes = v; }},
    {"metadata.log.max.snapshot.interval.ms", 0, kMax64,
     [](BrokerConfig& c, int64_t v) {
       c.kraft.snapshot_interval = milliseconds(std::min(v, kCentury));
     }},
    {"metadata.log.segment.bytes", 8 << 20, kMax32,
     [](BrokerConfig& c, int64_t v) { c.kraft.segment_bytes = v; }},
    {"metadata.log.segment.ms", 1, kMax64,
     [](BrokerConfig& c, int64_t v) { c.kraft.segment_millis = v; }},
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
constexpr std::string_view kCompression = "compression.type";
constexpr std::string_view kTimestamps = "log.message.timestamp.type";
constexpr std::string_view kAssignors = "group.consumer.assignors";
constexpr std::string_view kMigration = "group.consumer.migration.policy";
constexpr std::string_view kLevels[] = {"compression.gzip.level", "compression.lz4.level",
                                        "compression.zstd.level"};

template <class T>
Result<T> parse(std::string_view name, std::string_view text, T least, T most) {
  T value{};
  if (text.starts_with('+')) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (whole && value >= least && value <= most) return value;
  return fail(Errc::invalid,
              fmt::format("{}={}: it takes a number from {} to {}", name, text, least, most));
}

Result<void> set_policy(std::string_view text, BrokerConfig& config) {
  const BrokerKey& key = *find_broker_key(kPolicy);
  if (Result<void> good = check_value(key, text); !good)
    return fail(Errc::invalid, fmt::format("{}={}: {}", kPolicy, text, good.error().text()));
  // Neither word is part of the other.
  config.log.clean.compact = text.find("compact") != text.npos;
  config.log.retention.delete_old = text.find("delete") != text.npos;
  return {};
}

Result<void> set_cleaner(std::string_view text, BrokerConfig& config) {
  if (text != "true" && text != "false")
    return fail(Errc::invalid, fmt::format("{}={}: it takes true or false", kCleaner, text));
  config.cleaner_enabled = text == "true";
  return {};
}

Result<void> set_compression(std::string_view text, BrokerConfig& config) {
  config.topic.codec.reset();
  if (text == "producer") return {};
  if (text == "uncompressed") {
    config.topic.codec = wire::Codec::none;
    return {};
  }
  config.topic.codec = wire::codec_of_name(text);
  if (config.topic.codec && *config.topic.codec != wire::Codec::none) return {};
  return fail(Errc::invalid,
              fmt::format("{}={}: it takes producer, uncompressed, gzip, snappy, lz4 or zstd",
                          kCompression, text));
}

// Of the codec that compression.type names; the levels of others are for nobody.
Result<void> set_level(const std::map<std::string, std::string>& settings, BrokerConfig& config) {
  for (std::string_view name : kLevels) {
    auto given = settings.find(std::string(name));
    if (given == settings.end()) continue;
    TRY(level, parse<int64_t>(name, given->second, -131072, 22));
    bool used =
        config.topic.codec &&
        name.substr(sizeof "compression." - 1).starts_with(wire::codec_name(*config.topic.codec));
    if (used) config.topic.compression_level = static_cast<int>(level);
  }
  return {};
}

Result<void> set_timestamp_type(std::string_view text, BrokerConfig& config) {
  if (text != "CreateTime" && text != "LogAppendTime")
    return fail(Errc::invalid,
                fmt::format("{}={}: it takes CreateTime or LogAppendTime", kTimestamps, text));
  config.topic.timestamp_type = text == "CreateTime" ? wire::TimestampType::create_time
                                                     : wire::TimestampType::log_append_time;
  return {};
}

// The parts of a list, without the space around them.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) out.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

// Kafka also takes the name of a class here, and gives an assignor of ours by its class.
Result<void> set_assignors(std::string_view text, BrokerConfig& config) {
  std::vector<std::string> names = parts_of(text);
  for (std::string& name : names) {
    if (name == "org.apache.kafka.coordinator.group.assignor.UniformAssignor") name = "uniform";
    if (name == "org.apache.kafka.coordinator.group.assignor.RangeAssignor") name = "range";
    if (!coordinator::group::assignor_named(name))
      return fail(Errc::invalid,
                  fmt::format("{}={}: it takes a list of uniform and range", kAssignors, text));
  }
  if (names.empty())
    return fail(Errc::invalid, fmt::format("{} takes at least one assignor", kAssignors));
  config.groups.group.consumer.assignors = std::move(names);
  return {};
}

Result<void> set_migration(std::string_view text, BrokerConfig& config) {
  using coordinator::group::MigrationPolicy;
  std::string word(text);
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  MigrationPolicy& policy = config.groups.group.consumer.migration;
  if (word == "disabled")
    policy = MigrationPolicy::disabled;
  else if (word == "upgrade")
    policy = MigrationPolicy::upgrade;
  else if (word == "downgrade")
    policy = MigrationPolicy::downgrade;
  else if (word == "bidirectional")
    policy = MigrationPolicy::bidirectional;
  else
    return fail(Errc::invalid,
                fmt::format("{}={}: it takes disabled, upgrade, downgrade or bidirectional",
                            kMigration, text));
  return {};
}

struct Word {
  std::string_view name;
  Result<void> (*set)(std::string_view, BrokerConfig&);
};
constexpr Word kWords[] = {{kPolicy, set_policy},           {kCleaner, set_cleaner},
                           {kCompression, set_compression}, {kTimestamps, set_timestamp_type},
                           {kAssignors, set_assignors},     {kMigration, set_migration}};

Result<void> check_names(const std::map<std::string, std::string>& settings) {
  std::vector<std::string_view> known = setting_names();
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
  for (const Word& one : kWords) {
    auto given = settings.find(std::string(one.name));
    if (given != settings.end()) TRY_(one.set(given->second, config));
  }
  return set_level(settings, config);
}

std::vector<std::string_view> setting_names() {
  std::vector<std::string_view> known(std::begin(kLevels), std::end(kLevels));
  for (const Word& one : kWords) known.push_back(one.name);
  for (const WholeNumber& one : kNumbers) known.push_back(one.name);
  for (const Fraction& one : kFractions) known.push_back(one.name);
  return known;
}

}  // namespace moldau::broker
