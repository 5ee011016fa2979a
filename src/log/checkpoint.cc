#include "log/checkpoint.h"

#include <fmt/format.h>

#include <charconv>

namespace moldau::log {
namespace {

// The text up to the next separator; takes both off `rest`.
std::string_view take(std::string_view& rest, char separator) {
  size_t at = rest.find(separator);
  std::string_view word = rest.substr(0, at);
  rest.remove_prefix(at == rest.npos ? rest.size() : at + 1);
  return word;
}

// A file that was edited on Windows has a carriage return before each end of line.
std::string_view take_line(std::string_view& rest) {
  std::string_view line = take(rest, '\n');
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

Result<int64_t> parse_number(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end)
    return fail(Errc::corrupt, fmt::format("'{}' is no number", text));
  return value;
}

std::string encode_checkpoint(const std::vector<std::string>& lines) {
  std::string out = fmt::format("0\n{}\n", lines.size());
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

Result<std::vector<std::string_view>> decode_checkpoint(std::string_view text) {
  std::vector<std::string_view> lines;
  if (text.empty()) return lines;
  TRY(version, parse_number(take_line(text)));
  if (version != 0)
    return fail(Errc::unsupported, fmt::format("checkpoint file of version {}", version));
  TRY(count, parse_number(take_line(text)));
  while (!text.empty()) lines.push_back(take_line(text));
  if (count != std::ssize(lines))
    return fail(Errc::corrupt,
                fmt::format("checkpoint file says {} entries and has {}", count, lines.size()));
  return lines;
}

std::string encode_offset_checkpoint(const OffsetCheckpoint& points) {
  std::vector<std::string> lines;
  for (const auto& [directory, offset] : points) {
    size_t dash = directory.rfind('-');
    lines.push_back(
        fmt::format("{} {} {}", directory.substr(0, dash), directory.substr(dash + 1), offset));
  }
  return encode_checkpoint(lines);
}

Result<OffsetCheckpoint> decode_offset_checkpoint(std::string_view text) {
  OffsetCheckpoint points;
  TRY(lines, decode_checkpoint(text));
  for (std::string_view line : lines) {
    std::string_view topic = take(line, ' ');
    TRY(partition, parse_number(take(line, ' ')));
    TRY(offset, parse_number(line));
    if (topic.empty() || partition < 0 || offset < 0)
      return fail(Errc::corrupt,
                  fmt::format("checkpoint entry '{} {} {}'", topic, partition, offset));
    points[fmt::format("{}-{}", topic, partition)] = Offset(offset);
  }
  return points;
}

}  // namespace moldau::log
