#include "base/properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace moldau {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\f'; }
bool is_end(char c) { return c == '\n' || c == '\r'; }

// Joins natural lines to logical ones: comments and empty lines are gone, escapes are as they were.
// The odd corners (a comment behind an empty continued line, a continuation at the very end) are
// Java's.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}
  const std::string& line() const { return line_; }
  int number() const { return number_; }  // of the natural line on which line() begins, from 1

  bool next() {
    line_.clear();
    bool leading = true;     // white space does not count here
    bool continued = false;  // just behind the end of a continued line
    bool escaping = false;   // behind an odd number of backslashes
    while (at_ < text_.size()) {
      char c = take();
      if (leading && (is_space(c) || (is_end(c) && !continued))) continue;
      leading = continued = false;
      if (line_.empty() && (c == '#' || c == '!')) {
        skip_comment();
        leading = true;
      } else if (!is_end(c)) {
        if (line_.empty()) number_ = current_;
        line_ += c;
        escaping = c == '\\' && !escaping;
      } else if (line_.empty()) {
        leading = true;
      } else if (escaping && at_ < text_.size()) {
        line_.pop_back();
        if (c == '\r' && text_[at_] == '\n') take();
        leading = continued = true;
        escaping = false;
      } else {
        if (escaping) line_.pop_back();
        return true;
      }
    }
    if (line_.empty()) return false;
    if (escaping) line_.pop_back();
    return true;
  }

 private:
  char take() {
    char c = text_[at_++];
    if (pending_end_ != 0 && !(pending_end_ == '\r' && c == '\n')) current_++;
    pending_end_ = is_end(c) ? c : '\0';
    return c;
  }
  void skip_comment() {
    while (at_ < text_.size() && !is_end(take())) {
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string line_;
  int number_ = 1;
  int current_ = 1;          // natural line of the character taken last
  char pending_end_ = '\0';  // the character taken last, if it ends a line
};

// UTF-8 from UTF-16 code units; half a surrogate pair becomes '?', as Java prints it.
class Utf8Writer {
 public:
  void unit(uint32_t u) {
    if (u >= 0xdc00 && u < 0xe000 && high_ != 0) {
      put(0x10000 + ((high_ - 0xd800) << 10) + (u - 0xdc00));
      high_ = 0;
      return;
    }
    flush();
    if (u >= 0xd800 && u < 0xdc00) {
      high_ = u;
    } else {
      put(u >= 0xdc00 && u < 0xe000 ? '?' : u);
    }
  }
  std::string finish() && {
    flush();
    return std::move(out_);
  }

 private:
  void flush() {
    if (high_ != 0) out_ += '?';
    high_ = 0;
  }
  void put(uint32_t point) {
    auto byte = [this](uint32_t b) { out_ += static_cast<char>(b); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
      byte(0xc0 | point >> 6);
    } else if (point < 0x10000) {
      byte(0xe0 | point >> 12);
      byte(0x80 | (point >> 6 & 63));
    } else {
      byte(0xf0 | point >> 18);
      byte(0x80 | (point >> 12 & 63));
      byte(0x80 | (point >> 6 & 63));
    }
    byte(0x80 | (point & 63));
  }
  std::string out_;
  uint32_t high_ = 0;  // first half of a pair
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hexadecimal digits, or none.
std::optional<uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  uint32_t value = 0;
  for (char c : text.substr(0, 4)) {
    int digit = hex_digit(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return value;
}

char escaped(char c) {
  switch (c) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

Result<std::string> unescape(std::string_view raw) {
  Utf8Writer out;
  for (size_t i = 0; i < raw.size(); i++) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      out.unit(static_cast<uint8_t>(raw[i]));
      continue;
    }
    char c = raw[++i];
    if (c != 'u') {
      out.unit(static_cast<uint8_t>(escaped(c)));
      continue;
    }
    std::optional<uint32_t> unit = hex4(raw.substr(i + 1));
    if (!unit)
      return fail(Errc::invalid,
                  "\\u wants four hexadecimal digits; a backslash itself is written \\\\");
    out.unit(*unit);
    i += 4;
  }
  return std::move(out).finish();
}

struct Split {
  std::string_view key, value;  // still escaped
};
// The key ends at the first '=', ':' or white space that is not escaped; of white space, one
// separator and white space again nothing belongs to the value.
Split split(std::string_view line) {
  size_t end = 0;
  for (; end < line.size(); end++) {
    char c = line[end];
    if (c == '=' || c == ':' || is_space(c)) break;
    if (c == '\\') end++;
  }
  end = std::min(end, line.size());
  size_t value = end;
  auto skip_space = [&] {
    while (value < line.size() && is_space(line[value])) value++;
  };
  skip_space();
  if (value < line.size() && (line[value] == '=' || line[value] == ':')) value++;
  skip_space();
  return {line.substr(0, end), line.substr(value)};
}

}  // namespace

Result<Properties> Properties::parse(std::string_view text, std::string_view name) {
  Properties out;
  LineReader lines(text);
  while (lines.next()) {
    std::string source = fmt::format("{}:{}", name, lines.number());
    Split parts = split(lines.line());
    Result<std::string> key = unescape(parts.key);
    if (!key) return std::move(key.error()).in(source);
    Result<std::string> value = unescape(parts.value);
    if (!value) return std::move(value.error()).in(source);
    out.map_.insert_or_assign(std::move(*key), Property{std::move(*value), std::move(source)});
  }
  return out;
}

const Property* Properties::find(std::string_view key) const {
  auto it = map_.find(key);
  return it == map_.end() ? nullptr : &it->second;
}

void Properties::set(std::string_view key, std::string_view value, std::string_view source) {
  map_.insert_or_assign(std::string(key), Property{std::string(value), std::string(source)});
}

Result<> Properties::set_assignment(std::string_view assignment, std::string_view source) {
  size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return fail(Errc::invalid, fmt::format("{} '{}': wanted key=value", source, assignment));
  set(assignment.substr(0, equals), assignment.substr(equals + 1), source);
  return {};
}

bool Properties::set_variable(std::string_view variable, std::string_view value) {
  std::optional<std::string> key = environment_key(variable);
  if (key) set(*key, value, fmt::format("environment {}", variable));
  return key.has_value();
}

void Properties::overlay(const Properties& later) {
  for (const auto& [key, property] : later) map_.insert_or_assign(key, property);
}

std::optional<std::string> environment_key(std::string_view variable) {
  constexpr std::string_view kPrefix = "KAFKA_";
  constexpr std::array<std::string_view, 11> kOthers = {"VERSION",
                                                        "HEAP_OPTS",
                                                        "OPTS",
                                                        "LOG4J_OPTS",
                                                        "LOG4J_ROOT_LOGLEVEL",
                                                        "LOG4J_LOGGERS",
                                                        "JMX_OPTS",
                                                        "JVM_PERFORMANCE_OPTS",
                                                        "GC_LOG_OPTS",
                                                        "JMX_HOSTNAME",
                                                        "TOOLS_LOG4J_LOGLEVEL"};
  if (!variable.starts_with(kPrefix) || variable.size() == kPrefix.size()) return std::nullopt;
  variable.remove_prefix(kPrefix.size());
  if (std::ranges::find(kOthers, variable) != kOthers.end()) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < variable.size();) {
    std::string_view rest = variable.substr(i);
    if (rest.starts_with("___")) {
      out += '-', i += 3;
    } else if (rest.starts_with("__")) {
      out += '_', i += 2;
    } else {
      char c = rest[0];
      out += c == '_' ? '.' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      i++;
    }
  }
  return out;
}

}  // namespace moldau
