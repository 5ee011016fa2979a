#include "raft/snapshot_name.h"

#include <charconv>

namespace moldau::raft {
namespace {

constexpr std::string_view kSuffix = ".checkpoint";
constexpr size_t kOffsetDigits = 20, kEpochDigits = 10;

template <class T>
bool read_digits(std::string_view text, T& out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-';
}

}  // namespace

std::string snapshot_name(OffsetAndEpoch id) {
  return fmt::format("{:020}-{:010}{}", id.offset.value, id.epoch.value, kSuffix);
}

std::string snapshot_part_name(OffsetAndEpoch id) { return snapshot_name(id) + ".part"; }

bool is_part_of_snapshot(std::string_view name) {
  return name.ends_with(".checkpoint.part") || name.ends_with(".checkpoint.tmp");
}

std::optional<OffsetAndEpoch> parse_snapshot_name(std::string_view name) {
  OffsetAndEpoch id;
  bool shape = name.size() == kOffsetDigits + 1 + kEpochDigits + kSuffix.size() &&
               name[kOffsetDigits] == '-' && name.ends_with(kSuffix);
  bool good = shape && read_digits(name.substr(0, kOffsetDigits), id.offset.value) &&
              read_digits(name.substr(kOffsetDigits + 1, kEpochDigits), id.epoch.value);
  return good ? std::optional(id) : std::nullopt;
}

}  // namespace moldau::raft
