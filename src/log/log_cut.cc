// The part of Log that takes away from the log: truncation at its end, deletion and retention at
// its front. Each is safe against being stopped at any point: what stands on disk is the log as it
// was, a shorter one, or the one that was asked for, never one with a hole.
//
// Truncation, in this order, each step on stable storage before the next begins:
//   1. the recovery point goes below the new end, so that a restart looks at all that is changed;
//   2. producer snapshots behind the new end go (a later log must not be read by them);
//   3. later segments go, the last one first, then the leader epochs, then this one's index files;
//   4. this segment's file is cut.
#include <fmt/format.h>

#include <algorithm>

#include "base/bug.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/loop.h"
#include "log/derived.h"
#include "log/files.h"
#include "log/log.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

namespace {

constexpr std::string_view kDerived[] = {".index", ".timeindex", ".txnindex"};

}  // namespace

// Where the file of the segment that holds `to` is to be cut, and the offset that comes next then.
Task<Result<Log::CutPlace>> Log::find_cut(Env& env, Offset to) {
  for (;;) {
    ReadPlan plan = core_.enter([&](LogCore& core) { return core.plan_cut(to); });
    CutPlace place{.segment = plan.segment, .position = plan.end, .end = to};
    if (plan.kind == ReadPlan::Kind::done) co_return place;  // it has no file
    CO_TRY(ready, prepare(env, plan));
    if (!ready) continue;
    // A log ends where its last batch does, also if `to` lies in a gap behind that: after a restart
    // nothing else tells the end.
    place.end = plan.segment;
    place.position = 0;
    HeaderWalk walk(*plan.file, plan.search, plan.end);
    for (;;) {
      CO_TRY(batch, walk.next());
      if (!batch || batch->last >= to) co_return place;
      place.position = batch->position + batch->size;
      place.end = batch->last + 1;
    }
  }
}

// The segment as it is once its file is cut there.
Task<Result<Segment>> Log::cut_segment(Env& env, CutPlace place) {
  Segment segment = core_.enter([&](const LogCore& core) { return core.copy_of(place.segment); });
  CO_TRY(aborted, load_or_copy_aborted(env, segment));
  truncate_aborted(aborted, place.end);
  segment.aborted = std::move(aborted);
  SegmentIndex index = segment.sealed_index ? *segment.sealed_index : segment.index;
  index.truncate(place.end, place.position);
  if (segment.exists && !segment.file) {
    CO_TRY(file, open_file(env, segment.base));
    segment.file = std::move(file);
  }
  if (segment.exists) {
    HeaderWalk walk(*segment.file, index.last_position(), place.position);
    for (;;) {
      CO_TRY(batch, walk.next());
      if (!batch) break;
      index.add(*batch, config().index_interval_bytes);
    }
  }
  segment.index = std::move(index);
  segment.sealed_index = nullptr;
  segment.sealed_aborted = nullptr;
  segment.snapshot = nullptr;
  segment.largest_known = segment.sealed = segment.index_saved = false;
  segment.size = segment.written = place.position;
  if (segment.size == 0) segment.first_timestamp = std::nullopt;
  co_return segment;
}

Task<Result<AbortedList>> Log::load_or_copy_aborted(Env& env, const Segment& segment) {
  if (!segment.sealed) co_return segment.aborted;
  if (segment.sealed_aborted) co_return *segment.sealed_aborted;
  Offset base = segment.base;
  co_return co_await load_aborted(env, path_, base);
}

// Steps 1 to 3; the files are taken. keep: the segment that stays; nothing: all go.
Task<Result<void>> Log::remove_behind(Env& env, Offset end, std::optional<Offset> keep) {
  // One below the end of a segment that stays, as LogCore::recovery_point: its index files go.
  bool below = keep && end > *keep && !planted(Bug::cut_to_border);
  Offset point = below ? end - 1 : end;
  core_.enter([&](LogCore& core) { core.hold_recovery_point(point); });
  CO_TRY_(dir_.save_points(env));
  auto bases = core_.enter([](const LogCore& core) { return core.segment_bases(); });
  // What a crash leaves of a log that goes whole is its first segments: the producers as of the
  // first one stay until it has gone.
  Offset known = keep ? end : std::max(end, bases.front());
  if (!planted(Bug::snapshots_past_cut)) CO_TRY_(remove_snapshots_above(env, path_, known));
  for (auto base = bases.rbegin(); base != bases.rend(); ++base) {
    if (keep && *base <= *keep) break;
    Offset gone = *base;
    CO_TRY_(remove_segment(env, path_, gone));
  }
  co_return Result<void>{};
}

Task<Result<LogCore::Cut>> Log::cut(Env& env, Offset to) {
  CO_TRY(place, find_cut(env, to));
  CO_TRY(last, cut_segment(env, place));
  co_await take_files(env);  // nobody writes or renames files of segments that may go
  auto cut = co_await cut_files(env, place, std::move(last));
  give_files();
  co_return cut;
}

