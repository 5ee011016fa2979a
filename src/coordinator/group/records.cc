#include "coordinator/group/records.h"

#include "coordinator/group/consumer/records.h"
#include "coordinator/group/record_bytes.h"
#include "wire/messages/group_metadata_record.h"
#include "wire/messages/legacy_offset_commit_record.h"
#include "wire/messages/offset_commit_record.h"

namespace moldau::coordinator::group {

namespace {

// The first two bytes of a key: what sort of record it is.
constexpr int16_t kLegacyOffset = 0, kOffset = 1, kGroup = 2;
constexpr int16_t kKeyVersion = 0;
constexpr int16_t kOffsetWithExpiry = 1, kOffsetVersion = 4;
constexpr int16_t kGroupVersion = 3;

std::vector<uint8_t> encode_value(const StoredOffset& offset) {
  wire::OffsetCommitValue value{.offset = offset.offset,
                                .leader_epoch = offset.leader_epoch,
                                .metadata = offset.metadata,
                                .commit_timestamp = offset.commit_millis,
                                .expire_timestamp = offset.expire_millis.value_or(-1),
                                .topic_id = offset.topic_id};
  // Newer ones have no room for an expiry: there the retention is the broker's.
  int16_t version = offset.expire_millis ? kOffsetWithExpiry : kOffsetVersion;
  return with_prefix(version, value, version);
}

std::vector<uint8_t> encode_value(const StoredGroup& group) {
  std::vector<wire::GroupMetadataValue::MemberMetadata> members;
  members.reserve(group.members.size());
  for (const StoredMember& m : group.members)
    members.push_back({.member_id = m.id,
                       .group_instance_id = view(m.instance_id),
                       .client_id = m.client_id,
                       .client_host = m.client_host,
                       .rebalance_timeout = m.rebalance_millis,
                       .session_timeout = m.session_millis,
                       .subscription = as_bytes(m.subscription),
                       .assignment = as_bytes(m.assignment)});
  wire::GroupMetadataValue value{
      .protocol_type = group.protocol_type,
      .generation = group.generation,
      .protocol = view(group.protocol),
      .leader = view(group.leader),
      .current_state_timestamp = group.since_millis,
      .members = std::span<const wire::GroupMetadataValue::MemberMetadata>(members)};
  return with_prefix(kGroupVersion, value, kGroupVersion);
}

Result<std::optional<int16_t>> prefix_of(std::optional<Bytes> bytes) {
  if (!bytes) return std::optional<int16_t>();
  if (bytes->size() < 2) return fail(Errc::invalid, "a key or value of less than two bytes");
  return std::optional(load_be<int16_t>(bytes->data()));
}

StoredGroup stored(const wire::GroupMetadataValue& value) {
  StoredGroup group{.protocol_type = std::string(value.protocol_type),
                    .generation = value.generation,
                    .protocol = owned(value.protocol),
                    .leader = owned(value.leader),
                    .since_millis = value.current_state_timestamp,
                    .members = {}};
  for (const auto& m : value.members) {
    StoredMember& member = group.members.emplace_back();
    member.id = m.member_id;
    member.instance_id = owned(m.group_instance_id);
    member.client_id = m.client_id;
    member.client_host = m.client_host;
    // Before Kafka 0.10.1 there was one timeout for both.
    member.rebalance_millis = m.rebalance_timeout < 0 ? m.session_timeout : m.rebalance_timeout;
    member.session_millis = m.session_timeout;
    member.subscription = as_text(m.subscription);
    member.assignment = as_text(m.assignment);
  }
  return group;
}

Result<std::optional<Record>> decode_offset(Bytes key, std::optional<Bytes> value,
                                            std::optional<int16_t> version, Arena& arena) {
  TRY(where, decode_rest<wire::OffsetCommitKey>(key, kKeyVersion, arena, "an offset's key"));
  OffsetRecord record{std::string(where.group), std::string(where.topic), where.partition, {}};
  if (!value) return std::optional<Record>(std::move(record));
  TRY(v, decode_rest<wire::OffsetCommitValue>(*value, *version, arena, "an offset's value"));
  StoredOffset offset{.offset = v.offset,
                      .leader_epoch = v.leader_epoch,
                      .metadata = std::string(v.metadata),
                      .commit_millis = v.commit_timestamp,
                      .expire_millis = std::nullopt,
                      .topic_id = v.topic_id};
  if (v.expire_timestamp >= 0) offset.expire_millis = v.expire_timestamp;
  record.value = std::move(offset);
  return std::optional<Record>(std::move(record));
}

Result<std::optional<Record>> decode_group(Bytes key, std::optional<Bytes> value,
                                           std::optional<int16_t> version, Arena& arena) {
  TRY(name, decode_rest<wire::GroupMetadataKey>(key, kKeyVersion, arena, "a group's key"));
  GroupRecord record{std::string(name.group), {}};
  if (!value) return std::optional<Record>(std::move(record));
  TRY(v, decode_rest<wire::GroupMetadataValue>(*value, *version, arena, "a group's value"));
  record.value = stored(v);
  return std::optional<Record>(std::move(record));
}

}  // namespace

RecordBytes encode_record(const Record& record) {
  RecordBytes out;
  if (const auto* group = std::get_if<GroupRecord>(&record)) {
    out.key = with_prefix(kGroup, wire::GroupMetadataKey{.group = group->group}, kKeyVersion);
    if (group->value) out.value = encode_value(*group->value);
    return out;
  }
  const auto* of_offset = std::get_if<OffsetRecord>(&record);
  if (!of_offset) return encode_consumer_record(record);
  const OffsetRecord& offset = *of_offset;
  wire::OffsetCommitKey key{
      .group = offset.group, .topic = offset.topic, .partition = offset.partition};
  out.key = with_prefix(kOffset, key, kKeyVersion);
  if (offset.value) out.value = encode_value(*offset.value);
  return out;
}

Result<std::optional<Record>> decode_record(Bytes key, std::optional<Bytes> value) {
  TRY(sort, prefix_of(key));
  TRY(version, prefix_of(value));
  Arena arena;
  switch (sort.value_or(-1)) {
    case kLegacyOffset:  // the same fields, and the same values, under another number
    case kOffset:
      return decode_offset(key, value, version, arena);
    case kGroup:
      return decode_group(key, value, version, arena);
    default:
      return decode_consumer_record({sort.value_or(-1), version.value_or(-1), key, value}, arena);
  }
}

}  // namespace moldau::coordinator::group
