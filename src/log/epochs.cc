#include "log/epochs.h"

#include <fmt/format.h>

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
