#include "raft/voters.h"

#include <algorithm>
#include <charconv>

namespace moldau::raft {
namespace {

Result<Voter> parse_voter(std::string_view text, std::string_view listener) {
  auto bad = [&](std::string_view why) {
    return fail(Errc::invalid, fmt::format("controller.quorum.voters: '{}' {}; a voter is written "
                                           "id@host:port",
                                           text, why));
  };
  size_t at = text.find('@'), colon = text.rfind(':');
  if (at == text.npos || colon == text.npos || colon < at) return bad("is not a voter");
  Voter voter;
  int32_t id = -1;
  auto [id_end, id_error] = std::from_chars(text.data(), text.data() + at, id);
  if (id_error != std::errc() || id_end != text.data() + at || id < 0)
    return bad("has no id of 0 or more");
  std::string_view host = text.substr(at + 1, colon - at - 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad("has no host");
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  auto [port_end, port_error] = std::from_chars(text.data() + colon + 1, end, port);
  if (port_error != std::errc() || port_end != end) return bad("has no port of 0 to 65535");
  voter.key.id = BrokerId(id);
  voter.endpoints.push_back({std::string(listener), std::string(host), port});
  return voter;
}

}  // namespace

VoterSet::VoterSet(std::vector<Voter> voters) : voters_(std::move(voters)) {
  std::ranges::sort(voters_, {}, &Voter::key);
}

Result<VoterSet> VoterSet::parse(std::string_view text, std::string_view listener) {
  std::vector<Voter> voters;
  while (!text.empty()) {
    size_t comma = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    TRY(voter, parse_voter(one, listener));
    if (std::ranges::any_of(voters, [&](const Voter& v) { return v.key.id == voter.key.id; }))
      return fail(Errc::invalid,
                  fmt::format("controller.quorum.voters names voter {} twice", voter.key.id));
    voters.push_back(std::move(voter));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return VoterSet(std::move(voters));
}

const Voter* VoterSet::find(BrokerId id) const {
  auto found = std::ranges::find(voters_, id, [](const Voter& v) { return v.key.id; });
  return found == voters_.end() ? nullptr : &*found;
}

bool VoterSet::contains(const ReplicaKey& key) const {
  const Voter* voter = find(key.id);
  return voter && (voter->key.directory.is_zero() || voter->key.directory == key.directory);
}

std::optional<VoterSet> VoterSet::with(const Voter& voter) const {
  if (find(voter.key.id)) return std::nullopt;
  std::vector<Voter> voters = voters_;
  voters.push_back(voter);
  return VoterSet(std::move(voters));
}

std::optional<VoterSet> VoterSet::without(const ReplicaKey& key) const {
  const Voter* voter = find(key.id);
  if (!voter || voter->key != key || voters_.size() == 1) return std::nullopt;
  std::vector<Voter> voters = voters_;
  std::erase_if(voters, [&](const Voter& v) { return v.key == key; });
  return VoterSet(std::move(voters));
}

std::optional<VoterSet> VoterSet::updated(const Voter& voter) const {
  if (!contains(voter.key)) return std::nullopt;
  std::vector<Voter> voters = voters_;
  std::ranges::replace_if(voters, [&](const Voter& v) { return v.key.id == voter.key.id; }, voter);
  return VoterSet(std::move(voters));
}

VoterHistory::VoterHistory(VoterSet voters, int16_t kraft_version) {
  entries_.push_back({Offset(-1), std::move(voters), kraft_version});
}

std::optional<Offset> VoterHistory::changed_at() const {
  Offset last = entries_.back().offset;
  return last.value < 0 ? std::nullopt : std::optional(last);
}

const VoterHistory::Entry& VoterHistory::at(Offset offset) const {
  size_t i = entries_.size() - 1;
  while (i > 0 && entries_[i].offset >= offset) i--;
  return entries_[i];
}

VoterHistory::Entry& VoterHistory::entry(Offset offset) {
  if (entries_.back().offset != offset)
    entries_.push_back({offset, entries_.back().voters, entries_.back().kraft_version});
  return entries_.back();
}

void VoterHistory::set_voters(Offset offset, VoterSet voters) {
  entry(offset).voters = std::move(voters);
}

void VoterHistory::set_kraft_version(Offset offset, int16_t level) {
  entry(offset).kraft_version = level;
}

void VoterHistory::truncate_end(Offset end) {
  while (entries_.size() > 1 && entries_.back().offset >= end) entries_.pop_back();
}

void VoterHistory::truncate_start(Offset start) {
  size_t keep = 0;
  while (keep + 1 < entries_.size() && entries_[keep + 1].offset < start) keep++;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(keep));
}

}  // namespace moldau::raft
