#include "log/clean_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bug.h"
#include "host/clock.h"
#include "host/disk.h"
#include "log/batch_info.h"
#include "log/clean_swap.h"
#include "log/files.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

namespace {

// Whole batches of a segment, as many as fit into the buffer; it grows for a larger one.
class SegmentReader {
 public:
  SegmentReader(FileRef file, int64_t end, size_t chunk)
      : file_(std::move(file)), end_(end), chunk_(chunk) {}
  // At least one batch; nothing at the end. Errors: corrupt (no batch stands there), as read_at.
  Task<Result<Bytes>> next();
  int64_t position() const { return position_; }  // of what next() gave

 private:
  Result<size_t> whole(size_t& wanted) const;

  FileRef file_;
  const int64_t end_;
  const size_t chunk_;
  int64_t position_ = 0;
  int64_t next_ = 0;
  std::vector<uint8_t> buffer_;
};

// Bytes of the whole batches at the front; if there is none, how many one needs.
Result<size_t> SegmentReader::whole(size_t& wanted) const {
  wire::BatchWalk walk(buffer_, wire::BatchWalk::Torn::tolerate);
  size_t size = 0;
  while (walk.next()) size = walk.position() + walk.batch().size();
  TRY_(walk.finish());
  if (size > 0) return size;
  wanted = wire::kBatchHeaderSize;
  if (buffer_.size() >= wanted) {
    TRY(header, wire::read_batch_header(buffer_));
    wanted = header.size();
  }
  return size;
}

Task<Result<Bytes>> SegmentReader::next() {
  position_ = next_;
  size_t wanted = chunk_;
  while (next_ < end_) {
    int64_t left = end_ - next_;
    buffer_.resize(static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(wanted), left)));
    MutableBytes into(buffer_);
    CO_TRY(count, file_->read_at(into, next_));
    bool all = std::cmp_equal(count, left) || count < into.size();
    buffer_.resize(count);
    Result<size_t> size = whole(wanted);
    if (!size || (*size == 0 && (all || wanted <= count)))
      co_return fail(Errc::corrupt,
                     fmt::format("{}: no whole batch at position {} of {}{}", file_->path(), next_,
                                 end_, size ? "" : ": " + size.error().to_string()));
    if (*size == 0) continue;
    next_ += static_cast<int64_t>(*size);
    co_return Bytes(buffer_).first(*size);
  }
  co_return Bytes();
}

class CleanRun {
 public:
  CleanRun(Env& env, Log& log, OffsetMap& map, host::Monitor<CleanThrottle>& throttle,
           CleanRequest request)
      : env_(env),
        log_(log),
        map_(map),
        throttle_(throttle),
        request_(std::move(request)),
        filter_(map, request_.producers,
                {.now = env.clock.wall(),
                 .delete_retention_millis = request_.policy.delete_retention_millis,
                 .round_end = request_.range.end}) {}
  Task<Result<CleanResult>> run();

 private:
  struct Output {                // the segment being made
    std::vector<uint8_t> bytes;  // not written yet
    FileRef file;
    int64_t written = 0;
    SegmentIndex index;
    AbortedList aborted;
    std::optional<int64_t> first_timestamp;
    bool changed = false;
    int64_t size() const { return written + std::ssize(bytes); }
  };
  using Group = std::span<const CleanSegment>;

  Task<Result<void>> pace(int64_t bytes);
  Task<Result<void>> fill_map();
  Task<Result<bool>> map_segment(const CleanSegment& segment, MapFill& fill);
  Task<Result<void>> clean_group(Group group);
  Task<Result<void>> write_group(Group group, Output& output);
  Task<Result<void>> clean_segment(const CleanSegment& segment, Output& output);
  Result<void> filter_batches(Bytes batches, int64_t position, Output& output);
  Task<Result<void>> flush(Output& output);
  Task<Result<void>> complete(Output& output);

  Env& env_;
  Log& log_;
  OffsetMap& map_;
  host::Monitor<CleanThrottle>& throttle_;
  const CleanRequest request_;
  BatchFilter filter_;
  CleanResult result_;
};

