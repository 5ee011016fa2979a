// The decisions of one partition's log, without any I/O: which offset an append gets and where it
// goes, what is to be written next, what a sync makes durable, where a read finds its bytes, what a
// failure takes back. Sits in a host::Monitor inside Log (log/log.h), which carries out what it
// says.
//
// Offsets in order: start <= durable <= written <= end. Bytes in [written, end) are only in the
// tail; the tail also keeps the newest written ones within a budget, so that consumers at the end
// never touch the disk.
#pragma once
#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/shared_bytes.h"
#include "log/clean_choice.h"
#include "log/epochs.h"
#include "log/producer_state.h"
#include "log/retention.h"
#include "log/segment.h"
#include "log/transaction_index.h"

namespace moldau::host {
class File;
}
namespace moldau::wire {
struct BatchHeader;
}

namespace moldau::log {

// ack: an append counts as committed when it is on stable storage. async: when the system has it
// (Kafka's way).
enum class Flush : uint8_t { ack, async };

struct LogConfig {
  int64_t segment_bytes = int64_t{1} << 30;  // log.segment.bytes
  int64_t segment_millis =
      int64_t{7} * 24 * 3600 * 1000;       // log.roll.ms: age, by the batches' timestamps
  int32_t index_interval_bytes = 4096;     // log.index.interval.bytes
  int32_t segment_index_bytes = 10 << 20;  // log.index.size.max.bytes
  Flush flush = Flush::ack;
  size_t tail_bytes = size_t{1} << 20;  // of written batches kept in memory
  int64_t roll_jitter_millis = 0;       // log.roll.jitter.ms
  uint64_t jitter_seed = 0;             // drawn when the log is opened
  RetentionRules retention;
  CleanPolicy clean;
  int64_t producer_expiration_millis =
      ProducerState::kDefaultExpiration;  // producer.id.expiration.ms
  Duration delete_delay = seconds(60);    // log.segment.delete.delay.ms
};

struct Offsets {
  Offset start;
  Offset end;        // the next append gets it
  Offset written;    // survives the death of the process
  Offset durable;    // survives a power loss
  Offset committed;  // durable (ack) or written (async)
};

struct Appended {
  Offset base;
  Offset last;
  Offset log_start;
  uint64_t ticket = 0;  // for Log::failed
  // The batch was in the log already, there: nothing was appended.
  bool duplicate = false;
  int64_t timestamp = -1;  // of a duplicate: the largest of its records
};

using FileRef = std::shared_ptr<host::File>;
using IndexRef = std::shared_ptr<const SegmentIndex>;
using SnapshotRef = std::shared_ptr<const std::vector<uint8_t>>;

// A segment as the core knows it.
struct Segment {
  Offset base;
  int64_t size = 0;     // bytes appended
  int64_t written = 0;  // bytes of them in the file
  WallTime created;
  std::optional<int64_t> first_timestamp;  // largest timestamp of the first batch
  SegmentIndex index{Offset(0)};           // growing; of the last segment only
  IndexRef sealed_index;                   // of a sealed segment, while it is in memory
  AbortedList aborted;                     // growing; of the last segment only
  AbortedRef sealed_aborted;               // of a sealed segment, while it is in memory
  SnapshotRef snapshot;  // of a sealed segment, until it is saved: the producers at its end
  std::optional<TimestampOffset> largest;  // of a sealed segment, if largest_known
  bool largest_known = false;
  FileRef file;               // while it is open
  bool exists = false;        // its file has been made
  bool name_durable = false;  // and the directory synced since
  bool sealed = false;
  bool index_saved = false;  // sealed, and what is derived from it is on stable storage
  uint64_t generation = 0;   // rises when the cleaner replaces its file
  bool renaming = false;     // its file does not have its name yet: it stays open until then
  uint64_t last_use = 0;     // for forgetting what is open or in memory
};

// What stands in memory of a piece of the log: the bytes of one append.
struct Run {
  SharedBytes bytes;
  Offset base;
  Offset last;
  Offset segment;        // base of the segment it belongs to
  int64_t position = 0;  // in that segment
  uint64_t ticket = 0;
  SegmentIndex::Mark before;  // of the segment's index
  size_t aborted_before = 0;  // of the segment's aborted transactions
};

// The files of a sealed segment that recovery would have to make again.
struct DerivedStep {
  IndexRef index;
  AbortedRef aborted;
  SnapshotRef snapshot;  // empty: none
  Offset next;           // where the next segment begins
};
// Aborted transactions that concern a range; or first a segment's list is to be loaded.
struct AbortedPlan {
  AbortedList list;
  std::optional<Offset> load;
};

// What the driver has to do after a step, outside the monitor and in this order.
struct Effects {
  std::optional<Offset> committed;  // moved to: tell the owner
  bool sync_wanted = false;         // put the log on the flusher's list
  bool write_wanted = false;        // writes were waiting for the sync that has ended
  bool dropped = false;             // appends were taken back: tell the owner
  std::optional<Error> offline;     // take the directory offline
};

struct WriteStep {
  enum class Kind : uint8_t { none, create, write } kind = Kind::none;
  static constexpr size_t kMaxParts = 64;
  std::array<Bytes, kMaxParts> parts;
  size_t count = 0;
  Offset segment;  // the file to create or to write to
  int64_t position = 0;
  int64_t bytes = 0;
  FileRef file;  // write: empty if it is to be opened
};

struct SyncStep {
  struct Item {
    Offset segment;
    FileRef file;  // empty: to be opened
  };
  std::vector<Item> files;
  bool directory = false;  // names of new segments are to be synced as well
  Offset through;          // durable once all of it has succeeded
};

struct ReadPlan {
  enum class Kind : uint8_t { done, file } kind = Kind::done;
  std::vector<SharedBytes> tail;  // done: all there is to give
  Offset base;                    // done: of the first batch
  Offset upper;                   // done: no record in it reaches this offset
  // file: walk from `search` to the batch; what is shown lies before `end` of this segment's file.
  Offset segment;
  uint64_t generation = 0;  // of the segment: with another one the plan is worth nothing
  FileRef file;             // empty: to be opened, then told by file_opened
  int64_t search =
      -1;  // -1: the index is to be loaded, told by index_loaded, and the plan made again
  int64_t end = 0;
  std::optional<Offset> limit;         // set: batches that reach it are not to be shown
  std::optional<Offset> next_segment;  // where to go on if the batch is not in this one
};
struct ReadRequest {
  Offset from;
  size_t max_bytes = 0;
  Offset limit;  // exclusive
  bool at_least_one = true;
  bool below_start = false;  // also what was deleted, while it is there
};
// What the cleaner made of some sealed segments. Complete and synced, under another name so far.
struct CleanedSegment {
  Offset base;
  int64_t size = 0;
  FileRef file;
  IndexRef index;
  AbortedRef aborted;
  std::optional<int64_t> first_timestamp;
};
struct EpochStep {
  std::string text;  // of the file
  uint64_t version = 0;
};

class LogCore {
 public:
  // What recovery found. segments is not empty; the last one is not sealed. All of it is durable.
  struct Opened {
    std::vector<Segment> segments;
    Offset start;
    Offset end;
    Epochs epochs;
    bool epochs_saved = true;
    ProducerState producers;
  };
  LogCore(const LogConfig& config, Opened opened);
  const LogConfig& config() const { return config_; }
  // From here on; the jitter stays as it was drawn.
  void reconfigure(const LogConfig& config);

