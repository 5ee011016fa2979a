#include "log/dir_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "log/checkpoint.h"

namespace moldau::log {
namespace {

constexpr size_t kMaxName = 255;  // bytes that a file system takes
struct Suffix {
  std::string_view text;
  DirKind kind;
};
constexpr std::array<Suffix, 3> kSuffixes = {{
    {"-delete", DirKind::deleted},
    {"-future", DirKind::future},
    {"-stray", DirKind::stray},
}};

// "topic-0". The last dash counts: topics have dashes as well.
bool is_partition(std::string_view name) {
  size_t dash = name.rfind('-');
  if (dash == name.npos || dash == 0) return false;
  std::string_view digits = name.substr(dash + 1);
  if (digits.empty() || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  Result<int64_t> number = parse_number(digits);
  return number && *number <= INT32_MAX;
}

}  // namespace

DirName parse_dir_name(std::string_view name) {
  if (is_partition(name)) return {DirKind::partition, std::string(name)};
  for (const Suffix& suffix : kSuffixes) {
    if (!name.ends_with(suffix.text)) continue;
    size_t dot = name.rfind('.');  // the unique part has none
    if (dot == name.npos || dot + 1 + suffix.text.size() >= name.size()) break;
    if (is_partition(name.substr(0, dot))) return {suffix.kind, std::string(name.substr(0, dot))};
  }
  return {};
}

std::string dir_name_with_suffix(std::string_view partition, DirKind kind, const Uuid& unique) {
  auto suffix = std::ranges::find(kSuffixes, kind, &Suffix::kind);
  CHECK(suffix != kSuffixes.end(), "no suffix for kind {}", static_cast<int>(kind));
  size_t dash = std::min(partition.rfind('-'), partition.size());
  std::string end = fmt::format("{}.", partition.substr(dash));
  for (uint8_t byte : unique.bytes) end += fmt::format("{:02x}", byte);
  end += suffix->text;
  return std::string(partition.substr(0, std::min(dash, kMaxName - end.size()))) + end;
}

}  // namespace moldau::log
