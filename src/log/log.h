// One partition's log: a directory of segments on disk and its tail in memory. The driver around
// LogCore: it carries out writes, syncs and reads. Any loop may use it, each with its own Env;
// nothing here blocks a loop.
#pragma once
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/env.h"
#include "host/monitor.h"
#include "host/task.h"
#include "host/wait_set.h"
#include "log/log_core.h"
#include "log/log_dir.h"
#include "log/recovery.h"

namespace moldau::log {

// The owner's ear. Called outside the monitor on whichever loop made it happen; must not suspend.
// Calls from different loops may overtake each other: take the largest offset.
class LogListener {
 public:
  virtual ~LogListener() = default;
  virtual void on_committed(Offset committed) = 0;  // exclusive
  // Appends were taken back, or the directory went offline: ask state() or failed().
  virtual void on_failed() = 0;
  // For the checkpoint file. Nothing: what is committed here is.
  virtual std::optional<Offset> high_watermark() const { return std::nullopt; }
};

enum class AppendState : uint8_t { pending, committed, failed };

// A piece of what was read: bytes of the tail, or a range of a file. The file stays readable while
// this is held, also when its segment has been removed meanwhile.
struct ReadPiece {
  SharedBytes bytes;  // if file is empty
  FileRef file;
  int64_t position = 0;
  size_t length = 0;  // of either
};
struct ReadResult {
  std::vector<ReadPiece> pieces;  // one after the other: batches, the last one maybe cut short
  size_t bytes = 0;
  Offset base;      // of the first batch, at or before what was asked for; if bytes > 0
  Offset upper;     // no record in it reaches this offset; if bytes > 0
  Offsets offsets;  // of the log, when it was read
};

// All pieces behind each other, in memory. The read outlives it. Errors: the disk's.
host::Task<Result<std::vector<uint8_t>>> gather(const ReadResult& read);

class Log final : private LogMember {
 public:
  // directory: "topic-0", made if missing. Recovers unless the data directory was stopped in order.
  // Errors: offline, corrupt (recovery.h), and what the disk returns. References
  // outlive the log.
  static host::Task<Result<std::unique_ptr<Log>>> open(host::Env& env, LogDir& dir,
                                                       std::string directory, LogConfig config);
  Log(LogDir& dir, std::string directory, const LogConfig& config, Recovered recovered);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() override;

  // Before the first append.
  void set_listener(LogListener* listener) { listener_ = listener; }

  // At once and in memory: gives offsets and the epoch to the batches in place and shares the block
  // as the tail. The batches are whole, validated, lie in block, and nobody writes to them from
  // here on. Then call write_out. Of an idempotent producer's batch that is here already: where it
  // is. Errors: as LogCore::append.
  Result<Appended> append(BlockRef block, MutableBytes batches, LeaderEpoch epoch, WallTime now,
                          Origin origin = Origin::client);
  // The same as a follower: offsets and epochs stay. Errors: as LogCore::append_verbatim.
  Result<Appended> append_verbatim(BlockRef block, MutableBytes batches, WallTime now);
  // Writes what is not written, unless another task is at it: then that one does. Never fails: see
  // state().
  host::Task<void> write_out(host::Env& env);

  Offsets offsets() const;
  std::optional<EpochEnd> epoch_end(LeaderEpoch epoch) const;
  AppendState state(const Appended& appended) const;
  // It was taken back (the disk was full; the end offset went back), or the directory is offline.
  bool failed(uint64_t ticket) const;
  bool offline() const;
  // Of batches that are only in memory.
  size_t unwritten_bytes() const;
  // Of all segments, as they were appended; index files do not count.
  int64_t size_bytes() const;

  // Starts with the batch that holds request.from. Whole batches from the tail; a range of one file
  // may end inside a batch. Nothing at or above request.limit. Empty: nothing is there, or the
  // first batch is larger than max_bytes and at_least_one is false. Errors: out_of_range (outside
  // [start, end]), offline, corrupt, io.
  host::Task<Result<ReadResult>> read(host::Env& env, ReadRequest request);

  // What lies below is decided: of the transactions that reach up to the high watermark, none is
  // open.
  Offset last_stable(Offset high_watermark);
  // The aborted transactions that a reader of [from, upper) has to know; more than those, if it is
  // simpler. Errors: as read.
  host::Task<Result<AbortedList>> aborted(host::Env& env, Offset from, Offset upper);
  void expire_producers(WallTime now);
  // What is known of producers now, by id; and as a snapshot file has it.
  std::vector<ProducerEntry> producers() const;
  std::vector<uint8_t> producer_snapshot() const;