  // The batches in `batches` (whole, valid, at least one; inside block) get their offsets and the
  // epoch in place. A client's batch that is here already is not appended again: the answer says
  // where it is. Errors: offline; too_large (more than a segment holds); busy (being truncated);
  // those of ProducerState::check.
  Result<Appended> append(BlockRef block, MutableBytes batches, LeaderEpoch epoch, WallTime now,
                          Origin origin = Origin::client);
  // As a follower: the batches keep their offsets, which rise from the end of the log on, and their
  // epochs. All of them or none. Errors: offline, busy, too_large; invalid (offsets or epochs go
  // back); corrupt (not whole, or a checksum does not hold).
  Result<Appended> append_verbatim(BlockRef block, MutableBytes batches, WallTime now);

  // Writing. One task at a time has the writer role; next_write gives it if it is free and takes it
  // back when there is nothing to do now. After each step that is not `none` the driver says how it
  // went.
  void next_write(WriteStep& step, bool& have_role);
  void created(const WriteStep& step, const FileRef& file);
  Effects written(const WriteStep& step);
  // no_space, exhausted: what is not written is taken back. Anything else is the end of the
  // directory. In both cases the role is given back.
  Effects write_failed(const Error& error);

  // Syncing. One sync at a time: of two on one file the kernel tells only one about an error.
  // Nothing: all is durable, or a sync is under way. all: also what an async log leaves to the
  // system.
  std::optional<SyncStep> begin_sync(bool all);
  Effects end_sync(const SyncStep& step);
  Effects sync_failed(const Error& error);
  void fail(const Error& error);

