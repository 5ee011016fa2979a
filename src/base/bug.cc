#include "base/bug.h"

#include <iterator>

namespace moldau {

namespace {
// By the enumeration.
constexpr std::string_view kNames[] = {
    "none",
    "ack_before_sync",
    "recovery_keeps_torn",
    "recovery_drops_whole",
    "index_past_end",
    "poll_misses_wakeup",
    "offset_twice",
    "failed_sync_believed",
    "sync_reads_end_late",
    "cleaner_mixes_keys",
    "cleaner_drops_unmapped",
    "cleaner_tombstone_early",
    "cleaner_past_stable",
    "cleaner_index_off",
    "cleaner_swap_unsynced",
    "cleaner_swap_keeps_both",
    "cleaner_drops_last_sequence",
    "duplicate_accepted",
    "stable_past_open",
    "restart_forgets_producers",
    "retention_takes_uncommitted",
    "point_before_sync",
    "point_at_border",
    "rename_unsynced",
    "segment_name_unsynced",
    "epochs_kept",
    "epochs_file_believed",
    "roll_loses_entry",
    "time_index_left",
    "tail_past_limit",
    "file_past_limit",
    "cold_read_unchecked",
    "failed_bytes_left",
    "segment_too_early",
    "index_keeps_dropped",
    "point_before_index",
    "cache_believed",
    "marker_kept",
    "epochs_past_cut",
    "cut_file_first",
    "cut_to_border",
    "points_before_starts",
    "producer_snapshot_stale",
    "snapshots_past_cut",
    "raft_vote_unpersisted",
    "raft_votes_twice",
    "raft_grants_stale",
    "raft_counts_old_epoch",
    "raft_counts_unsynced",
    "raft_asks_unsynced",
    "raft_observer_counts",
    "raft_cuts_committed",
    "raft_change_on_change",
    "group_answers_early",
    "group_commit_stale",
    "group_sync_stale",
    "group_static_twice",
    "metadata_reply_early",
    "metadata_publishes_tip",
    "metadata_decides_on_image",
    "raft_state_unfinished",
    "raft_cut_keeps_durable",
    "raft_snapshot_unsynced",
    "raft_snapshot_forgotten",
    "consumer_takes_unreleased",
    "consumer_skips_revocation",
    "consumer_epoch_unchecked",
    "consumer_commit_stale",
    "consumer_static_twice",
};
static_assert(std::size(kNames) == static_cast<size_t>(Bug::count_));
}  // namespace

std::string_view bug_name(Bug bug) {
  auto index = static_cast<size_t>(bug);
  return index < std::size(kNames) ? kNames[index] : "?";
}

#ifdef MOLDAU_PLANTED_BUGS
namespace {
Bug g_planted = Bug::none;
}
void plant(Bug bug) { g_planted = bug; }
bool planted(Bug bug) { return g_planted == bug; }
#endif

}  // namespace moldau
