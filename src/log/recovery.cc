#include "log/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bug.h"
#include "base/crc32c.h"
#include "host/clock.h"
#include "host/disk.h"
#include "log/batch_info.h"
#include "log/clean_swap.h"
#include "log/derived.h"
#include "log/files.h"
#include "log/producer_snapshot.h"
#include "log/segment_scan.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

namespace {

constexpr size_t kChunk = size_t{1} << 20;  // bytes read at once

// One look at a segment's file from a batch on.
struct Look {
  SegmentScan scan;
  SegmentIndex index;
  Epochs* epochs = nullptr;            // gets the epochs of the batches, if set
  ProducerState* producers = nullptr;  // and what the batches say of their producers
  AbortedList aborted;
  std::optional<int64_t> first_timestamp;
  BatchInfo last;          // the last whole batch, if any() is true
  int64_t size = 0;        // of the file
  bool drop_last = false;  // Bug::recovery_drops_whole
  int64_t end() const { return drop_last ? last.position : scan.valid_end(); }
  Offset next() const { return drop_last ? last.base : scan.next(); }
  bool whole() const { return end() == size; }
  bool any() const { return last.size > 0; }
};

// Runs look.scan over the rest of the file.
Task<Result<void>> read_batches(host::File& file, Look& look, int64_t interval) {
  std::vector<uint8_t> buffer(static_cast<size_t>(std::min<int64_t>(kChunk, look.size)));
  std::vector<BatchInfo> found;
  MutableBytes into(buffer);
  for (int64_t at = look.scan.valid_end(); at < look.size && look.scan.stopped().empty();) {
    CO_TRY(count, file.read_at(into, at));
    if (count == 0) break;
    look.scan.feed(into.first(count), found);
    for (const BatchInfo& batch : found) {
      look.index.add(batch, interval);
      if (look.epochs) look.epochs->assign(batch.epoch, batch.base);
      if (look.producers)
        if (auto aborted = look.producers->apply(placed(batch))) look.aborted.push_back(*aborted);
      if (!look.first_timestamp) look.first_timestamp = batch.max_timestamp;
      look.last = batch;
    }
    found.clear();
    at += static_cast<int64_t>(count);
  }
  co_return Result<void>{};
}

class Recovery {
 public:
  Recovery(Env& env, RecoveryRequest request) : env_(env), request_(std::move(request)) {}
  Task<Result<Recovered>> run();

 private:
  Task<Result<void>> list_files();
  Task<Result<void>> load_epochs();
  Task<Result<void>> know_epochs(size_t count);
  bool has_file(size_t i, std::string_view suffix) const;
  Task<Result<std::vector<uint8_t>>> read_unless_empty(std::string path);
  bool lacks_index(size_t i) const;
  Task<Result<void>> mend_indexes(size_t count);
  Task<Result<void>> mend_index(size_t i);
  Task<Result<bool>> open_clean();
  Task<Result<void>> open_unclean();
  Task<Result<bool>> recover_segment(size_t i, Offset expected);
  Task<Result<void>> remove_from(size_t i);
  Task<Result<void>> look_at_the_medium(host::File& file);
  Task<Result<void>> settle(host::File& file, Look& look, size_t i);
  Task<Result<void>> load_producers(size_t count, Offset end);
  Task<Result<void>> keep_producers();
  Task<Result<void>> remove_strays();
  Result<void> judge(const Look& look, bool last, const std::string& path) const;
  Segment known_segment(size_t i) const;
  size_t first_to_read() const;
  void finish();
  std::string file_of(size_t i, std::string_view suffix) const {
    return request_.path + "/" + segment_file_name(files_[i].base, suffix);
  }