  // Reading. Errors: out_of_range, offline.
  Result<ReadPlan> plan_read(const ReadRequest& request);
  // Where the first batch with a timestamp >= t may be, looking at segments that end behind `from`:
  // a plan of kind file, or done if there is none.
  Result<ReadPlan> plan_time(WallTime t, Offset from);
  // The largest timestamp of the log, in `found`; or the plan of a segment whose index is to be
  // loaded first.
  Result<ReadPlan> plan_largest(std::optional<TimestampOffset>& found);
  // generation: of the segment before its file was opened. Late news is ignored.
  void file_opened(Offset segment, uint64_t generation, const FileRef& file);
  void index_loaded(Offset segment, uint64_t generation, const IndexRef& index);
  // Transactions that were aborted and have records in [from, upper).
  AbortedPlan plan_aborted(Offset from, Offset upper) const;
  void aborted_loaded(Offset segment, uint64_t generation, const AbortedRef& list);
  // No batch of the segment that begins before `position` reaches this offset.
  Offset upper_bound_of(Offset segment, int64_t position) const;

  // The oldest sealed and durable segment whose files are still to be written.
  std::optional<DerivedStep> unsaved_derived();
  void derived_saved(Offset segment);
  // The same of the last segment, as it is now: for a clean close.
  DerivedStep final_derived() const;
  // The leader epochs, if their file is older.
  std::optional<EpochStep> unsaved_epochs() const;
  void epochs_saved(uint64_t version);

  // Cleaning (log_core_clean.cc). The segments that may be cleaned; the sizes of index files are
  // left to the caller.
  CleanView clean_view(Offset high_watermark);
  void first_timestamp_found(Offset segment, int64_t timestamp);
  // Of that segment's file; nothing if there is no such segment.
  std::optional<uint64_t> generation(Offset segment) const;
  // The segments from `cleaned` on up to `end` become that one. Its files do not have their names
  // before renamed() says so. False: they are not all there any more, and nothing happened.
  bool replace_segments(const CleanedSegment& cleaned, Offset end);
  void renamed(Offset segment);
  // One task at a time renames files of sealed segments, or writes them again.
  bool take_files();
  void give_files();
  // One cleaning at a time, and none while it is paused.
  bool begin_cleaning();
  void end_cleaning();
  void pause_cleaning(int count) { clean_pauses_ += count; }
  bool cleaning() const { return cleaning_; }
  bool cleaning_paused() const { return clean_pauses_ > 0; }

  // Transactions. What lies below the last stable offset is decided, and below the high watermark.
  Offset last_stable(Offset high_watermark);
  const ProducerState& producers() const { return producers_; }
  void expire_producers(WallTime now) { producers_.expire(now); }

  // Removing from the front. Raises the start; never above `limit` or the end. True if it moved.
  bool raise_start(Offset to, Offset limit);
  // How far retention lets the start go; or a segment whose index is to be loaded first. Rolls if
  // all of the log is to go.
  struct RetentionPlan {
    Offset start;
    std::optional<Offset> load;
  };
  RetentionPlan plan_retention(Offset high_watermark, WallTime now);
  // Segments that lie below the start, and are durable with all their files, are forgotten: theirs
  // are to be removed. saved_start: what the checkpoint file says. Up to there all go at once;
  // behind that one at a time, and only if the next one's name tells after a crash where the log
  // begins: removing makes room on a disk that is too full for the checkpoint.
  // Until removed() says that it is done for good, the name of the first segment does not tell
  // where the log begins: a power loss may bring an older one back.
  std::vector<Offset> take_removable(Offset saved_start);
  // Never said of a removal that failed half way: its files come back with the next start.
  void removed() { removals_--; }
  bool start_in_name() const;

  // Removing from the end. Nobody appends, writes or syncs between begin_cut (false: somebody is
  // still at it, or something written is not durable, also of an async log: the cut syncs one file,
  // and what it leaves counts as durable in all of them) and end_cut. What was appended and not
  // committed counts as failed.
  bool begin_cut();
  void leave_cut() { cutting_ = false; }
  bool in_cut() const { return cutting_; }
  uint64_t cuts() const { return cuts_; }  // that have ended
  void found_damage(std::string what) { damage_ = std::move(what); }
  std::optional<std::string> take_damage() { return std::exchange(damage_, std::nullopt); }
  // Where to look for the batch that holds `to`: a plan of kind file, or done if its segment has no
  // file.
  ReadPlan plan_cut(Offset to);
  Segment copy_of(Offset base) const;
  std::vector<Offset> segment_bases() const;
  bool has_segment(Offset base) const { return segments_[segment_of(base)].base == base; }
  // The recovery point goes no higher until end_cut.
  void hold_recovery_point(Offset at);
  struct Cut {
    Offset end;
    std::optional<Offset> start;  // empty: as it is, or the end if that is lower
    std::optional<Segment> last;  // in place of the one that holds end; empty: all are gone
    Epochs epochs;
    ProducerState producers;
  };
  void end_cut(Cut cut, WallTime now);

