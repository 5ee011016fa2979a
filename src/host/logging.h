// Logging: a Logger for each module, levels that change while the process runs, one line for each
// event. Config, sink and clock are passed in; the simulator passes a MemorySink and its own clock.
// A level that is off costs one relaxed load and evaluates nothing:
//   MOLDAU_LOG_WARN(logger_, "{}: {} after {} ms", path, error.to_string(), waited.millis());
#pragma once
#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace moldau::host {

struct Clock;

enum class LogLevel : uint8_t { trace, debug, info, warn, error, off };
std::string_view log_level_name(LogLevel level);  // "info"
// Any case, and Kafka's names for ours: FATAL is error. Fails (invalid).
Result<LogLevel> parse_log_level(std::string_view text);

// Where lines go. Called from any thread; one call is one line.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(std::string_view line) = 0;  // without the newline
};

// Keeps the lines in memory, for tests and the simulator; the oldest go when there are too many.
class MemorySink : public LogSink {
 public:
  explicit MemorySink(size_t most_lines = 100'000) : most_(most_lines) {}
  void write(std::string_view line) override;
  std::vector<std::string> lines() const;
  bool contains(std::string_view part) const;  // in one of the lines
  void clear();

 private:
  const size_t most_;
  mutable std::mutex mutex_;
  size_t first_ = 0;                // guarded by mutex_; the oldest, once lines_ is full
  std::vector<std::string> lines_;  // guarded by mutex_
};

// The levels of all modules. A module "raft.driver" that has none of its own has that of "raft",
// and that the root's.
class LogConfig {
 public:
  explicit LogConfig(LogLevel root = LogLevel::info);
  LogConfig(const LogConfig&) = delete;
  LogConfig& operator=(const LogConfig&) = delete;

  // The root's name is "". Takes effect at once, also for modules that come later.
  void set_level(std::string_view module, LogLevel level);
  // Back to what its parent says; the root goes back to what the constructor said.
  void reset_level(std::string_view module);
  // Of all modules that have a logger or a level, by name; the root first.
  std::vector<std::pair<std::string, LogLevel>> levels() const;

 private:
  friend class Logger;
  struct Module {
    std::atomic<LogLevel> effective{LogLevel::info};
    std::optional<LogLevel> own;
  };
  // Lives as long as the config.
  const std::atomic<LogLevel>* level_of(std::string_view module);
  Module& module(std::string_view name);
  LogLevel inherited(std::string_view name) const;
  void apply();

  const LogLevel initial_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Module>, std::less<>> modules_;  // guarded by mutex_
};

enum class LogFormat : uint8_t {
  text,   // 2026-01-02T03:04:05.678Z INFO  raft  became leader
  color,  // the same for a terminal
  json,   // {"time":"…","level":"info","module":"raft","message":"became leader"}
};

// What loggers share. Everything in it outlives them.
struct LogTarget {
  LogConfig& config;
  LogSink& sink;
  const Clock& clock;
  LogFormat format = LogFormat::json;
};

class Logger {
 public:
  Logger(const LogTarget& target, std::string_view module);

  bool enabled(LogLevel level) const { return level >= level_->load(std::memory_order_relaxed); }
  // Without looking at the level; use the macros.
  void write(LogLevel level, std::string_view message) const;
  const std::string& module() const { return module_; }
  const LogTarget& target() const { return target_; }

 private:
  LogTarget target_;
  std::string module_;
  const std::atomic<LogLevel>* level_;
};

// Lets the first of many equal events through, and one each interval after that; counts the others.
// One for each thing that may repeat itself; any thread.
class RepeatLimit {
 public:
  explicit RepeatLimit(Duration interval = moldau::seconds(10)) : interval_(interval) {}
  // The number of events held back since the last one let through, or none: this one is held back
  // too.
  std::optional<uint64_t> admit(Instant now);

 private:
  const Duration interval_;
  std::atomic<int64_t> next_{INT64_MIN};  // Instant
  std::atomic<uint64_t> held_back_{0};
};
// The current time of the logger's clock, for RepeatLimit.
Instant log_now(const Logger& logger);
// "message … 312 more like this", or message if there are none.
std::string with_repeats(std::string message, uint64_t held_back);

// One line in the given format.
std::string format_log_line(LogFormat format, WallTime time, LogLevel level,
                            std::string_view module, std::string_view message);

}  // namespace moldau::host

#define MOLDAU_LOG(logger, level, ...)                                                   \
  do {                                                                                   \
    const ::moldau::host::Logger& moldau_logger_ = (logger);                             \
    if (moldau_logger_.enabled(::moldau::host::LogLevel::level)) [[unlikely]]            \
      moldau_logger_.write(::moldau::host::LogLevel::level, ::fmt::format(__VA_ARGS__)); \
  } while (false)
#define MOLDAU_LOG_TRACE(logger, ...) MOLDAU_LOG(logger, trace, __VA_ARGS__)
#define MOLDAU_LOG_DEBUG(logger, ...) MOLDAU_LOG(logger, debug, __VA_ARGS__)
#define MOLDAU_LOG_INFO(logger, ...) MOLDAU_LOG(logger, info, __VA_ARGS__)
#define MOLDAU_LOG_WARN(logger, ...) MOLDAU_LOG(logger, warn, __VA_ARGS__)
#define MOLDAU_LOG_ERROR(logger, ...) MOLDAU_LOG(logger, error, __VA_ARGS__)

// MOLDAU_LOG_LIMITED(logger_, warn, full_limit_, "{} is full", dir): as often as the RepeatLimit
// lets it.
#define MOLDAU_LOG_LIMITED(logger, level, limit, ...)                               \
  do {                                                                              \
    const ::moldau::host::Logger& moldau_logger_ = (logger);                        \
    if (!moldau_logger_.enabled(::moldau::host::LogLevel::level)) break;            \
    if (auto moldau_held_ = (limit).admit(::moldau::host::log_now(moldau_logger_))) \
      moldau_logger_.write(                                                         \
          ::moldau::host::LogLevel::level,                                          \
          ::moldau::host::with_repeats(::fmt::format(__VA_ARGS__), *moldau_held_)); \
  } while (false)
