#include "base/bug.h"

namespace moldau {

std::string_view bug_name(Bug bug) {
  switch (bug) {
    case Bug::none:
      return "none";
    case Bug::ack_before_sync:
      return "ack_before_sync";
    case Bug::recovery_keeps_torn:
      return "recovery_keeps_torn";
    case Bug::recovery_drops_whole:
      return "recovery_drops_whole";
    case Bug::index_past_end:
      return "index_past_end";
    case Bug::poll_misses_wakeup:
      return "poll_misses_wakeup";
    case Bug::offset_twice:
      return "offset_twice";
    case Bug::failed_sync_believed:
      return "failed_sync_believed";
    case Bug::sync_reads_end_late:
      return "sync_reads_end_late";
    case Bug::cleaner_mixes_keys:
      return "cleaner_mixes_keys";
    case Bug::cleaner_drops_unmapped:
      return "cleaner_drops_unmapped";
    case Bug::cleaner_tombstone_early:
      return "cleaner_tombstone_early";
    case Bug::cleaner_past_stable:
      return "cleaner_past_stable";
    case Bug::cleaner_index_off:
      return "cleaner_index_off";
    case Bug::cleaner_swap_unsynced:
      return "cleaner_swap_unsynced";
    case Bug::cleaner_swap_keeps_both:
      return "cleaner_swap_keeps_both";
    case Bug::cleaner_drops_last_sequence:
      return "cleaner_drops_last_sequence";
    case Bug::duplicate_accepted:
      return "duplicate_accepted";
    case Bug::stable_past_open:
      return "stable_past_open";
    case Bug::snapshot_stale:
      return "snapshot_stale";
    case Bug::epochs_past_cut:
      return "epochs_past_cut";
    case Bug::aborted_past_cut:
      return "aborted_past_cut";
    case Bug::index_past_cut:
      return "index_past_cut";
    case Bug::restart_forgets_producers:
      return "restart_forgets_producers";
    case Bug::retention_takes_uncommitted:
      return "retention_takes_uncommitted";
    case Bug::cut_before_later:
      return "cut_before_later";
    case Bug::point_before_sync:
      return "point_before_sync";
    case Bug::point_at_border:
      return "point_at_border";
    case Bug::rename_unsynced:
      return "rename_unsynced";
    case Bug::segment_name_unsynced:
      return "segment_name_unsynced";
    case Bug::epochs_kept:
      return "epochs_kept";
    case Bug::epochs_file_believed:
      return "epochs_file_believed";
    case Bug::roll_loses_entry:
      return "roll_loses_entry";
    case Bug::time_index_left:
      return "time_index_left";
    case Bug::tail_past_limit:
      return "tail_past_limit";
    case Bug::file_past_limit:
      return "file_past_limit";
    case Bug::failed_bytes_left:
      return "failed_bytes_left";
    case Bug::segment_too_early:
      return "segment_too_early";
    case Bug::index_keeps_dropped:
      return "index_keeps_dropped";
    case Bug::point_before_index:
      return "point_before_index";
    case Bug::cache_believed:
      return "cache_believed";
    case Bug::marker_kept:
      return "marker_kept";
    case Bug::count_:
      break;
  }
  return "?";
}

#ifdef MOLDAU_PLANTED_BUGS
namespace {
Bug g_planted = Bug::none;
}
void plant(Bug bug) { g_planted = bug; }
bool planted(Bug bug) { return g_planted == bug; }
#endif

}  // namespace moldau