  Offsets offsets() const;
  // Nothing below it needs to be looked at after a crash: it is durable, and so is what is derived
  // from it.
  Offset recovery_point() const;
  bool failed(uint64_t ticket) const;
  const std::optional<Error>& offline() const { return offline_; }
  // Nobody writes or syncs, and nothing is left to write.
  bool quiet() const { return !writing_ && !syncing_ && (offline_ || unwritten_ == tail_.size()); }
  const std::deque<Segment>& segments() const { return segments_; }
  // From the start on.
  Epochs epochs() const;
  // As their file has them: from the first segment on. A crash may bring an older start back.
  const Epochs& stored_epochs() const { return epochs_; }
  size_t tail_bytes() const { return tail_size_; }
  // Of the tail, those that are not in their file.
  size_t unwritten_bytes() const { return unwritten_size_; }

 private:
  struct Range {
    uint64_t first = 0;
    uint64_t last = 0;
  };
  struct Extent {     // of an append
    Offset last{-1};  // its last offset, if it begins at the end of the log
    int64_t max_timestamp = -1;
    int batches = 0;
    bool producers = false;  // any batch has one
  };
  Extent measure(Bytes batches) const;
  Result<void> may_append(size_t bytes) const;
  bool front_removable() const;
  Result<std::optional<Appended>> admit(Bytes batches, const Extent& extent, Origin origin);
  Appended answer_again(const SeenBatch& seen);
  Appended place(BlockRef block, MutableBytes batches, const Extent& extent,
                 std::optional<LeaderEpoch> epoch, WallTime now);
  void place_batch(const wire::BatchHeader& header, Bytes bytes, Segment& segment);
  bool must_roll(size_t bytes, const Extent& extent, WallTime now) const;
  int64_t jitter_of(Offset base) const;
  void roll(WallTime now);
  Effects effects_since(Offset committed_before) const;
  Offset committed() const;
  Offset sync_target(bool all) const;
  Segment& segment(Offset base);
  size_t segment_of(Offset offset) const;
  Offset end_of(size_t index) const;
  void gather(WriteStep& step);
  void trim_tail();
  void drop_unwritten();
  void unseal(Segment& segment);
  void remember_failed(uint64_t first, uint64_t last);
  ReadPlan read_tail(const ReadRequest& request, Offset limit) const;
  ReadPlan read_file(const ReadRequest& request, Offset limit);
  ReadPlan plan_of(size_t index);
  std::optional<TimestampOffset> largest_of(const Segment& segment) const;
  void close_unused();

  LogConfig config_;
  std::deque<Segment> segments_;  // by base offset
  std::deque<Run> tail_;          // by offset, without a gap, up to end_
  size_t unwritten_ = 0;          // index in tail_ of the first run that is not in its file
  size_t tail_size_ = 0;          // bytes in tail_
  size_t unwritten_size_ = 0;     // of those from unwritten_ on
  Offset start_, end_, written_, durable_;
  uint64_t next_ticket_ = 1;
  std::deque<Range> failed_;  // tickets taken back, rising
  uint64_t forgotten_ = 0;    // tickets up to here count as failed
  bool writing_ = false;      // somebody has the writer role
  bool syncing_ = false;
  std::optional<Error> offline_;
  Epochs epochs_;
  uint64_t epochs_version_ = 0;          // rises with each change
  std::optional<Offset> unsaved_epoch_;  // no entry that the file lacks begins before
  uint64_t use_ = 0;
  uint64_t generations_ = 0;
  bool cleaning_ = false;
  bool files_taken_ = false;
  int clean_pauses_ = 0;
  ProducerState producers_;
  bool cutting_ = false;
  uint64_t cuts_ = 0;
  int removals_ = 0;  // that are not done for good
  std::optional<Offset> held_recovery_point_;
  std::optional<std::string> damage_;  // that a read found
};

}  // namespace moldau::log
