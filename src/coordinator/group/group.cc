#include "coordinator/group/group.h"

#include <algorithm>

#include "base/arena.h"
#include "base/bytes.h"
#include "wire/message.h"
#include "wire/messages/consumer_protocol_subscription.h"

namespace moldau::coordinator::group {

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::empty:
      return "Empty";
    case Phase::preparing:
      return "PreparingRebalance";
    case Phase::completing:
      return "CompletingRebalance";
    case Phase::stable:
      return "Stable";
  }
  return "Unknown";
}

const std::string* Member::metadata(std::string_view protocol) const {
  auto it = std::ranges::find(protocols, protocol, &Protocol::name);
  return it == protocols.end() ? nullptr : &it->metadata;
}

Member* Group::find(std::string_view member) {
  auto it = members.find(member);
  return it == members.end() ? nullptr : &it->second;
}

size_t Group::joining() const {
  return static_cast<size_t>(
      std::ranges::count_if(members, [](const auto& m) { return m.second.joining.has_value(); }));
}

Duration Group::rebalance_timeout() const {
  Duration longest;
  for (const auto& [id, member] : members) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

bool Group::fits(std::string_view type, const std::vector<Protocol>& protocols) const {
  if (members.empty()) return !type.empty() && !protocols.empty();
  if (type != protocol_type) return false;
  return std::ranges::any_of(protocols, [&](const Protocol& p) {
    return std::ranges::all_of(members,
                               [&](const auto& m) { return m.second.metadata(p.name) != nullptr; });
  });
}

std::string Group::vote() const {
  auto all_have = [&](const std::string& name) {
    return std::ranges::all_of(members,
                               [&](const auto& m) { return m.second.metadata(name) != nullptr; });
  };
  std::map<std::string, size_t> votes;
  for (const auto& [id, member] : members) {
    auto liked =
        std::ranges::find_if(member.protocols, [&](const Protocol& p) { return all_have(p.name); });
    if (liked != member.protocols.end()) votes[liked->name]++;
  }
  auto best = std::ranges::max_element(votes, {}, [](const auto& v) { return v.second; });
  return best == votes.end() ? std::string() : best->first;
}

ErrorCode Group::check(std::string_view member, const std::optional<std::string>& instance) const {
  if (instance) {
    auto known = statics.find(*instance);
    if (known == statics.end()) return ErrorCode::unknown_member_id;
    if (known->second != member) return ErrorCode::fenced_instance_id;
  }
  return members.contains(member) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

std::vector<JoinedMember> Group::joined() const {
  std::vector<JoinedMember> out;
  out.reserve(members.size());
  for (const auto& [id, member] : members) {
    const std::string* metadata = protocol ? member.metadata(*protocol) : nullptr;
    out.push_back({id, member.instance, metadata ? *metadata : std::string()});
  }
  return out;
}

void Group::read_topics() {
  topics.reset();
  if (protocol_type != "consumer") return;
  std::set<std::string, std::less<>> all;
  for (const auto& [id, member] : members) {
    const std::string* metadata = protocol ? member.metadata(*protocol) : nullptr;
    if (!metadata) return;
    std::optional<std::vector<std::string>> read = subscribed_topics(*metadata);
    if (!read) return;
    all.insert(read->begin(), read->end());
  }
  topics = std::move(all);
}

std::optional<std::vector<std::string>> subscribed_topics(std::string_view metadata) {
  using wire::ConsumerProtocolSubscription;
  Bytes bytes = as_bytes(metadata);
  if (bytes.size() < 2) return std::nullopt;
  int16_t version = load_be<int16_t>(bytes.data());
  if (version < 0) return std::nullopt;
  // A newer one begins like the newest that is known.
  version = std::min(version, ConsumerProtocolSubscription::kMaxVersion);
  Arena arena;
  auto read = wire::decode<ConsumerProtocolSubscription>(bytes.subspan(2), version, arena);
  if (!read) return std::nullopt;
  return std::vector<std::string>(read->topics.begin(), read->topics.end());
}

}  // namespace moldau::coordinator::group
