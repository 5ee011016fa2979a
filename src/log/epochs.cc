#include "log/epochs.h"

#include <fmt/format.h>

#include <algorithm>

#include "log/checkpoint.h"

namespace moldau::log {

bool Epochs::assign(LeaderEpoch epoch, Offset start) {
  if (epoch.value < 0 || (!entries_.empty() && epoch <= entries_.back().epoch)) return false;
  // An epoch in which nothing was written leaves no entry.
  while (!entries_.empty() && entries_.back().start >= start) entries_.pop_back();
  entries_.push_back({epoch, start});
  return true;
}

bool Epochs::truncate_end(Offset end) {
  size_t before = entries_.size();
  while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
  return entries_.size() != before;
}

bool Epochs::truncate_start(Offset start) {
  auto behind = std::ranges::upper_bound(entries_, start, {}, &EpochEntry::start);
  if (behind == entries_.begin()) return false;
  auto first = std::prev(behind);
  if (first == entries_.begin() && first->start == start) return false;
  entries_.erase(entries_.begin(), first);
  entries_.front().start = start;
  return true;
}

std::optional<EpochEnd> Epochs::end_of(LeaderEpoch asked, Offset log_end) const {
  if (asked.value < 0 || entries_.empty() || asked > entries_.back().epoch) return std::nullopt;
  if (asked == entries_.back().epoch) return EpochEnd{asked, log_end};
  auto next = std::ranges::upper_bound(entries_, asked, {}, &EpochEntry::epoch);
  LeaderEpoch found = next == entries_.begin() ? asked : std::prev(next)->epoch;
  return EpochEnd{found, next->start};
}

std::string Epochs::encode() const {
  std::vector<std::string> lines;
  for (const EpochEntry& entry : entries_)
    lines.push_back(fmt::format("{} {}", entry.epoch, entry.start));
  return encode_checkpoint(lines);
}

Result<Epochs> Epochs::decode(std::string_view text) {
  Epochs epochs;
  TRY(lines, decode_checkpoint(text));
  for (std::string_view line : lines) {
    size_t space = line.find(' ');
    if (space == line.npos)
      return fail(Errc::corrupt, fmt::format("leader epoch entry '{}'", line));
    TRY(epoch, parse_number(line.substr(0, space)));
    TRY(start, parse_number(line.substr(space + 1)));
    bool rises = epochs.entries_.empty() || (epoch > epochs.entries_.back().epoch.value &&
                                             start > epochs.entries_.back().start.value);
    if (!rises || epoch < 0 || epoch > INT32_MAX || start < 0)
      return fail(Errc::corrupt, fmt::format("leader epoch entry '{}' is out of order", line));
    epochs.entries_.push_back({LeaderEpoch(static_cast<int32_t>(epoch)), Offset(start)});
  }
  return epochs;
}

}  // namespace moldau::log