Task<Result<void>> CleanRun::pace(int64_t bytes) {
  Instant until = throttle_.enter(
      [&](CleanThrottle& throttle) { return throttle.spend(env_.loop.now(), bytes); });
  // In short steps: whoever waits for the end of this must not wait long.
  while (until > env_.loop.now() && !log_.must_stop_cleaning()) {
    Duration step = std::min(until - env_.loop.now(), milliseconds(100));
    co_await env_.loop.sleep(step);
  }
  if (log_.must_stop_cleaning())
    co_return fail(Errc::cancelled, log_.path() + ": the cleaning was told to stop");
  co_return Result<void>{};
}

Task<Result<bool>> CleanRun::map_segment(const CleanSegment& segment, MapFill& fill) {
  CO_TRY(file, log_.sealed_file(env_, segment.base));
  SegmentReader reader(std::move(file), segment.size, request_.io_bytes);
  for (;;) {
    CO_TRY(bytes, reader.next());
    if (bytes.empty()) break;
    wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::refuse);
    while (walk.next()) {
      Result<bool> fits = fill.add(walk.header(), walk.batch());
      if (!fits) co_return std::move(fits.error()).in(log_.path());
      if (!*fits) co_return false;
    }
    result_.bytes_mapped += std::ssize(bytes);
    CO_TRY_(pace(std::ssize(bytes)));
  }
  // Also if compaction took its last batches.
  map_.advance(segment.end - 1);
  co_return true;
}

Task<Result<void>> CleanRun::fill_map() {
  map_.clear();
  MapFill fill(map_, request_.range.first_dirty);
  fill.transactions().expect(request_.aborted, request_.range.first_dirty);
  for (const CleanSegment& segment : request_.view.segments) {
    if (segment.end <= request_.range.first_dirty) continue;
    if (segment.base >= request_.range.end) break;
    CO_TRY(whole, map_segment(segment, fill));
    if (!whole) break;
  }
  co_return Result<void>{};
}

Result<void> CleanRun::filter_batches(Bytes batches, int64_t position, Output& output) {
  wire::BatchWalk walk(batches, wire::BatchWalk::Torn::refuse);
  while (walk.next()) {
    size_t before = output.bytes.size();
    int64_t at = output.size();
    TRY(verdict, filter_.filter(walk.header(), walk.batch(), output.bytes));
    output.changed = output.changed || verdict != Verdict::kept;
    if (verdict == Verdict::dropped) continue;
    TRY(left, wire::read_batch_header(Bytes(output.bytes).subspan(before)));
    BatchInfo info = batch_info(left, at);
    if (planted(Bug::cleaner_index_off)) [[unlikely]]
      info.position = position + static_cast<int64_t>(walk.position());
    if (!output.first_timestamp) output.first_timestamp = info.max_timestamp;
    output.index.add(info, log_.config().index_interval_bytes);
  }
  if (output.size() > std::numeric_limits<int32_t>::max())
    return fail(Errc::too_large, fmt::format("a cleaned segment of {} bytes", output.size()));
  return walk.finish();
}

Task<Result<void>> CleanRun::flush(Output& output) {
  if (output.bytes.empty()) co_return Result<void>{};
  Bytes part(output.bytes);
  std::span<const Bytes> parts(&part, 1);
  CO_TRY_(output.file->write_at(parts, output.written));
  output.written += std::ssize(output.bytes);
  result_.bytes_written += std::ssize(output.bytes);
  output.bytes.clear();
  co_return Result<void>{};
}

Task<Result<void>> CleanRun::clean_segment(const CleanSegment& segment, Output& output) {
  CO_TRY(file, log_.sealed_file(env_, segment.base));
  SegmentReader reader(std::move(file), segment.size, request_.io_bytes);
  for (;;) {
    CO_TRY(bytes, reader.next());
    if (bytes.empty()) co_return Result<void>{};
    int64_t before = output.size();
    Result<void> filtered = filter_batches(bytes, reader.position(), output);
    if (!filtered) co_return std::move(filtered.error()).in(log_.path());
    int64_t moved = std::ssize(bytes) + output.size() - before;
    result_.bytes_read += std::ssize(bytes);
    if (output.bytes.size() >= request_.io_bytes) CO_TRY_(flush(output));
    CO_TRY_(pace(moved));
  }
}