  // The first record with a timestamp >= t, and of what is written the record with the largest one.
  host::Task<Result<std::optional<TimestampOffset>>> find_timestamp(host::Env& env, WallTime t);
  host::Task<Result<std::optional<TimestampOffset>>> max_timestamp(host::Env& env);

  // Cuts the log at the end: the first batch that reaches `to`, and all behind it, go. For
  // followers: nobody appends meanwhile, and whoever still waits for an append is told that it
  // failed. Returns the new end, which lies before `to` if a batch held it. An error leaves the
  // directory offline.
  host::Task<Result<Offset>> truncate(host::Env& env, Offset to);
  // Drops all of it, and goes on at an offset. As truncate.
  host::Task<Result<Offset>> restart_at(host::Env& env, Offset at);

  // What lies below `to` is not to be seen any more, also after a crash. Returns where the log
  // begins. Errors: out_of_range (above the high watermark), and the disk's.
  host::Task<Result<Offset>> delete_records(host::Env& env, Offset to);
  // The first half of it, for several logs of a data directory: in memory. Nobody may be told
  // before the directory has saved its points.
  Result<void> raise_start(Offset to);
  // Retention, in steps, so that a data directory writes its checkpoint once for all its logs:
  // raises the start (true: it moved); removes segments below it, by renaming (but not while the
  // log is being cleaned), quicker if it is in the checkpoint file; deletes what was renamed and is
  // due. Also forgets producers that were silent. An error of remove_old takes the directory
  // offline: what is left there only the next start finds.
  host::Task<Result<bool>> retain(host::Env& env);
  host::Task<Result<void>> remove_old(host::Env& env, Instant delete_at);
  host::Task<Result<void>> delete_doomed(host::Env& env, Instant now);

  // In order: everything written, synced, all indexes and epochs on disk. No append, read or
  // write_out is under way or follows.
  host::Task<Result<void>> close(host::Env& env);
  // Closes it and deletes the directory. The name is free for a new log when it returns.
  host::Task<Result<void>> remove(host::Env& env);

  // Cleaning (log_clean.cc); used by the cleaner's runs (clean_run.h). False: it is paused, or
  // another one is at it.
  bool begin_cleaning();
  void end_cleaning();
  // To be looked at often: somebody waits for the end of the cleaning, or the log is offline.
  bool must_stop_cleaning() const;
  // Ends the cleaning that is under way, if any, and lets none begin until as many resumes: for who
  // truncates or removes segments.
  host::Task<void> pause_cleaning(host::Env& env);
  void resume_cleaning();
  // The log was cut at `end`: what comes there now was never cleaned. While it is paused.
  host::Task<Result<void>> forget_cleaned(host::Env& env, Offset end);
  // What may be cleaned, as far as it is known without a look at the disk: sealed segments below
  // the last stable offset. And the rest: first and largest timestamps, sizes of the index files.
  // Errors: as read.
  CleanView clean_view();
  host::Task<Result<void>> add_timestamps(host::Env& env, CleanView& view);
  host::Task<Result<void>> add_index_sizes(host::Env& env, CleanView& view);
  // Of the producers that are still known.
  LastRecords last_records() const;
  host::Task<Result<FileRef>> sealed_file(host::Env& env, Offset segment);
  // Puts the cleaned segment, whose files stand in the directory as <base>.*.cleaned and are
  // synced, in the place of those up to `end`; the names that are to be removed later are added to
  // `doomed`. False: they are not there any more. An error takes the directory offline.
  host::Task<Result<bool>> swap_in(host::Env& env, CleanedSegment cleaned, Offset end,
                                   std::vector<std::string>& doomed);
  // As it is now; another one takes effect at once. What is there already stays as it is.
  LogConfig config() const;
  void reconfigure(const LogConfig& config);
  const std::string& path() const { return path_; }
  LogDir& data_directory() const { return dir_; }

  const std::string& directory() const { return directory_; }
  // What opening it found.
  int segments_read() const { return segments_read_; }
  int64_t bytes_cut() const { return bytes_cut_; }
  const std::string& cut_because() const { return cut_because_; }
  const std::vector<std::string>& mended() const { return mended_; }
  // What reads found damaged since the last call: the newest, where and how. They were refused.
  std::optional<std::string> take_damage();

 private:
  host::Task<void> sync_round(host::Env& env) override;
  void go_offline(const Error& error) override;
  LogPoints points() const override;

