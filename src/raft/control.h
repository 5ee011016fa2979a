// Control records of the metadata log: a leader's first record, the level of kraft.version, the
// voters. Kafka's formats. Pure.
#pragma once
#include "base/bytes.h"
#include "base/time.h"
#include "raft/voters.h"
#include "wire/record_batch.h"

namespace moldau::raft {

// What a leader writes first in its epoch.
struct EpochStart {
  BrokerId leader;
  VoterSet voters;
  std::vector<ReplicaKey> granting;  // who voted for it
  int16_t kraft_version = 0;
  // The voters and the level are written as well: so far only a bootstrap snapshot says them.
  bool write_voters = false;
};
std::vector<uint8_t> epoch_start_batch(const EpochStart& start, LeaderEpoch epoch, Offset base,
                                       WallTime now);
std::vector<uint8_t> voters_batch(const VoterSet& voters, LeaderEpoch epoch, Offset base,
                                  WallTime now);

// The first batch of a snapshot, and its last one. With voters: the level of kraft.version and the
// voters are in it.
struct SnapshotStart {
  WallTime last_contained;  // of the newest record that the snapshot stands for
  int16_t kraft_version = 0;
  std::optional<VoterSet> voters;
};
std::vector<uint8_t> snapshot_header_batch(const SnapshotStart& start, WallTime now);
std::vector<uint8_t> snapshot_footer_batch(LeaderEpoch epoch, Offset base, WallTime now);
// That last one: without it a snapshot is not whole.
bool ends_snapshot(const wire::BatchHeader& header, Bytes batch);

// The records of a control batch that say who may vote.
struct ControlRecord {
  Offset offset;
  std::optional<VoterSet> voters;
  std::optional<int16_t> kraft_version;
};
// batch: exactly one, its checksum good. Records of other kinds are left out. Errors: corrupt,
// unsupported (a version of a record that is newer).
Result<std::vector<ControlRecord>> read_control_batch(const wire::BatchHeader& header, Bytes batch);

}  // namespace moldau::raft