// Everything that the swap relies on is on stable storage when it has returned.
Task<Result<void>> CleanRun::complete(Output& output) {
  Offset base = output.index.base();
  CO_TRY_(flush(output));
  if (!planted(Bug::cleaner_swap_unsynced)) CO_TRY_(output.file->sync());
  output.index.seal();
  std::string path = log_.path() + "/" + cleaned_name(base, ".index");
  std::vector<uint8_t> content = output.index.encode_offsets();
  CO_TRY_(write_file(env_, path, content));
  path = log_.path() + "/" + cleaned_name(base, ".timeindex");
  content = output.index.encode_times();
  CO_TRY_(write_file(env_, path, content));
  output.aborted = filter_.transactions().take_listed();
  content = encode_aborted(output.aborted);
  path = log_.path() + "/" + cleaned_name(base, ".txnindex");
  if (!content.empty()) CO_TRY_(write_file(env_, path, content));
  std::string directory = log_.path();
  co_return co_await env_.disk.sync_directory(directory);
}

Task<Result<void>> CleanRun::write_group(Group group, Output& output) {
  std::string path = log_.path() + "/" + cleaned_name(group.front().base, ".log");
  CO_TRY(file, env_.disk.open(path, OpenMode::create));
  output.file = std::move(file);
  CO_TRY_(output.file->truncate(0));
  for (const CleanSegment& segment : group) CO_TRY_(clean_segment(segment, output));
  if (group.size() == 1 && !output.changed) {
    (void)filter_.transactions().take_listed();  // its own index says so already
    co_return Result<void>{};
  }
  co_return co_await complete(output);
}

Task<Result<void>> CleanRun::clean_group(Group group) {
  Offset base = group.front().base;
  Output output{.index = SegmentIndex(base)};
  Result<void> written = co_await write_group(group, output);
  bool swap = written && (group.size() > 1 || output.changed);
  if (!swap) {
    const std::string& directory = log_.path();
    Result<void> removed = co_await remove_cleaned(env_, directory, base);
    co_return written ? std::move(removed) : std::move(written);
  }
  CleanedSegment cleaned{.base = base,
                         .size = output.written,
                         .file = output.file,
                         .index = std::make_shared<const SegmentIndex>(std::move(output.index)),
                         .aborted = std::make_shared<const AbortedList>(std::move(output.aborted)),
                         .first_timestamp = output.first_timestamp};
  CO_TRY(swapped, log_.swap_in(env_, std::move(cleaned), group.back().end, result_.doomed));
  if (!swapped)
    co_return fail(Errc::cancelled, log_.path() + ": its segments changed under the cleaning");
  co_return Result<void>{};
}

Task<Result<CleanResult>> CleanRun::run() {
  CO_TRY_(fill_map());
  result_.end = std::max(map_.latest() + 1, request_.range.first_dirty);
  filter_.transactions().expect(request_.aborted, request_.view.start);
  auto groups =
      group_segments(request_.view.segments, result_.end, request_.range.end, request_.policy);
  for (Group group : groups) CO_TRY_(clean_group(group));
  result_.records_kept = filter_.records_kept();
  result_.records_dropped = filter_.records_dropped();
  co_return std::move(result_);
}

}  // namespace

Instant CleanThrottle::spend(Instant now, int64_t bytes) {
  double seconds = static_cast<double>(bytes) / rate_;
  constexpr double kLongest = 3600;
  Duration cost{static_cast<int64_t>(std::min(seconds, kLongest) * 1e9)};
  free_at_ = std::max(free_at_, now) + cost;
  return free_at_;
}

Task<Result<CleanResult>> run_cleaning(Env& env, Log& log, OffsetMap& map,
                                       host::Monitor<CleanThrottle>& throttle,
                                       CleanRequest request) {
  CleanRun run(env, log, map, throttle, std::move(request));
  co_return co_await run.run();
}

}  // namespace moldau::log
