// The part of Log that reads: by offset and by timestamp.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bug.h"
#include "host/disk.h"
#include "log/derived.h"
#include "log/files.h"
#include "log/log.h"
#include "log/producer_snapshot.h"
#include "log/record_time.h"
#include "log/segment_scan.h"

namespace moldau::log {

using host::Env;
using host::Task;

namespace {

ReadResult from_tail(ReadPlan& plan, const Offsets& offsets) {
  ReadResult result{.base = plan.base, .upper = plan.upper, .offsets = offsets};
  for (SharedBytes& bytes : plan.tail) {
    result.bytes += bytes.size();
    size_t length = bytes.size();
    result.pieces.push_back({.bytes = std::move(bytes), .length = length});
  }
  return result;
}

}  // namespace

uint64_t Log::cuts() const {
  return core_.enter([](const LogCore& core) { return core.cuts(); });
}

// Was the log being truncated at some time since there had been so many cuts? Then what was read
// may have failed because its file was cut or removed. Waits for the end of the truncation.
Task<bool> Log::cut_since(Env& env, uint64_t cuts) {
  host::WaitSet changes(env.loop);
  changes.watch(idle_);
  for (;;) {
    bool cutting = false;
    bool other = core_.enter([&](const LogCore& core) {
      cutting = core.in_cut() && !core.offline();
      return core.cuts() != cuts && !core.offline();
    });
    if (!cutting) co_return other;
    co_await changes.wait_until(kNever);
  }
}

// Missing, or it does not fit: built again from the segment. Not while the cleaner renames: the
// name could be that of another file by the time it is written.
Task<Result<void>> Log::renew_index(Env& env, Offset base, uint64_t generation) {
  co_await take_files(env);
  bool same = core_.enter([&](LogCore& core) { return core.generation(base) == generation; });
  Result<void> done;
  if (same) {
    auto rebuilt = co_await rebuild_index(env, path_, base, config().index_interval_bytes);
    done = rebuilt ? Result<void>() : Result<void>(std::move(rebuilt.error()));
    if (rebuilt) {
      auto loaded = std::make_shared<const SegmentIndex>(std::move(*rebuilt));
      const SegmentIndex& content = *loaded;
      done = co_await save_index(env, path_, content);
      if (done) core_.enter([&](LogCore& core) { core.index_loaded(base, generation, loaded); });
    }
  }
  give_files();
  co_return done;
}

Task<Result<void>> Log::load_index(Env& env, Offset base) {
  std::optional<uint64_t> generation;
  int64_t size = core_.enter([&](const LogCore& core) {
    generation = core.generation(base);
    auto found = std::ranges::find(core.segments(), base, &Segment::base);
    return found == core.segments().end() ? 0 : found->written;
  });
  if (!generation) co_return Result<void>{};
  std::string path = path_ + "/" + segment_file_name(base, ".index");
  CO_TRY(offsets, read_if_exists(env, path));
  path = path_ + "/" + segment_file_name(base, ".timeindex");
  CO_TRY(times, read_if_exists(env, path));
  auto index = SegmentIndex::decode(base, offsets, times, size);
  bool missing = index && times.empty() && offsets.empty() && size > 0;
  if (!index || missing) co_return co_await renew_index(env, base, *generation);
  auto loaded = std::make_shared<const SegmentIndex>(std::move(*index));
  core_.enter([&](LogCore& core) { core.index_loaded(base, *generation, loaded); });
  co_return Result<void>{};
}

// False: the plan is to be made again.
Task<Result<bool>> Log::prepare(Env& env, ReadPlan& plan) {
  if (plan.search < 0) {
    CO_TRY_(load_index(env, plan.segment));
    co_return false;
  }
  if (plan.file) co_return true;
  auto file = co_await open_file(env, plan.segment);
  bool same =
      core_.enter([&](LogCore& core) { return core.generation(plan.segment) == plan.generation; });
  if (!same) co_return false;  // cleaned or removed meanwhile: what was opened may be either file
  if (!file) co_return std::move(file.error());
  plan.file = std::move(*file);
  co_return true;
}

Offset Log::last_stable(Offset high_watermark) {
  return core_.enter([&](LogCore& core) { return core.last_stable(high_watermark); });
}

std::vector<ProducerEntry> Log::producers() const {
  return core_.enter([](const LogCore& core) {
    std::vector<ProducerEntry> all;
    for (const ProducerEntry* entry : core.producers().entries()) all.push_back(*entry);
    return all;
  });
}

int64_t Log::size_bytes() const {
  return core_.enter([](const LogCore& core) {
    int64_t bytes = 0;
    for (const Segment& segment : core.segments()) bytes += segment.size;
    return bytes;
  });
}

std::vector<uint8_t> Log::producer_snapshot() const {
  return core_.enter(
      [](const LogCore& core) { return encode_producer_snapshot(core.producers()); });
}

void Log::expire_producers(WallTime now) {
  core_.enter([&](LogCore& core) { core.expire_producers(now); });
}

Task<Result<AbortedList>> Log::aborted(Env& env, Offset from, Offset upper) {
  return past_cuts(env, [this, &env, from, upper] { return aborted_once(env, from, upper); });
}

Task<Result<AbortedList>> Log::aborted_once(Env& env, Offset from, Offset upper) {
  for (;;) {
    AbortedPlan plan = core_.enter([&](LogCore& core) { return core.plan_aborted(from, upper); });
    if (!plan.load) co_return std::move(plan.list);
    Offset base = *plan.load;
    auto generation = core_.enter([&](const LogCore& core) { return core.generation(base); });
    if (!generation) continue;
    CO_TRY(list, load_aborted(env, path_, base));
    auto loaded = std::make_shared<const AbortedList>(std::move(list));
    core_.enter([&](LogCore& core) { core.aborted_loaded(base, *generation, loaded); });
  }
}

Task<Result<std::optional<BatchInfo>>> Log::find_batch(const ReadPlan& plan, Offset from) {
  HeaderWalk walk(*plan.file, plan.search, plan.end);
  for (;;) {
    CO_TRY(batch, walk.next());
    if (!batch || batch->last >= from) co_return batch;
  }
}

// As much as may be shown from `first` on, at most room bytes.
Task<Result<ReadPiece>> Log::piece_from(const ReadPlan& plan, const BatchInfo& first, size_t room) {
  int64_t end = plan.end;
  if (std::cmp_less(room, end - first.position)) end = first.position + static_cast<int64_t>(room);
  if (plan.limit && !planted(Bug::file_past_limit)) {
    HeaderWalk walk(*plan.file, first.position, plan.end);
    for (;;) {
      CO_TRY(batch, walk.next());
      if (!batch || batch->position >= end) break;
      if (batch->last >= *plan.limit) end = batch->position;
    }
  }
  co_return ReadPiece{.file = plan.file,
                      .position = first.position,
                      .length = static_cast<size_t>(end - first.position)};
}

// What comes from the medium is looked at before it is served: the checksum of each whole batch,
// and that its offsets follow. What the system has in memory is not: that would cost every fetch
// what zero-copy saves, and memory does not lose bits at rest. `first`: where the first batch
// begins.
Task<Result<void>> Log::verify(const ReadPlan& plan, Offset first, const ReadPiece& piece) {
  constexpr size_t kAtOnce = 256 << 10;
  host::File& file = *piece.file;
  if (planted(Bug::cold_read_unchecked) || file.in_memory(piece.position, piece.length))
    co_return Result<void>{};
  SegmentScan scan(plan.segment, first, piece.position);
  std::vector<uint8_t> space(std::min(piece.length, kAtOnce));
  std::vector<BatchInfo> found;
  for (size_t done = 0; done < piece.length && scan.stopped().empty(); found.clear()) {
    MutableBytes into = MutableBytes(space).first(std::min(space.size(), piece.length - done));
    CO_TRY(n, file.read_at(into, piece.position + static_cast<int64_t>(done)));
    if (n == 0) break;
    scan.feed(into.first(n), found);
    done += n;
  }
  if (scan.stopped().empty()) co_return Result<void>{};
  co_return fail(Errc::corrupt, fmt::format("{}: {}", file.path(), scan.stopped()));
}

std::optional<std::string> Log::take_damage() {
  return core_.enter([](LogCore& core) { return core.take_damage(); });
}

Task<Result<ReadResult>> Log::read(Env& env, ReadRequest request) {
  auto once = [this, &env, request] { return read_once(env, request); };
  Result<ReadResult> read = co_await past_cuts(env, once);
  if (!read && read.error().code() == Errc::corrupt)
    core_.enter([&](LogCore& core) { core.found_damage(read.error().to_string()); });
  co_return read;
}

Task<Result<ReadResult>> Log::read_once(Env& env, ReadRequest request) {
  for (;;) {
    Offsets offsets;
    auto planned = core_.enter([&](LogCore& core) {
      offsets = core.offsets();
      return core.plan_read(request);
    });
    if (!planned) co_return std::move(planned.error());
    ReadPlan& plan = *planned;
    if (plan.kind == ReadPlan::Kind::done) co_return from_tail(plan, offsets);
    CO_TRY(ready, prepare(env, plan));
    if (!ready) continue;
    CO_TRY(first, find_batch(plan, request.from));
    ReadResult result{.offsets = offsets};
    if (!first) {
      // Compaction took the last batches of this segment: the next one begins behind them.
      if (!plan.next_segment || *plan.next_segment <= request.from) co_return result;
      request.from = *plan.next_segment;
      continue;
    }
    const BatchInfo& batch = *first;
    if (batch.last >= offsets.end)
      co_return fail(
          Errc::corrupt,
          fmt::format("{}: the batch at position {} claims offset {}, the log ends at {}",
                      plan.file->path(), batch.position, batch.last, offsets.end));
    size_t size = static_cast<size_t>(batch.size);
    size_t room = request.at_least_one ? std::max(request.max_bytes, size) : request.max_bytes;
    if (size > room || (plan.limit && batch.last >= *plan.limit)) co_return result;
    CO_TRY(piece, piece_from(plan, batch, room));
    Offset starts = batch.base;
    CO_TRY_(verify(plan, starts, piece));
    result.bytes = piece.length;
    result.base = batch.base;
    int64_t piece_end = piece.position + static_cast<int64_t>(piece.length);
    result.upper = core_.enter(
        [&](const LogCore& core) { return core.upper_bound_of(plan.segment, piece_end); });
    result.upper = std::min(result.upper, request.limit);
    result.pieces.push_back(std::move(piece));
    co_return result;
  }
}

// The batch that holds offset, in memory. Empty: it is not there.
Task<Result<SharedBytes>> Log::batch_at(Env& env, Offset offset) {
  ReadRequest request{
      .from = offset, .max_bytes = 1, .limit = Offset(INT64_MAX), .below_start = true};
  CO_TRY(result, read(env, request));
  if (result.pieces.empty()) co_return SharedBytes();
  ReadPiece& piece = result.pieces.front();
  if (!piece.file) co_return std::move(piece.bytes);
  BlockRef block = BlockRef::allocate(piece.length);
  MutableBytes into(block.data(), piece.length);
  CO_TRY(count, piece.file->read_at(into, piece.position));
  if (count != piece.length)
    co_return fail(Errc::corrupt, fmt::format("{} ends at {}", piece.file->path(),
                                              piece.position + static_cast<int64_t>(count)));
  co_return SharedBytes(std::move(block), into);
}

Task<Result<std::optional<TimestampOffset>>> Log::record_since(Env& env, Offset in_batch,
                                                               Offset from, WallTime t) {
  CO_TRY(batch, batch_at(env, in_batch));
  if (batch.bytes().empty()) co_return std::optional<TimestampOffset>();
  co_return first_record_since(batch.bytes(), from, t);
}

// The last offset of the first batch that reaches `start` and whose largest timestamp reaches t.
Task<Result<std::optional<Offset>>> Log::batch_since(Env& env, Offset start, WallTime t) {
  for (Offset from = start;;) {
    auto planned = core_.enter([&](LogCore& core) { return core.plan_time(t, from); });
    if (!planned) co_return std::move(planned.error());
    ReadPlan& plan = *planned;
    if (plan.kind == ReadPlan::Kind::done) co_return std::optional<Offset>();
    CO_TRY(ready, prepare(env, plan));
    if (!ready) continue;
    HeaderWalk walk(*plan.file, plan.search, plan.end);
    for (;;) {
      CO_TRY(batch, walk.next());
      if (!batch) break;
      if (batch->max_timestamp >= t.millis && batch->last >= start)
        co_return std::optional<Offset>(batch->last);
    }
    if (!plan.next_segment) co_return std::optional<Offset>();
    from = *plan.next_segment;
  }
}

Task<Result<std::optional<TimestampOffset>>> Log::find_timestamp(Env& env, WallTime t) {
  return past_cuts(env, [this, &env, t] { return find_once(env, t); });
}

Task<Result<std::optional<TimestampOffset>>> Log::find_once(Env& env, WallTime t) {
  for (Offset start = offsets().start;;) {
    CO_TRY(found, batch_since(env, start, t));
    if (!found) co_return std::optional<TimestampOffset>();
    Offset in_batch = *found;
    CO_TRY(record, record_since(env, in_batch, start, t));
    if (record) co_return record;
    start = in_batch + 1;  // those of its records that are so late were deleted
  }
}

Task<Result<std::optional<TimestampOffset>>> Log::max_timestamp(Env& env) {
  return past_cuts(env, [this, &env] { return largest_once(env); });
}

Task<Result<std::optional<TimestampOffset>>> Log::largest_once(Env& env) {
  for (;;) {
    std::optional<TimestampOffset> found;
    auto planned = core_.enter([&](LogCore& core) { return core.plan_largest(found); });
    if (!planned) co_return std::move(planned.error());
    ReadPlan& plan = *planned;
    if (plan.kind == ReadPlan::Kind::done) {
      if (!found) co_return found;
      Offset in_batch = found->offset;
      WallTime t = found->timestamp;
      Offset start = offsets().start;
      co_return co_await record_since(env, in_batch, start, t);
    }
    CO_TRY_(load_index(env, plan.segment));
  }
}

Task<Result<std::vector<uint8_t>>> gather(const ReadResult& read) {
  std::vector<uint8_t> all(read.bytes);
  size_t done = 0;
  for (const ReadPiece& piece : read.pieces) {
    MutableBytes into = MutableBytes(all).subspan(done, piece.length);
    size_t count = piece.length;
    if (piece.file) {
      host::File& file = *piece.file;
      CO_TRY(n, file.read_at(into, piece.position));
      count = n;
    } else {
      std::memcpy(into.data(), piece.bytes.data(), piece.length);
    }
    done += count;
  }
  all.resize(done);
  co_return all;
}

}  // namespace moldau::log
