#include "raft/control.h"

#include "base/arena.h"
#include "wire/message.h"
#include "wire/messages/k_raft_version_record.h"
#include "wire/messages/leader_change_message.h"
#include "wire/messages/snapshot_footer_record.h"
#include "wire/messages/snapshot_header_record.h"
#include "wire/messages/voters_record.h"
#include "wire/record_batch_builder.h"

namespace moldau::raft {
namespace {

enum class ControlType : int16_t {
  leader_change = 2,
  snapshot_header = 3,
  snapshot_footer = 4,
  kraft_version = 5,
  voters = 6
};

class ControlBatch {
 public:
  ControlBatch(LeaderEpoch epoch, Offset base, WallTime now)
      : now_(now), builder_({.base_offset = base, .leader_epoch = epoch, .control = true}) {}
  template <class M>
  void add(ControlType type, const M& message, int16_t version) {
    std::array<uint8_t, 4> key{};
    store_be(key.data() + 2, static_cast<int16_t>(type));  // behind version 0
    Chain value;
    wire::encode(message, version, value);
    std::vector<uint8_t> bytes = value.flatten();
    builder_.add(now_.millis, Bytes(key), Bytes(bytes));
  }
  std::vector<uint8_t> finish() { return builder_.finish(); }

 private:
  WallTime now_;
  wire::RecordBatchBuilder builder_;
};

void add_voters(ControlBatch& batch, const VoterSet& voters) {
  Arena arena;
  wire::VotersRecord record;
  auto out = arena.array<wire::VotersRecord::Voter>(voters.size());
  for (size_t i = 0; i < out.size(); i++) {
    const Voter& voter = voters.voters()[i];
    auto endpoints = arena.array<wire::VotersRecord::Endpoint>(voter.endpoints.size());
    for (size_t k = 0; k < endpoints.size(); k++) {
      const Endpoint& endpoint = voter.endpoints[k];
      endpoints[k].name = endpoint.name;
      endpoints[k].host = endpoint.host;
      endpoints[k].port = endpoint.port;
    }
    out[i].voter_id = voter.key.id.value;
    out[i].voter_directory_id = voter.key.directory;
    out[i].endpoints = endpoints;
    out[i].k_raft_version_feature.min_supported_version = voter.min_kraft_version;
    out[i].k_raft_version_feature.max_supported_version = voter.max_kraft_version;
  }
  record.voters = out;
  batch.add(ControlType::voters, record, 0);
}

template <class Keys, class Key>
void fill_voters(Arena& arena, const Keys& from, const Key& key_of,
                 wire::Array<wire::LeaderChangeMessage::Voter>& to) {
  auto out = arena.array<wire::LeaderChangeMessage::Voter>(from.size());
  for (size_t i = 0; i < out.size(); i++) {
    out[i].voter_id = key_of(from[i]).id.value;
    out[i].voter_directory_id = key_of(from[i]).directory;
  }
  to = out;
}

Result<VoterSet> read_voters(Bytes value) {
  Arena arena;
  TRY(record, wire::decode<wire::VotersRecord>(value, 0, arena));
  std::vector<Voter> voters;
  for (const auto& from : record.voters) {
    Voter voter;
    voter.key = {BrokerId(from.voter_id), from.voter_directory_id};
    voter.min_kraft_version = from.k_raft_version_feature.min_supported_version;
    voter.max_kraft_version = from.k_raft_version_feature.max_supported_version;
    for (const auto& e : from.endpoints)
      voter.endpoints.push_back({std::string(e.name), std::string(e.host), e.port});
    for (const Voter& other : voters)
      if (other.key.id == voter.key.id)
        return fail(Errc::corrupt, fmt::format("voter {} stands twice", other.key.id));
    voters.push_back(std::move(voter));
  }
  if (voters.empty()) return fail(Errc::corrupt, "no voter is left");
  return VoterSet(std::move(voters));
}

// Both records begin with their version.
Result<void> check_version(Bytes value) {
  if (value.size() < 2) return fail(Errc::corrupt, "the value is empty");
  int16_t version = load_be<int16_t>(value.data());
  if (version == 0) return {};
  return fail(Errc::unsupported,
              fmt::format("version {} of the record is not known, only 0", version));
}

Result<std::optional<ControlRecord>> read_record(Offset offset, const wire::Record& record) {
  if (!record.key || record.key->size() < 4) return fail(Errc::corrupt, "it has no key");
  auto type = static_cast<ControlType>(load_be<int16_t>(record.key->data() + 2));
  if (type != ControlType::kraft_version && type != ControlType::voters) return {std::nullopt};
  Bytes value = record.value.value_or(Bytes());
  TRY_(check_version(value));
  ControlRecord out{offset, {}, {}};
  if (type == ControlType::voters) {
    TRY(voters, read_voters(value));
    out.voters = std::move(voters);
  } else {
    Arena arena;
    TRY(level, wire::decode<wire::KRaftVersionRecord>(value, 0, arena));
    out.kraft_version = level.k_raft_version;
  }
  return {std::move(out)};
}

}  // namespace

std::vector<uint8_t> epoch_start_batch(const EpochStart& start, LeaderEpoch epoch, Offset base,
                                       WallTime now) {
  ControlBatch batch(epoch, base, now);
  Arena arena;
  wire::LeaderChangeMessage change;
  change.leader_id = start.leader.value;
  auto same = [](const ReplicaKey& key) { return key; };
  fill_voters(arena, start.voters.voters(), [](const Voter& v) { return v.key; }, change.voters);
  fill_voters(arena, start.granting, same, change.granting_voters);
  // Version 1 has directories. Apache Kafka 4.3.1 writes 0 always, and reads 1 as if it were 0.
  batch.add(ControlType::leader_change, change, 0);
  if (start.write_voters) {
    wire::KRaftVersionRecord level;
    level.k_raft_version = start.kraft_version;
    batch.add(ControlType::kraft_version, level, 0);
    add_voters(batch, start.voters);
  }
  return batch.finish();
}

std::vector<uint8_t> voters_batch(const VoterSet& voters, LeaderEpoch epoch, Offset base,
                                  WallTime now) {
  ControlBatch batch(epoch, base, now);
  add_voters(batch, voters);
  return batch.finish();
}

std::vector<uint8_t> snapshot_header_batch(const SnapshotStart& start, WallTime now) {
  ControlBatch batch(LeaderEpoch(0), Offset(0), now);
  wire::SnapshotHeaderRecord header;
  header.last_contained_log_timestamp = start.last_contained.millis;
  batch.add(ControlType::snapshot_header, header, 0);
  if (start.voters) {
    wire::KRaftVersionRecord level;
    level.k_raft_version = start.kraft_version;
    batch.add(ControlType::kraft_version, level, 0);
    add_voters(batch, *start.voters);
  }
  return batch.finish();
}

std::vector<uint8_t> snapshot_footer_batch(LeaderEpoch epoch, Offset base, WallTime now) {
  ControlBatch batch(epoch, base, now);
  batch.add(ControlType::snapshot_footer, wire::SnapshotFooterRecord(), 0);
  return batch.finish();
}

Result<std::vector<ControlRecord>> read_control_batch(const wire::BatchHeader& header,
                                                      Bytes batch) {
  std::vector<ControlRecord> out;
  if (header.codec() != wire::Codec::none)
    return fail(Errc::corrupt,
                fmt::format("the control batch at offset {} is compressed", header.base_offset));
  wire::RecordWalk walk(header, wire::RecordWalk::records_of(batch));
  while (walk.next()) {
    Result<std::optional<ControlRecord>> record = read_record(walk.offset(), walk.record());
    if (!record)
      return std::move(record.error())
          .in(fmt::format("control record at offset {} of the metadata log", walk.offset()));
    if (*record) out.push_back(std::move(**record));
  }
  TRY_(walk.finish());
  return out;
}

bool ends_snapshot(const wire::BatchHeader& header, Bytes batch) {
  if (!header.control() || header.codec() != wire::Codec::none) return false;
  wire::RecordWalk walk(header, wire::RecordWalk::records_of(batch));
  if (!walk.next()) return false;
  const auto& key = walk.record().key;
  return key && key->size() >= 4 &&
         static_cast<ControlType>(load_be<int16_t>(key->data() + 2)) ==
             ControlType::snapshot_footer;
}

}  // namespace moldau::raft
