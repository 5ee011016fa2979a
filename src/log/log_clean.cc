// The part of Log that the cleaner uses: what may be cleaned, pausing, and the swap of segments.
#include <algorithm>

#include "base/check.h"
#include "host/disk.h"
#include "log/clean_swap.h"
#include "log/files.h"
#include "log/log.h"

namespace moldau::log {

using host::Env;
using host::Task;

bool Log::begin_cleaning() {
  return core_.enter([](LogCore& core) { return core.begin_cleaning(); });
}

void Log::end_cleaning() {
  core_.enter([](LogCore& core) { core.end_cleaning(); });
  idle_.raise();
}

bool Log::must_stop_cleaning() const {
  return core_.enter(
      [](const LogCore& core) { return core.cleaning_paused() || core.offline().has_value(); });
}

Task<void> Log::pause_cleaning(Env& env) {
  core_.enter([](LogCore& core) { core.pause_cleaning(1); });
  host::WaitSet changes(env.loop);
  changes.watch(idle_);
  while (core_.enter([](const LogCore& core) { return core.cleaning(); }))
    co_await changes.wait_until(kNever);
}

void Log::resume_cleaning() {
  core_.enter([](LogCore& core) { core.pause_cleaning(-1); });
}

Task<Result<void>> Log::forget_cleaned(Env& env, Offset end) {
  auto point = dir_.cleaner_point(directory_);
  if (!point || *point <= end) co_return Result<void>{};
  co_return co_await dir_.set_cleaner_point(env, directory_, end);
}

Task<void> Log::take_files(Env& env) {
  host::WaitSet changes(env.loop);
  changes.watch(idle_);
  while (!core_.enter([](LogCore& core) { return core.take_files(); }))
    co_await changes.wait_until(kNever);
}

void Log::give_files() {
  core_.enter([](LogCore& core) { core.give_files(); });
  idle_.raise();
}

// Of segments that this process did not write: from their first batch and their index.
Task<Result<void>> Log::add_timestamps(Env& env, CleanView& view) {
  for (CleanSegment& segment : view.segments) {
    if (segment.size == 0) continue;
    if (segment.first_timestamp < 0) {
      CO_TRY(file, sealed_file(env, segment.base));
      HeaderWalk walk(*file, 0, segment.size);
      CO_TRY(batch, walk.next());
      if (batch) segment.first_timestamp = batch->max_timestamp;
      core_.enter([&](LogCore& core) {
        core.first_timestamp_found(segment.base, segment.first_timestamp);
      });
    }
    if (segment.largest_timestamp >= 0) continue;
    CO_TRY_(load_index(env, segment.base));
    core_.enter([&](const LogCore& core) {
      auto found = std::ranges::find(core.segments(), segment.base, &Segment::base);
      if (found != core.segments().end() && found->largest)
        segment.largest_timestamp = found->largest->timestamp.millis;
    });
  }
  co_return Result<void>{};
}

CleanView Log::clean_view() {
  Offset limit = high_watermark();
  return core_.enter([&](LogCore& core) { return core.clean_view(limit); });
}

LastRecords Log::last_records() const {
  return core_.enter([](const LogCore& core) { return core.producers().last_records(); });
}

Task<Result<void>> Log::add_index_sizes(Env& env, CleanView& view) {
  CO_TRY(entries, env.disk.list(path_));
  for (const host::DirEntry& entry : entries) {
    auto index = parse_segment_file_name(entry.name, ".index");
    auto times = parse_segment_file_name(entry.name, ".timeindex");
    if (!index && !times) continue;
    auto segment = std::ranges::find(view.segments, index ? *index : *times, &CleanSegment::base);
    if (segment == view.segments.end()) continue;
    (index ? segment->index_bytes : segment->time_index_bytes) = entry.size;
  }
  co_return Result<void>{};
}

Task<Result<FileRef>> Log::sealed_file(Env& env, Offset segment) {
  FileRef file = core_.enter([&](const LogCore& core) {
    auto found = std::ranges::find(core.segments(), segment, &Segment::base);
    return found == core.segments().end() ? FileRef() : found->file;
  });
  if (file) co_return file;
  co_return co_await open_file(env, segment);
}

Task<Result<bool>> Log::swap_in(Env& env, CleanedSegment cleaned, Offset end,
                                std::vector<std::string>& doomed) {
  Offset base = cleaned.base;
  co_await take_files(env);
  std::vector<Offset> old = core_.enter([&](const LogCore& core) {
    std::vector<Offset> bases;
    for (const Segment& part : core.segments())
      if (part.base >= base && part.base < end) bases.push_back(part.base);
    return bases;
  });
  if (old.empty() || old.front() != base) {
    give_files();
    co_return false;
  }
  Result<void> done = co_await commit_cleaned(env, path_, base);
  if (done) {
    // From here on readers see the new segment, by its open file; then the names follow.
    bool replaced = core_.enter([&](LogCore& core) { return core.replace_segments(cleaned, end); });
    CHECK(replaced, "{}: segments {} to {} changed while they were cleaned", path_, base, end);
    done = co_await finish_swap(env, path_, old, doomed);
    if (done) core_.enter([&](LogCore& core) { core.renamed(base); });
  }
  give_files();
  if (done) co_return true;
  dir_.fail(done.error());
  co_return std::move(done.error());
}

}  // namespace moldau::log
