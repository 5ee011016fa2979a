// Planted bugs: deliberate mistakes that the simulator's checkers (`./dev sim bugs`) or unit tests
// must find.
// In a release build planted(...) is the constant false and its branch does not exist.
#pragma once
#include <cstdint>
#include <string_view>

namespace moldau {

enum class Bug : uint8_t {
  none,
  ack_before_sync,              // 1: produce answers before the group commit
  recovery_keeps_torn,          // 2: recovery keeps a batch whose CRC does not hold
  recovery_drops_whole,         // 3: recovery cuts the last whole batch as well
  index_past_end,               // 4: recovery leaves index entries behind the cut
  poll_misses_wakeup,           // 5: a long poll looks before it registers
  offset_twice,                 // 6: an append gives the next one its last offset
  failed_sync_believed,         // 7: after a failed fsync the next success counts for all
  sync_reads_end_late,          // 8: durable up to the end read after the sync, not before
  cleaner_mixes_keys,           // 9: the offset map takes two keys with like hashes for one
  cleaner_drops_unmapped,       // 10: a record whose key the map had no room for counts as old
  cleaner_tombstone_early,      // 11: a tombstone goes without waiting for delete.retention.ms
  cleaner_past_stable,          // 12: cleaning does not stop at the last stable offset
  cleaner_index_off,            // 13: the index of a cleaned segment has the old positions
  cleaner_swap_unsynced,        // 14: a cleaned segment is swapped in before it is synced
  cleaner_swap_keeps_both,      // 15: an interrupted swap leaves the old segments beside the new
  cleaner_drops_last_sequence,  // 16: the last batch of a producer goes like any other
  duplicate_accepted,           // 17: a producer's sequences are not looked at
  stable_past_open,             // 18: the last stable offset passes an open transaction
  restart_forgets_producers,    // 19: opening does not load the producers
  retention_takes_uncommitted,  // 20: retention does not look at the high watermark
  point_before_sync,            // 21: the recovery point is what was written, not what was synced
  point_at_border,              // 22: the recovery point may become the border of the next segment
  rename_unsynced,              // 23: the directory is not synced after the rename
  segment_name_unsynced,        // 24: nor after a new segment
  epochs_kept,                  // 25: what a full disk took back keeps its leader epoch
  epochs_file_believed,         // 26: recovery takes the epochs from their file only
  roll_loses_entry,             // 27: a full segment's time index lacks its last entry
  time_index_left,              // 28: only the offset index is written
  tail_past_limit,              // 29: a read of the tail shows what is not committed
  file_past_limit,              // 30: a read of the file does
  cold_read_unchecked,          // 56: bytes from the medium are served without a look at them
  failed_bytes_left,            // 31: what a full disk took of a failed append stays in the file
  segment_too_early,            // 32: a segment begins before the one in front of it is durable
  index_keeps_dropped,          // 33: the index keeps entries of what was taken back
  point_before_index,           // 34: the recovery point does not wait for index files
  cache_believed,               // 35: recovery believes pages that a failed sync has left
  marker_kept,                  // 36: the clean-shutdown marker outlives the start
  epochs_past_cut,              // 37: a cut leaves leader epochs behind its end
  cut_file_first,               // 38: and shortens its segment before the later ones are gone
  cut_to_border,                // 39: the recovery point of a cut may be the border of a segment
  points_before_starts,         // 40: recovery points are saved before log starts
  producer_snapshot_stale,      // 41: recovery does not replay what stands behind the snapshot
  snapshots_past_cut,           // 42: a cut leaves producer snapshots behind its end
  raft_vote_unpersisted,        // 43: a vote is answered before it is on stable storage
  raft_votes_twice,             // 44: a replica votes for two in one epoch
  raft_grants_stale,            // 45: a vote does not look at the candidate's log
  raft_counts_old_epoch,        // 46: a majority commits records of an old epoch by itself
  raft_counts_unsynced,         // 47: a leader counts its own log before the sync
  raft_asks_unsynced,           // 48: a follower asks on before it has synced
  raft_observer_counts,         // 49: an observer's copy counts for the high watermark
  raft_cuts_committed,          // 50: a follower cuts more than differs, committed records too
  raft_change_on_change,        // 51: a change of voters does not wait for the one before
  group_answers_early,          // 52: a coordinator's answers do not wait for their records
  group_commit_stale,           // 53: an offset is committed by a member of an older generation
  group_sync_stale,             // 54: so is an assignment
  group_static_twice,           // 55: a static member that comes back does not replace itself
  metadata_reply_early,         // 56: the controller answers before its records are committed
  metadata_publishes_tip,       // 57: an image is published before it is committed
  metadata_decides_on_image,    // 58: a decision looks at the image, not at the tip
  raft_state_unfinished,        // 59: the driver says that quorum-state is written before it is
  raft_cut_keeps_durable,       // 60: what was durable before a cut counts for what comes after it
  raft_snapshot_unsynced,       // 61: a received snapshot gets its name before it is synced
  raft_snapshot_forgotten,      // 62: opening does not look for one that the log is behind
  consumer_takes_unreleased,    // 63: a consumer gets a partition that another has not given up
  consumer_skips_revocation,    // 64: nor does it have to give up what others are to get
  consumer_epoch_unchecked,     // 65: a consumer may speak in any epoch
  consumer_commit_stale,        // 66: and commit in any
  consumer_static_twice,        // 67: an instance may be there twice
  count_,
};
// Those that unit tests plant and find (`./dev test Planted`); the others are for the simulator.
constexpr bool found_by_unit_tests(Bug bug) {
  return (bug >= Bug::cleaner_mixes_keys && bug <= Bug::retention_takes_uncommitted) ||
         (bug >= Bug::raft_vote_unpersisted && bug <= Bug::consumer_static_twice);
}
// The name used on the command line: "ack_before_sync".
std::string_view bug_name(Bug bug);

#ifdef MOLDAU_PLANTED_BUGS
void plant(Bug bug);  // one at a time, for the whole process; Bug::none removes it
bool planted(Bug bug);
#else
constexpr bool planted(Bug) { return false; }
#endif

}  // namespace moldau
