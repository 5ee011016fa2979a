#include "host/logging.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/check.h"
#include "host/clock.h"

namespace moldau::host {
namespace {

struct LevelNames {
  std::string_view name, text, color;
};
constexpr std::array<LevelNames, 6> kLevels = {{
    {"trace", "TRACE", "\x1b[2mTRACE\x1b[0m"},
    {"debug", "DEBUG", "\x1b[2mDEBUG\x1b[0m"},
    {"info", "INFO ", "\x1b[32mINFO \x1b[0m"},
    {"warn", "WARN ", "\x1b[33mWARN \x1b[0m"},
    {"error", "ERROR", "\x1b[1;31mERROR\x1b[0m"},
    {"off", "OFF  ", "OFF  "},
}};
const LevelNames& names_of(LogLevel level) {
  return kLevels[std::min(static_cast<size_t>(level), kLevels.size() - 1)];
}

std::string timestamp(WallTime time) {
  using namespace std::chrono;
  sys_time<std::chrono::milliseconds> point{std::chrono::milliseconds(time.millis)};
  auto day = floor<days>(point);
  year_month_day date(day);
  hh_mm_ss clock(point - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

// The length of the UTF-8 sequence at the front of text; 0 if that is none (overlong, a surrogate,
// cut off).
size_t sequence_length(std::string_view text) {
  auto at = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = at(0);
  size_t n = first < 0x80   ? 1
             : first < 0xc2 ? 0
             : first < 0xe0 ? 2
             : first < 0xf0 ? 3
             : first < 0xf5 ? 4
                            : 0;
  if (n == 0 || n > text.size()) return 0;
  for (size_t i = 1; i < n; i++)
    if ((at(i) & 0xc0) != 0x80) return 0;
  bool overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  bool surrogate = first == 0xed && at(1) >= 0xa0;
  bool beyond = first == 0xf4 && at(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : n;
}

// Names that come from peers stand in messages: nothing in one may end the line, forge the next or
// drive the terminal. C1 control characters (U+0080 to U+009F) drive some terminals as well.
bool is_control(std::string_view sequence) {
  auto first = static_cast<uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<uint8_t>(sequence[1]) < 0xa0;
}

void append_control(std::string& out, std::string_view sequence) {
  switch (sequence[0]) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += fmt::format("\\u{:04x}", static_cast<uint8_t>(sequence.back()));
      return;
  }
}

// With quotes, also '"' and '\' are escaped: the inside of a JSON string.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  while (!text.empty()) {
    size_t n = sequence_length(text);
    if (n == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD: not UTF-8
      text.remove_prefix(1);
      continue;
    }
    std::string_view sequence = text.substr(0, n);
    if (is_control(sequence)) {
      append_control(out, sequence);
    } else {
      if (quoted && (sequence == "\"" || sequence == "\\")) out += '\\';
      out += sequence;
    }
    text.remove_prefix(n);
  }
}

}  // namespace

std::string_view log_level_name(LogLevel level) { return names_of(level).name; }

Result<LogLevel> parse_log_level(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (lower == "fatal") return LogLevel::error;
  for (size_t i = 0; i < kLevels.size(); i++)
    if (kLevels[i].name == lower) return static_cast<LogLevel>(i);
  return fail(
      Errc::invalid,
      fmt::format("'{}' is not a log level: wanted trace, debug, info, warn, error or off", text));
}

void MemorySink::write(std::string_view line) {
  std::lock_guard lock(mutex_);
  if (lines_.size() < most_) {
    lines_.emplace_back(line);
  } else if (most_ > 0) {
    lines_[first_] = line;
    first_ = (first_ + 1) % most_;
  }
}

std::vector<std::string> MemorySink::lines() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> out = lines_;
  std::ranges::rotate(out, out.begin() + static_cast<std::ptrdiff_t>(first_));
  return out;
}

bool MemorySink::contains(std::string_view part) const {
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(
      lines_, [part](const std::string& line) { return line.find(part) != line.npos; });
}

void MemorySink::clear() {
  std::lock_guard lock(mutex_);
  lines_.clear();
  first_ = 0;
}

LogConfig::LogConfig(LogLevel root) : initial_(root) {
  auto made = std::make_unique<Module>();
  made->own = root;
  made->effective = root;
  modules_.emplace("", std::move(made));
}

LogConfig::Module& LogConfig::module(std::string_view name) {
  auto it = modules_.find(name);
  if (it == modules_.end()) {
    it = modules_.emplace(std::string(name), std::make_unique<Module>()).first;
    it->second->effective = inherited(name);
  }
  return *it->second;
}

LogLevel LogConfig::inherited(std::string_view name) const {
  while (!name.empty()) {
    size_t dot = name.rfind('.');
    name = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
    auto it = modules_.find(name);
    if (it != modules_.end() && it->second->own) return *it->second->own;
  }
  return initial_;
}

void LogConfig::apply() {
  for (auto& [name, m] : modules_)
    m->effective.store(m->own ? *m->own : inherited(name), std::memory_order_relaxed);
}

void LogConfig::set_level(std::string_view name, LogLevel level) {
  std::lock_guard lock(mutex_);
  module(name).own = level;
  apply();
}

void LogConfig::reset_level(std::string_view name) {
  std::lock_guard lock(mutex_);
  module(name).own = name.empty() ? std::optional(initial_) : std::nullopt;
  apply();
}

std::vector<std::pair<std::string, LogLevel>> LogConfig::levels() const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, LogLevel>> out;
  for (const auto& [name, m] : modules_)
    out.emplace_back(name, m->effective.load(std::memory_order_relaxed));
  return out;
}

const std::atomic<LogLevel>* LogConfig::level_of(std::string_view name) {
  std::lock_guard lock(mutex_);
  return &module(name).effective;
}

Logger::Logger(const LogTarget& target, std::string_view module)
    : target_(target), module_(module), level_(target.config.level_of(module)) {}

void Logger::write(LogLevel level, std::string_view message) const {
  target_.sink.write(
      format_log_line(target_.format, target_.clock.wall(), level, module_, message));
}

Instant log_now(const Logger& logger) { return logger.target().clock.now(); }

std::optional<uint64_t> RepeatLimit::admit(Instant now) {
  int64_t next = next_.load(std::memory_order_relaxed);
  if (now.nanos >= next &&
      next_.compare_exchange_strong(next, (now + interval_).nanos, std::memory_order_relaxed))
    return held_back_.exchange(0, std::memory_order_relaxed);
  held_back_.fetch_add(1, std::memory_order_relaxed);
  return std::nullopt;
}

std::string with_repeats(std::string message, uint64_t held_back) {
  if (held_back > 0) message += fmt::format(" … {} more like this", held_back);
  return message;
}

std::string format_log_line(LogFormat format, WallTime time, LogLevel level,
                            std::string_view module, std::string_view message) {
  const LevelNames& names = names_of(level);
  std::string out;
  if (format == LogFormat::json) {
    out = fmt::format(R"({{"time":"{}","level":"{}","module":")", timestamp(time), names.name);
    append_escaped(out, module, true);
    out += R"(","message":")";
    append_escaped(out, message, true);
    out += "\"}";
    return out;
  }
  out = fmt::format("{} {} {}  ", timestamp(time),
                    format == LogFormat::color ? names.color : names.text, module);
  append_escaped(out, message, false);
  return out;
}

}  // namespace moldau::host
