#include "coordinator/group/consumer/records.h"

#include <algorithm>

#include "coordinator/group/record_bytes.h"
#include "wire/messages/consumer_group_current_member_assignment_record.h"
#include "wire/messages/consumer_group_member_metadata_record.h"
#include "wire/messages/consumer_group_metadata_record.h"
#include "wire/messages/consumer_group_partition_metadata_record.h"
#include "wire/messages/consumer_group_regular_expression_record.h"
#include "wire/messages/consumer_group_target_assignment_member_record.h"
#include "wire/messages/consumer_group_target_assignment_metadata_record.h"

namespace moldau::coordinator::group {

namespace {

constexpr int16_t kEpoch = 3, kOldTopics = 4, kMember = 5, kTargetEpoch = 6, kTargetMember = 7,
                  kCurrent = 8, kRegex = 16;
constexpr int16_t kVersion = 0;  // of every key and value

using MemberValue = wire::ConsumerGroupMemberMetadataValue;
using CurrentValue = wire::ConsumerGroupCurrentMemberAssignmentValue;
using TargetValue = wire::ConsumerGroupTargetAssignmentMemberValue;

// --- Our values as Kafka's bytes ---

std::vector<uint8_t> encode_value(const GroupEpoch& v) {
  return with_prefix(kVersion,
                     wire::ConsumerGroupMetadataValue{.epoch = v.epoch, .metadata_hash = v.hash},
                     kVersion);
}

std::vector<uint8_t> encode_value(const TargetEpoch& v) {
  return with_prefix(kVersion,
                     wire::ConsumerGroupTargetAssignmentMetadataValue{
                         .assignment_epoch = v.epoch, .assignment_timestamp = v.millis},
                     kVersion);
}

std::vector<uint8_t> encode_value(const ConsumerMember& member) {
  std::vector<std::string_view> topics(member.topics.begin(), member.topics.end());
  std::vector<MemberValue::ClassicProtocol> protocols;
  MemberValue::ClassicMemberMetadata classic;
  if (member.classic) {
    for (const Protocol& p : member.classic->protocols)
      protocols.push_back({.name = p.name, .metadata = as_bytes(p.metadata)});
    classic.session_timeout_ms = member.classic->session_millis;
    classic.supported_protocols = std::span<const MemberValue::ClassicProtocol>(protocols);
  }
  MemberValue value{.instance_id = view(member.instance),
                    .rack_id = view(member.rack),
                    .client_id = member.client_id,
                    .client_host = member.client_host,
                    .subscribed_topic_names = std::span<const std::string_view>(topics),
                    .subscribed_topic_regex = std::string_view(member.regex),
                    .rebalance_timeout_ms = member.rebalance_millis,
                    .server_assignor = view(member.assignor),
                    .classic_member_metadata = member.classic ? &classic : nullptr};
  return with_prefix(kVersion, value, kVersion);
}

std::vector<uint8_t> encode_value(const Parts& parts) {
  std::vector<std::vector<int32_t>> numbers;
  std::vector<TargetValue::TopicPartition> topics;
  numbers.reserve(parts.size());
  for (const auto& [topic, partitions] : parts) {
    numbers.emplace_back(partitions.begin(), partitions.end());
    topics.push_back({.topic_id = topic, .partitions = std::span<const int32_t>(numbers.back())});
  }
  TargetValue value{.topic_partitions = std::span<const TargetValue::TopicPartition>(topics)};
  return with_prefix(kVersion, value, kVersion);
}

// Arrays of a message, with the numbers that they borrow.
struct EpochTopics {
  std::vector<std::vector<int32_t>> numbers;
  std::vector<CurrentValue::TopicPartitions> topics;
  explicit EpochTopics(const EpochParts& parts) {
    numbers.reserve(parts.size() * 2);
    for (const auto& [topic, partitions] : parts) {
      std::vector<int32_t>& indexes = numbers.emplace_back();
      std::vector<int32_t>& epochs = numbers.emplace_back();
      for (const auto& [partition, epoch] : partitions) {
        indexes.push_back(partition);
        epochs.push_back(epoch);
      }
      topics.push_back({.topic_id = topic,
                        .partitions = std::span<const int32_t>(indexes),
                        .assignment_epochs = std::span<const int32_t>(epochs)});
    }
  }
};

std::vector<uint8_t> encode_value(const CurrentAssignment& current) {
  EpochTopics assigned(current.assigned), pending(current.pending);
  using Topics = std::span<const CurrentValue::TopicPartitions>;
  CurrentValue value{.member_epoch = current.epoch,
                     .previous_member_epoch = current.previous,
                     .state = static_cast<int8_t>(current.state),
                     .assigned_partitions = Topics(assigned.topics),
                     .partitions_pending_revocation = Topics(pending.topics)};
  return with_prefix(kVersion, value, kVersion);
}

std::vector<uint8_t> encode_value(const ResolvedRegex& regex) {
  std::vector<std::string_view> topics(regex.topics.begin(), regex.topics.end());
  wire::ConsumerGroupRegularExpressionValue value{
      .topics = std::span<const std::string_view>(topics),
      .version = regex.version,
      .timestamp = regex.millis};
  return with_prefix(kVersion, value, kVersion);
}

// --- Keys ---

std::vector<uint8_t> encode_key(const GroupEpochRecord& r) {
  return with_prefix(kEpoch, wire::ConsumerGroupMetadataKey{.group_id = r.group}, kVersion);
}
std::vector<uint8_t> encode_key(const TargetEpochRecord& r) {
  wire::ConsumerGroupTargetAssignmentMetadataKey key{.group_id = r.group};
  return with_prefix(kTargetEpoch, key, kVersion);
}
std::vector<uint8_t> encode_key(const ConsumerMemberRecord& r) {
  wire::ConsumerGroupMemberMetadataKey key{.group_id = r.group, .member_id = r.member};
  return with_prefix(kMember, key, kVersion);
}
std::vector<uint8_t> encode_key(const TargetMemberRecord& r) {
  wire::ConsumerGroupTargetAssignmentMemberKey key{.group_id = r.group, .member_id = r.member};
  return with_prefix(kTargetMember, key, kVersion);
}
std::vector<uint8_t> encode_key(const CurrentRecord& r) {
  wire::ConsumerGroupCurrentMemberAssignmentKey key{.group_id = r.group, .member_id = r.member};
  return with_prefix(kCurrent, key, kVersion);
}
std::vector<uint8_t> encode_key(const RegexRecord& r) {
  wire::ConsumerGroupRegularExpressionKey key{.group_id = r.group, .regular_expression = r.regex};
  return with_prefix(kRegex, key, kVersion);
}

// --- Kafka's bytes as our values ---

ConsumerMember stored(const MemberValue& value) {
  ConsumerMember out{
      .instance = owned(value.instance_id),
      .rack = owned(value.rack_id),
      .client_id = std::string(value.client_id),
      .client_host = std::string(value.client_host),
      .topics = {value.subscribed_topic_names.begin(), value.subscribed_topic_names.end()},
      .regex = owned(value.subscribed_topic_regex).value_or(""),
      .rebalance_millis = value.rebalance_timeout_ms,
      .assignor = owned(value.server_assignor),
      .classic = std::nullopt};
  std::ranges::sort(out.topics);
  auto twice = std::ranges::unique(out.topics);
  out.topics.erase(twice.begin(), twice.end());
  const auto* classic = value.classic_member_metadata;
  bool is_classic = classic && !classic->supported_protocols.empty();
  if (!is_classic) return out;
  out.classic.emplace().session_millis = classic->session_timeout_ms;
  for (const auto& p : classic->supported_protocols)
    out.classic->protocols.push_back({std::string(p.name), std::string(as_text(p.metadata))});
  return out;
}

Parts stored(const TargetValue& value) {
  Parts out;
  for (const auto& topic : value.topic_partitions)
    if (!topic.partitions.empty())
      out[topic.topic_id].insert(topic.partitions.begin(), topic.partitions.end());
  return out;
}

// Before Kafka 4.3 it was not written in which epoch a partition came: at latest in this one.
EpochParts stored(const wire::Array<CurrentValue::TopicPartitions>& topics, int32_t epoch) {
  EpochParts out;
  for (const auto& topic : topics)
    for (size_t i = 0; i < topic.partitions.size(); i++) {
      bool said = i < topic.assignment_epochs.size();
      out[topic.topic_id][topic.partitions[i]] = said ? topic.assignment_epochs[i] : epoch;
    }
  return out;
}

CurrentAssignment stored(const CurrentValue& value) {
  auto state = static_cast<MemberState>(value.state);
  bool known = state == MemberState::stable || state == MemberState::unrevoked ||
               state == MemberState::unreleased;
  return {.epoch = value.member_epoch,
          .previous = value.previous_member_epoch,
          .state = known ? state : MemberState::unknown,
          .assigned = stored(value.assigned_partitions, value.member_epoch),
          .pending = stored(value.partitions_pending_revocation, value.member_epoch)};
}

GroupEpoch stored(const wire::ConsumerGroupMetadataValue& v) { return {v.epoch, v.metadata_hash}; }
TargetEpoch stored(const wire::ConsumerGroupTargetAssignmentMetadataValue& v) {
  return {v.assignment_epoch, v.assignment_timestamp};
}
ResolvedRegex stored(const wire::ConsumerGroupRegularExpressionValue& v) {
  ResolvedRegex out{{v.topics.begin(), v.topics.end()}, v.version, v.timestamp};
  std::ranges::sort(out.topics);
  return out;
}

template <class Key>
Result<Key> decode_key(const RawRecord& raw, Arena& arena) {
  return decode_rest<Key>(raw.key, kVersion, arena, "the key of a consumer group's record");
}

template <class Value, class R>
Result<std::optional<Record>> with_value(const RawRecord& raw, Arena& arena, R record) {
  if (!raw.value) return std::optional<Record>(std::move(record));
  TRY(v,
      decode_rest<Value>(*raw.value, raw.version, arena, "the value of a consumer group's record"));
  record.value = stored(v);
  return std::optional<Record>(std::move(record));
}

Result<std::optional<Record>> decode_of_group(const RawRecord& raw, Arena& arena) {
  // The same key under three numbers: a group's name.
  TRY(key, decode_key<wire::ConsumerGroupMetadataKey>(raw, arena));
  std::string group(key.group_id);
  if (raw.sort == kOldTopics)
    return std::optional<Record>(OldTopicsRecord{std::move(group), raw.value.has_value()});
  if (raw.sort == kEpoch)
    return with_value<wire::ConsumerGroupMetadataValue>(raw, arena, GroupEpochRecord{group, {}});
  return with_value<wire::ConsumerGroupTargetAssignmentMetadataValue>(raw, arena,
                                                                      TargetEpochRecord{group, {}});
}

}  // namespace

RecordBytes encode_consumer_record(const Record& record) {
  RecordBytes out;
  std::visit(
      [&](const auto& one) {
        using R = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<R, OldTopicsRecord>) {
          wire::ConsumerGroupPartitionMetadataKey key{.group_id = one.group};
          out.key = with_prefix(kOldTopics, key, kVersion);
        } else if constexpr (!std::is_same_v<R, OffsetRecord> && !std::is_same_v<R, GroupRecord>) {
          out.key = encode_key(one);
          if (one.value) out.value = encode_value(*one.value);
        }
      },
      record);
  return out;
}

Result<std::optional<Record>> decode_consumer_record(const RawRecord& raw, Arena& arena) {
  bool of_group = raw.sort == kEpoch || raw.sort == kOldTopics || raw.sort == kTargetEpoch;
  if (of_group) return decode_of_group(raw, arena);
  bool of_member = raw.sort == kMember || raw.sort == kTargetMember || raw.sort == kCurrent ||
                   raw.sort == kRegex;
  if (!of_member) return std::optional<Record>();
  // All four have a group's name, and a member's or an expression.
  TRY(key, decode_key<wire::ConsumerGroupMemberMetadataKey>(raw, arena));
  std::string group(key.group_id), name(key.member_id);
  if (raw.sort == kMember)
    return with_value<MemberValue>(raw, arena, ConsumerMemberRecord{group, name, {}});
  if (raw.sort == kTargetMember)
    return with_value<TargetValue>(raw, arena, TargetMemberRecord{group, name, {}});
  if (raw.sort == kCurrent)
    return with_value<CurrentValue>(raw, arena, CurrentRecord{group, name, {}});
  return with_value<wire::ConsumerGroupRegularExpressionValue>(raw, arena,
                                                               RegexRecord{group, name, {}});
}

}  // namespace moldau::coordinator::group