  struct FileInfo {
    Offset base;
    int64_t size = 0;
  };
  Env& env_;
  RecoveryRequest request_;
  std::vector<FileInfo> files_;  // .log files, by base offset
  std::vector<Segment> segments_;
  Epochs stored_;             // what the checkpoint file says
  bool epochs_lost_ = false;  // it says nothing
  Epochs epochs_;
  ProducerState producers_;
  Offset end_;
  bool changed_ = false;  // request_.entries is not what is in the directory
  Recovered result_;
};

Task<Result<void>> Recovery::list_files() {
  if (std::ranges::any_of(request_.entries, [](const host::DirEntry& entry) {
        return entry.name.ends_with(".swap") || entry.name.ends_with(".cleaned");
      })) {
    CO_TRY_(recover_swaps(env_, request_.path));
    CO_TRY(settled, env_.disk.list(request_.path));
    request_.entries = std::move(settled);
  }
  const std::vector<host::DirEntry>& entries = request_.entries;
  for (const host::DirEntry& entry : entries)
    if (auto base = parse_segment_file_name(entry.name, ".log"))
      files_.push_back({*base, entry.size});
  for (const host::DirEntry& entry : entries) {
    std::string path = request_.path + "/" + entry.name;
    bool left_over = entry.name.ends_with(".tmp") || entry.name.ends_with(".deleted");
    for (std::string_view suffix : {".index", ".timeindex", ".txnindex"})
      if (auto base = parse_segment_file_name(entry.name, suffix))
        left_over = !std::ranges::binary_search(files_, *base, {}, &FileInfo::base);
    if (left_over) CO_TRY_(env_.disk.remove(path));
  }
  co_return Result<void>{};
}

// Kafka takes the data directory offline if the file is damaged, and goes on without epochs if it
// is missing. The batches have them as well. (Where compaction took the first batches of an epoch
// it begins later then, as after a crash.) An empty file is what a new log has.
Task<Result<void>> Recovery::load_epochs() {
  std::string path = request_.path + "/" + kEpochsFile;
  CO_TRY(content, read_unless_empty(path));
  auto decoded = Epochs::decode(as_text(content));
  bool there = std::ranges::binary_search(request_.entries, kEpochsFile, {}, &host::DirEntry::name);
  epochs_lost_ = !decoded || (!there && !files_.empty());
  if (!epochs_lost_) {
    stored_ = std::move(*decoded);
    co_return Result<void>{};
  }
  std::string why = decoded ? "is missing" : "is damaged (" + decoded.error().to_string() + ")";
  result_.mended.push_back(
      fmt::format("{} {}: the leader epochs are taken from the batches", path, why));
  co_return Result<void>{};
}

// By the file, or else by the first `count` segments.
Task<Result<void>> Recovery::know_epochs(size_t count) {
  epochs_ = stored_;
  for (size_t i = 0; epochs_lost_ && i < count; i++) {
    std::string path = file_of(i, ".log");
    CO_TRY(file, env_.disk.open(path, OpenMode::read));
    HeaderWalk walk(*file, 0, files_[i].size);
    for (;;) {
      CO_TRY(batch, walk.next());
      if (!batch) break;
      epochs_.assign(batch->epoch, batch->base);
    }
  }
  co_return Result<void>{};
}

Segment Recovery::known_segment(size_t i) const {
  Segment segment;
  segment.base = files_[i].base;
  segment.size = segment.written = files_[i].size;
  segment.index = SegmentIndex(segment.base);
  segment.created = env_.clock.wall();
  segment.exists = segment.name_durable = true;
  segment.sealed = segment.index_saved =
      true;  // what is wrong with its index files is found when they are needed
  return segment;
}

bool Recovery::has_file(size_t i, std::string_view suffix) const {
  std::string name = segment_file_name(files_[i].base, suffix);
  return std::ranges::binary_search(request_.entries, name, {}, &host::DirEntry::name);
}

// Most partitions of a large broker are nearly empty: what the list says is empty is not opened.
Task<Result<std::vector<uint8_t>>> Recovery::read_unless_empty(std::string path) {
  auto entry = std::ranges::lower_bound(request_.entries, path.substr(request_.path.size() + 1), {},
                                        &host::DirEntry::name);
  bool some = entry != request_.entries.end() && path.ends_with(entry->name) && entry->size > 0;
  if (!some) co_return std::vector<uint8_t>{};
  co_return co_await read_if_exists(env_, path);
}

bool Recovery::lacks_index(size_t i) const {
  return files_[i].size > 0 && !(has_file(i, ".index") && has_file(i, ".timeindex"));
}

// Of segments that are not looked through. Kafka does the same for those without .index; without
// .timeindex alone it finds no record of the segment by time. That a .txnindex is missing nothing
// tells: most segments have none.
Task<Result<void>> Recovery::mend_indexes(size_t count) {
  bool mended = false;
  for (size_t i = 0; i < count; i++) {
    if (!lacks_index(i)) continue;
    CO_TRY_(mend_index(i));
    mended = true;
  }
  if (!mended) co_return Result<void>{};
  CO_TRY(entries, env_.disk.list(request_.path));
  request_.entries = std::move(entries);
  co_return Result<void>{};
}

// One that is damaged as well is left as it is: who reads it will be told.
Task<Result<void>> Recovery::mend_index(size_t i) {
  Offset base = files_[i].base;
  CO_TRY_(load_producers(i, base));
  std::string path = file_of(i, ".log");
  CO_TRY(file, env_.disk.open(path, OpenMode::read));
  Look look{.scan = SegmentScan(base, base),
            .index = SegmentIndex(base),
            .producers = &producers_,
            .size = files_[i].size};
  CO_TRY_(read_batches(*file, look, request_.index_interval_bytes));
  if (!look.whole()) co_return Result<void>{};
  look.index.seal();
  DerivedStep step{std::make_shared<const SegmentIndex>(look.index),
                   std::make_shared<const AbortedList>(look.aborted),
                   {},
                   {}};
  result_.mended.push_back(path + " had not all of its index files: they were made again");
  co_return co_await save_derived_files(env_, request_.path, step);
}

// True: opened. False: something does not fit, look at everything.
Task<Result<bool>> Recovery::open_clean() {
  CO_TRY_(mend_indexes(files_.size()));
  size_t i = files_.size() - 1;
  Offset base = files_[i].base;
  std::string path = file_of(i, ".index");
  CO_TRY(offsets, read_unless_empty(path));
  path = file_of(i, ".timeindex");
  CO_TRY(times, read_unless_empty(path));
  // A missing file is made at the stop, also if there is nothing to be in it.
  bool both = has_file(i, ".index") && has_file(i, ".timeindex");
  if (both) result_.index_on_disk = fingerprint(base, offsets, times);
  auto index = SegmentIndex::decode(base, offsets, times, files_[i].size);
  if (!index) index = SegmentIndex(base);
  int64_t position = index->last_position();
  Look look{.scan = SegmentScan(base, base, position),
            .index = std::move(*index),
            .size = files_[i].size};
  path = file_of(i, ".log");
  CO_TRY(file, env_.disk.open(path, OpenMode::read));
  CO_TRY_(read_batches(*file, look, request_.index_interval_bytes));
  if (!look.whole()) co_return false;
  for (size_t known = 0; known < i; known++) segments_.push_back(known_segment(known));
  CO_TRY_(load_producers(files_.size(), look.scan.next()));
  Result<AbortedList> aborted;
  if (has_file(i, ".txnindex")) aborted = co_await load_aborted(env_, request_.path, base);
  if (!aborted && aborted.error().code() == Errc::corrupt) {
    segments_.clear();
    co_return false;
  }
  if (!aborted) co_return std::move(aborted.error());
  Segment last = known_segment(i);
  last.aborted = std::move(*aborted);
  last.index = std::move(look.index);
  last.sealed = last.index_saved = false;
  if (position == 0) last.first_timestamp = look.first_timestamp;
  segments_.push_back(std::move(last));
  end_ = look.scan.next();
  CO_TRY_(know_epochs(files_.size()));
  co_return true;
}

size_t Recovery::first_to_read() const {
  size_t first = 0;
  while (first + 1 < files_.size() && files_[first + 1].base <= request_.recovery_point) first++;
  return first;
}

// The last one first, each for good before the next: a gap between two segments looks as if
// compaction had made it.
Task<Result<void>> Recovery::remove_from(size_t i) {
  for (size_t at = files_.size(); at-- > i;) {
    result_.bytes_cut += files_[at].size;
    Offset base = files_[at].base;
    CO_TRY_(remove_segment(env_, request_.path, base));
  }
  files_.resize(std::min(files_.size(), i));
  co_return Result<void>{};
}

// What the process before us wrote and did not sync may be clean pages of a sync that failed: the
// kernel would not write them again, and they would be gone after a power loss. So first everything
// that waits is written, then what is cached is forgotten, and what is read from here on is really
// there. (Writing it all once more instead would put durable bytes at risk: a power loss in the
// middle of a sector may leave neither the old nor the new. The simulator found that.)
Task<Result<void>> Recovery::look_at_the_medium(host::File& file) {
  CO_TRY_(file.sync());
  if (planted(Bug::cache_believed)) [[unlikely]]
    co_return Result<void>{};
  co_return co_await file.drop_cache();
}

// Damage below the recovery point is not a torn tail: what was promised is gone, and cutting would
// make it look whole.
Result<void> Recovery::judge(const Look& look, bool last, const std::string& path) const {
  bool lost = (last || !look.whole()) && look.scan.next() < request_.recovery_point;
  // Nor is it a loss where a log ends that was deleted up to its recovery point.
  bool deleted = last && look.whole() && request_.recovery_point <= request_.log_start;
  if (!lost || deleted) return {};
  return fail(
      Errc::corrupt,
      fmt::format("{}: damaged below the recovery point {}: {}", path, request_.recovery_point,
                  look.whole() ? "the file is too short" : look.scan.stopped()));
}

// The producers as of `end`, by the first `count` segments. What is in the directory is known while
// nothing has changed there: 10,000 partitions that each look once more take a second longer.
Task<Result<void>> Recovery::load_producers(size_t count, Offset end) {
  ProducerSources sources{.directory = request_.path,
                          .segments = {},
                          .snapshots = {},
                          .end = end,
                          .expiration_millis = request_.producer_expiration_millis};
  for (size_t i = 0; i < count; i++) sources.segments.push_back({files_[i].base, files_[i].size});
  if (!changed_) sources.snapshots = snapshots_among(request_.entries);
  CO_TRY(producers, rebuild_producers(env_, sources));
  producers_ = std::move(producers);
  co_return Result<void>{};
}

// All files are to go, and the log to go on at its start. What is known of producers then is told
// by a snapshot behind the files' end, if there is one: it was made before they were deleted.
// Without one the log was cut inside the batch of its start, and the batches tell all there is.
Task<Result<void>> Recovery::keep_producers() {
  Offset start = request_.log_start;
  CO_TRY(found, list_snapshots(env_, request_.path));
  for (Offset at : found)
    if (at > end_ && at <= start) co_return Result<void>{};
  std::string name = segment_file_name(start, ".snapshot");
  std::vector<uint8_t> content = encode_producer_snapshot(producers_);
  co_return co_await replace_file(env_, request_.path, name, content);
}

// Of the snapshots only those at the beginning of a segment are kept, and the newest.
Task<Result<void>> Recovery::remove_strays() {
  if (!changed_ && std::ranges::none_of(snapshots_among(request_.entries), [&](Offset at) {
        return at != end_ &&
               (at > end_ || !std::ranges::binary_search(files_, at, {}, &FileInfo::base));
      }))
    co_return Result<void>{};
  CO_TRY_(remove_snapshots_above(env_, request_.path, end_));
  CO_TRY(found, list_snapshots(env_, request_.path));
  for (Offset at : found) {
    bool kept = at == found.back() || std::ranges::binary_search(files_, at, {}, &FileInfo::base);
    if (kept) continue;
    std::string path = request_.path + "/" + segment_file_name(at, ".snapshot");
    CO_TRY_(env_.disk.remove(path));
  }
  co_return Result<void>{};
}

Task<Result<void>> Recovery::settle(host::File& file, Look& look, size_t i) {
  int64_t end = look.end();
  if (end < look.size) CO_TRY_(file.truncate(end));
  CO_TRY_(file.sync());
  if (i + 1 == files_.size()) co_return Result<void>{};
  look.index.seal();
  DerivedStep step{
      std::make_shared<const SegmentIndex>(look.index),
      std::make_shared<const AbortedList>(look.aborted),
      std::make_shared<const std::vector<uint8_t>>(encode_producer_snapshot(producers_)),
      files_[i + 1].base};
  co_return co_await save_derived_files(env_, request_.path, step);
}

// False: it was cut, and nothing stands behind it any more.
Task<Result<bool>> Recovery::recover_segment(size_t i, Offset expected) {
  std::string path = file_of(i, ".log");
  CO_TRY(file, env_.disk.open(path, OpenMode::read_write));
  CO_TRY_(look_at_the_medium(*file));
  Offset base = files_[i].base;
  Look look{.scan = SegmentScan(base, std::max(base, expected)),
            .index = SegmentIndex(base),
            .epochs = planted(Bug::epochs_file_believed) ? nullptr : &epochs_,
            .producers = planted(Bug::producer_snapshot_stale) ? nullptr : &producers_,
            .size = file->size()};
  look.scan.expect_size(look.size);
  CO_TRY_(read_batches(*file, look, request_.index_interval_bytes));
  if (Result<void> sound = judge(look, i + 1 == files_.size(), path); !sound)
    co_return std::move(sound.error());
  if (planted(Bug::recovery_drops_whole)) [[unlikely]]
    look.drop_last = look.any() && i + 1 == files_.size();
  bool whole = look.whole();
  if (!whole) {
    result_.cut_because = look.scan.stopped().empty()
                              ? fmt::format("a piece of a batch at the end of {}", path)
                              : path + ": " + look.scan.stopped();
    result_.bytes_cut += look.size - look.end();
    // First what comes later: were this one cut first and the rest left by a crash, it would look
    // whole next time.
    CO_TRY_(remove_from(i + 1));
  }
  bool last = i + 1 == files_.size();
  if (planted(Bug::index_past_end) && !whole) [[unlikely]]
    look.index.add_stray_entry(look.next(), look.end() + 7);
  CO_TRY_(settle(*file, look, i));
  files_[i].size = look.end();
  end_ = std::max(base, look.next());
  Segment segment = known_segment(i);
  segment.first_timestamp = look.first_timestamp;
  if (last) {
    segment.sealed = segment.index_saved = false;
    segment.index = std::move(look.index);
    segment.aborted = std::move(look.aborted);
  }
  segments_.push_back(std::move(segment));
  result_.segments_read++;
  co_return whole;
}

Task<Result<void>> Recovery::open_unclean() {
  changed_ = true;
  size_t first = first_to_read();
  CO_TRY_(mend_indexes(first));
  segments_.clear();
  for (size_t i = 0; i < first; i++) segments_.push_back(known_segment(i));
  CO_TRY_(know_epochs(first));
  epochs_.truncate_end(files_[first].base);
  end_ = files_[first].base;
  // Snapshots from here on are made again: what they were taken of may be gone. Not if it was
  // deleted: that was safe before.
  CO_TRY_(remove_snapshots_above(env_, request_.path, std::max(end_, request_.log_start)));
  CO_TRY_(load_producers(first, end_));
  for (size_t i = first; i < files_.size(); i++) {
    // A segment that begins before the one in front of it ends: what can be trusted ends here.
    if (files_[i].base < end_) {
      result_.cut_because = fmt::format("{} begins before offset {}", file_of(i, ".log"), end_);
      CO_TRY_(remove_from(i));
      co_return co_await open_unclean();  // the last one left is open for appends
    }
    CO_TRY(whole, recover_segment(i, end_));
    if (!whole) break;
  }
  co_return co_await env_.disk.sync_directory(request_.path);
}

void Recovery::finish() {
  result_.fresh = segments_.empty();
  if (result_.fresh) {
    Segment segment;
    segment.base = end_ = request_.log_start;
    segment.index = SegmentIndex(segment.base);
    segment.created = env_.clock.wall();
    segments_.push_back(std::move(segment));
  }
  LogCore::Opened& opened = result_.opened;
  opened.start = std::min(std::max(segments_.front().base, request_.log_start), end_);
  opened.end = end_;
  opened.segments = std::move(segments_);
  opened.epochs_saved = epochs_.entries() == stored_.entries();
  opened.epochs = std::move(epochs_);
  opened.producers = std::move(producers_);
}

Task<Result<Recovered>> Recovery::run() {
  CO_TRY_(list_files());
  CO_TRY_(load_epochs());
  bool opened = files_.empty();
  if (!opened && request_.clean) {
    CO_TRY(clean, open_clean());
    opened = clean;
  }
  if (!opened) CO_TRY_(open_unclean());
  // All that is left was deleted: a removal that failed half way left it. To append behind it would
  // give offsets a second time.
  if (!files_.empty() && end_ < request_.log_start) {
    changed_ = true;
    CO_TRY_(keep_producers());
    CO_TRY_(remove_from(0));
    segments_.clear();
    epochs_ = Epochs();
  }
  if (files_.empty()) {
    end_ = request_.log_start;
    CO_TRY_(load_producers(0, end_));
  }
  CO_TRY_(remove_strays());
  epochs_.truncate_end(end_);
  if (epochs_lost_) {
    // Of a log without epochs, as before Kafka 0.11, the file is empty.
    std::string text = epochs_.entries().empty() ? "" : epochs_.encode();
    CO_TRY_(replace_text(env_, request_.path, kEpochsFile, text));
    stored_ = epochs_;
  }
  finish();
  co_return std::move(result_);
}

}  // namespace

Task<Result<Recovered>> recover(Env& env, RecoveryRequest request) {
  Recovery recovery(env, std::move(request));
  co_return co_await recovery.run();
}

uint64_t fingerprint(Offset base, Bytes offsets, Bytes times) {
  uint64_t content = uint64_t{crc32c(offsets)} << 32 | crc32c(times);
  uint64_t sizes = offsets.size() * 31 + times.size();
  return content ^ static_cast<uint64_t>(base.value) * 0x9e3779b97f4a7c15u ^ sizes;
}

Task<Result<SegmentIndex>> rebuild_index(Env& env, std::string directory, Offset base,
                                         int64_t interval) {
  std::string path = directory + "/" + segment_file_name(base, ".log");
  CO_TRY(file, env.disk.open(path, OpenMode::read));
  Look look{.scan = SegmentScan(base, base), .index = SegmentIndex(base), .size = file->size()};
  CO_TRY_(read_batches(*file, look, interval));
  if (!look.whole()) co_return fail(Errc::corrupt, path + ": " + look.scan.stopped());
  look.index.seal();
  co_return std::move(look.index);
}

}  // namespace moldau::log
