#include "coordinator/group/consumer/protocol_bytes.h"

#include <algorithm>

#include "base/arena.h"
#include "coordinator/group/record_bytes.h"
#include "wire/messages/consumer_protocol_assignment.h"
#include "wire/messages/consumer_protocol_subscription.h"

namespace moldau::coordinator::group {

namespace {

// The version stands in front. A newer one begins like the newest that is known.
template <class M>
std::optional<M> read(std::string_view text, Arena& arena, int16_t& version) {
  Bytes bytes = as_bytes(text);
  if (bytes.size() < 2) return std::nullopt;
  version = load_be<int16_t>(bytes.data());
  if (version < 0) return std::nullopt;
  int16_t known = std::min(version, M::kMaxVersion);
  Result<M> message = wire::decode<M>(bytes.subspan(2), known, arena);
  if (!message) return std::nullopt;
  return *message;
}

template <class Topics>
Parts parts_of(const Topics& said, const KnownTopics& topics) {
  Parts out;
  for (const auto& one : said) {
    const KnownTopic* topic = topics.find(one.topic);
    if (!topic) continue;
    for (int32_t p : one.partitions)
      if (p >= 0 && p < topic->partitions) out[topic->id].insert(p);
  }
  return out;
}

}  // namespace

std::optional<Subscription> read_subscription(std::string_view bytes, const KnownTopics& topics) {
  Arena arena;
  Subscription out;
  auto said = read<wire::ConsumerProtocolSubscription>(bytes, arena, out.version);
  if (!said) return std::nullopt;
  std::set<std::string> names(said->topics.begin(), said->topics.end());
  out.topics.assign(names.begin(), names.end());
  out.rack = owned(said->rack_id);
  out.owned = parts_of(said->owned_partitions, topics);
  return out;
}

Parts read_assignment(std::string_view bytes, const KnownTopics& topics) {
  Arena arena;
  int16_t version = 0;
  auto said = read<wire::ConsumerProtocolAssignment>(bytes, arena, version);
  return said ? parts_of(said->assigned_partitions, topics) : Parts();
}

std::string write_assignment(const Parts& parts, int16_t version, const KnownTopics& topics) {
  using Message = wire::ConsumerProtocolAssignment;
  version = std::min(version, Message::kMaxVersion);
  std::vector<std::vector<int32_t>> numbers;
  std::vector<Message::TopicPartition> said;
  numbers.reserve(parts.size());
  for (const auto& [id, partitions] : parts) {
    const KnownTopic* topic = topics.find(id);
    if (!topic) continue;
    numbers.emplace_back(partitions.begin(), partitions.end());
    said.push_back({.topic = topic->name, .partitions = std::span<const int32_t>(numbers.back())});
  }
  Message message{.assigned_partitions = std::span<const Message::TopicPartition>(said)};
  std::vector<uint8_t> bytes = with_prefix(version, message, version);
  return std::string(as_text(bytes));
}

}  // namespace moldau::coordinator::group