Task<Result<LogCore::Cut>> Log::cut_files(Env& env, CutPlace place, Segment last) {
  LogCore::Cut cut;
  cut.end = place.end;
  cut.epochs = core_.enter([](const LogCore& core) { return core.stored_epochs(); });
  if (!planted(Bug::epochs_past_cut)) cut.epochs.truncate_end(place.end);
  if (planted(Bug::cut_file_first) && last.exists) CO_TRY_(last.file->truncate(place.position));
  CO_TRY_(remove_behind(env, place.end, place.segment));
  std::string epochs = cut.epochs.encode();
  CO_TRY_(replace_text(env, path_, kEpochsFile, epochs));
  for (std::string_view suffix : kDerived) {
    std::string path = path_ + "/" + segment_file_name(place.segment, suffix);
    CO_TRY_(remove_if_exists(env, path));
  }
  if (last.exists) {
    CO_TRY_(last.file->truncate(place.position));
    CO_TRY_(last.file->sync());
  }
  ProducerSources sources{.directory = path_,
                          .segments = {},
                          .end = place.end,
                          .expiration_millis = config().producer_expiration_millis};
  core_.enter([&](const LogCore& core) {
    for (const Segment& segment : core.segments())
      if (segment.base < last.base) sources.segments.push_back({segment.base, segment.written});
  });
  sources.segments.push_back({last.base, place.position});
  CO_TRY(producers, rebuild_producers(env, sources));
  cut.producers = std::move(producers);
  cut.last = std::move(last);
  co_return std::move(cut);
}

// Everything goes. What a crash leaves in between is a shorter log, or an empty one that begins
// where this one did.
Task<Result<LogCore::Cut>> Log::cut_all(Env& env, Offset at) {
  co_await take_files(env);
  auto cut = co_await cut_all_files(env, at);
  give_files();
  co_return cut;
}

Task<Result<LogCore::Cut>> Log::cut_all_files(Env& env, Offset at) {
  Offset low = std::min(offsets().start, at);
  CO_TRY_(remove_behind(env, low, std::nullopt));
  CO_TRY_(remove_snapshots_above(env, path_, Offset(-1)));
  std::string epochs = Epochs().encode();
  CO_TRY_(replace_text(env, path_, kEpochsFile, epochs));
  LogCore::Cut cut;
  cut.end = at;
  cut.start = at;
  cut.producers = ProducerState(config().producer_expiration_millis);
  co_return std::move(cut);
}

// Waits until nobody writes or syncs, and keeps them away.
Task<Result<void>> Log::begin_cut(Env& env) {
  host::WaitSet changes(env.loop);
  changes.watch(idle_);
  for (;;) {
    co_await write_out(env);
    CO_TRY_(sync_once(env, true));
    if (auto error = dir_.offline()) co_return fail(Errc::offline, error->to_string());
    if (core_.enter([](LogCore& core) { return core.begin_cut(); })) co_return Result<void>{};
    co_await changes.wait_until(kNever);
  }
}

Task<Result<Offset>> Log::truncate(Env& env, Offset to) {
  co_await pause_cleaning(env);
  auto end = co_await truncate_paused(env, to);
  Result<void> forgotten;
  if (end) {
    Offset at = *end;
    forgotten = co_await forget_cleaned(env, at);
  }
  resume_cleaning();
  if (!forgotten) co_return std::move(forgotten.error());
  co_return end;
}

Task<Result<Offset>> Log::truncate_paused(Env& env, Offset to) {
  CO_TRY_(begin_cut(env));
  Offsets before = offsets();
  Offset front = core_.enter([](const LogCore& core) { return core.segments().front().base; });
  Result<LogCore::Cut> cut = LogCore::Cut();
  if (to >= before.end) {
    core_.enter([](LogCore& core) { core.leave_cut(); });
    idle_.raise();
    co_return before.end;
  }
  if (to < front)
    cut = co_await cut_all(env, to);
  else
    cut = co_await this->cut(env, to);
  co_return co_await finish_cut(env, std::move(cut));
}

Task<Result<Offset>> Log::restart_at(Env& env, Offset at) {
  co_await pause_cleaning(env);
  Result<void> begun = co_await begin_cut(env);
  Result<Offset> end = Offset();
  if (begun) {
    auto cut = co_await cut_all(env, at);
    end = co_await finish_cut(env, std::move(cut));
  }
  if (begun && end) begun = co_await forget_cleaned(env, at);
  resume_cleaning();
  if (!begun) co_return std::move(begun.error());
  co_return end;
}

// Half done is not to be gone on with: the directory goes offline, and the next start looks at it.
Task<Result<Offset>> Log::finish_cut(Env& env, Result<LogCore::Cut> cut) {
  if (!cut) {
    dir_.fail(cut.error());
    co_return std::move(cut.error());
  }
  Offset end = cut->end;
  WallTime now = env.clock.wall();
  end_on_disk_ = Offset(-1);
  core_.enter([&](LogCore& core) { core.end_cut(std::move(*cut), now); });
  idle_.raise();
  if (listener_) listener_->on_failed();
  // An empty log has no file whose name says where it begins.
  Result<void> saved = co_await dir_.save_points(env);
  if (!saved) {
    dir_.fail(saved.error());
    co_return std::move(saved.error());
  }
  co_return end;
}

}  // namespace moldau::log