  Offset high_watermark() const;
  void apply(const Effects& effects);
  host::Task<Result<void>> carry_out(host::Env& env, WriteStep& step);
  host::Task<Result<void>> create_segment(host::Env& env, WriteStep& step);
  host::Task<Result<void>> write_segment(host::Env& env, WriteStep& step);
  host::Task<Result<FileRef>> open_file(host::Env& env, Offset segment);
  host::Task<Result<void>> load_index(host::Env& env, Offset segment);
  host::Task<Result<void>> renew_index(host::Env& env, Offset segment, uint64_t generation);
  host::Task<void> take_files(host::Env& env);
  void give_files();
  host::Task<Result<void>> sync_once(host::Env& env, bool all);
  host::Task<Result<void>> sync_files(host::Env& env, const SyncStep& step);
  host::Task<Result<void>> save_derived(host::Env& env);
  host::Task<Result<bool>> save_next(host::Env& env);
  host::Task<Result<void>> settle(host::Env& env);
  host::Task<void> idle(host::Env& env);
  struct CutPlace {
    Offset segment;
    int64_t position = 0;
    Offset end;
  };
  struct Doomed {
    Instant at;
    std::string path;
  };
  host::Task<Result<void>> begin_cut(host::Env& env);
  host::Task<Result<void>> remove_old_uncleaned(host::Env& env, Instant delete_at);
  host::Task<Result<void>> doom_segment(host::Env& env, Offset base, Instant delete_at);
  host::Task<Result<Offset>> truncate_paused(host::Env& env, Offset to);
  host::Task<Result<CutPlace>> find_cut(host::Env& env, Offset to);
  host::Task<Result<Segment>> cut_segment(host::Env& env, CutPlace place);
  host::Task<Result<AbortedList>> load_or_copy_aborted(host::Env& env, const Segment& segment);
  host::Task<Result<void>> remove_behind(host::Env& env, Offset end, std::optional<Offset> keep);
  host::Task<Result<LogCore::Cut>> cut(host::Env& env, Offset to);
  host::Task<Result<LogCore::Cut>> cut_files(host::Env& env, CutPlace place, Segment last);
  host::Task<Result<LogCore::Cut>> cut_all_files(host::Env& env, Offset at);
  host::Task<Result<LogCore::Cut>> cut_all(host::Env& env, Offset at);
  host::Task<Result<Offset>> finish_cut(host::Env& env, Result<LogCore::Cut> cut);
  uint64_t cuts() const;
  host::Task<bool> cut_since(host::Env& env, uint64_t cuts);
  template <class Once>
  auto past_cuts(host::Env& env, Once once) -> decltype(once());
  host::Task<Result<ReadResult>> read_once(host::Env& env, ReadRequest request);
  host::Task<Result<std::optional<TimestampOffset>>> find_once(host::Env& env, WallTime t);
  host::Task<Result<std::optional<TimestampOffset>>> largest_once(host::Env& env);
  host::Task<Result<AbortedList>> aborted_once(host::Env& env, Offset from, Offset upper);
  host::Task<Result<bool>> retain_once(host::Env& env);
  host::Task<Result<bool>> prepare(host::Env& env, ReadPlan& plan);
  host::Task<Result<std::optional<BatchInfo>>> find_batch(const ReadPlan& plan, Offset from);
  host::Task<Result<ReadPiece>> piece_from(const ReadPlan& plan, const BatchInfo& first,
                                           size_t room);
  host::Task<Result<void>> verify(const ReadPlan& plan, Offset first, const ReadPiece& piece);
  host::Task<Result<std::optional<Offset>>> batch_since(host::Env& env, Offset start, WallTime t);
  host::Task<Result<std::optional<TimestampOffset>>> record_since(host::Env& env, Offset in_batch,
                                                                  Offset from, WallTime t);
  host::Task<Result<SharedBytes>> batch_at(host::Env& env, Offset offset);

  LogDir& dir_;
  const std::string directory_;
  const std::string path_;
  LogListener* listener_ = nullptr;
  host::Monitor<LogCore> core_;
  bool closed_ = false;        // or removed: the directory has been told
  host::Signal idle_;          // the writer role, a sync, the files or a cleaning was given back
  std::deque<Doomed> doomed_;  // renamed files; only the directory's task touches them
  const int segments_read_;
  const int64_t bytes_cut_;
  const std::string cut_because_;
  const std::vector<std::string> mended_;
  const std::optional<uint64_t> index_on_disk_;
  Offset end_on_disk_;  // the end that the last segment's derived files are of; -1: none
};

// What reads files may fail because a truncation took them away: then it is done again behind that.
template <class Once>
auto Log::past_cuts(host::Env& env, Once once) -> decltype(once()) {
  for (;;) {
    uint64_t before = cuts();
    auto result = co_await once();
    if (result) co_return result;
    bool again = co_await cut_since(env, before);
    if (!again) co_return result;
  }
}

}  // namespace moldau::log
