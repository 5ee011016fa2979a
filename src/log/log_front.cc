// The part of Log that takes away from its front: deleting records, and retention. The start offset
// rises in memory, then in the checkpoint file, and only then do files go: renamed first, deleted
// when nobody can be about to open them any more. Where the checkpoint cannot be written, the first
// segment goes alone and for good before the next one: then the names tell where the log begins.
#include <fmt/format.h>

#include "host/clock.h"
#include "host/disk.h"
#include "log/files.h"
#include "log/log.h"

namespace moldau::log {

using host::Env;
using host::Task;

namespace {
constexpr std::string_view kFiles[] = {".log", ".index", ".timeindex", ".txnindex", ".snapshot"};
}  // namespace

// What may be taken away or cleaned lies below: what is committed here, and everywhere.
Offset Log::high_watermark() const {
  Offset committed = offsets().committed;
  if (!listener_) return committed;
  return std::min(listener_->high_watermark().value_or(committed), committed);
}

Result<void> Log::raise_start(Offset to) {
  Offset limit = high_watermark();
  if (to > limit)
    return fail(Errc::out_of_range, fmt::format("the log cannot begin at {}: only what lies "
                                                "below the high watermark {} can be deleted",
                                                to, limit));
  core_.enter([&](LogCore& core) { core.raise_start(to, limit); });
  return {};
}

Task<Result<Offset>> Log::delete_records(Env& env, Offset to) {
  Result<void> raised = raise_start(to);
  if (!raised) co_return std::move(raised.error());
  // Also if the start was there already: retention, or a try that failed, may not have saved it.
  CO_TRY_(dir_.save_points(env));
  co_return offsets().start;
}

Task<Result<bool>> Log::retain(Env& env) {
  return past_cuts(env, [this, &env] { return retain_once(env); });
}

Task<Result<bool>> Log::retain_once(Env& env) {
  for (;;) {
    Offset limit = high_watermark();
    WallTime now = env.clock.wall();
    bool moved = false;
    auto plan = core_.enter([&](LogCore& core) {
      core.expire_producers(now);
      LogCore::RetentionPlan found = core.plan_retention(limit, now);
      if (!found.load) moved = core.raise_start(found.start, found.start);
      return found;
    });
    if (!plan.load) {
      if (moved) dir_.mark_dirty(*this);  // a sealed segment may wait for its index files
      co_return moved;
    }
    Offset base = *plan.load;
    CO_TRY_(load_index(env, base));
  }
}

// A cleaning reads the files that would go: it is not stopped for that, they go the next time.
Task<Result<void>> Log::remove_old(Env& env, Instant delete_at) {
  if (!begin_cleaning()) co_return Result<void>{};
  co_await take_files(env);  // a reader may be writing an index again
  Result<void> removed = co_await remove_old_uncleaned(env, delete_at);
  // What is left the next start finds and takes up again; until then nobody knows of it.
  if (!removed) dir_.fail(removed.error());
  give_files();
  end_cleaning();
  co_return removed;
}

Task<Result<void>> Log::remove_old_uncleaned(Env& env, Instant delete_at) {
  for (;;) {
    Offset saved = dir_.saved_start(directory_);
    std::vector<Offset> bases =
        core_.enter([&](LogCore& core) { return core.take_removable(saved); });
    if (bases.empty()) co_return Result<void>{};
    for (Offset base : bases) CO_TRY_(doom_segment(env, base, delete_at));
    CO_TRY_(env.disk.sync_directory(path_));
    core_.enter([](LogCore& core) { core.removed(); });
  }
}

// A directory may be too full for a longer name as well. Then they go at once: who is about to open
// one is told that the log begins later.
Task<Result<void>> Log::doom_segment(Env& env, Offset base, Instant delete_at) {
  for (std::string_view suffix : kFiles) {
    std::string path = path_ + "/" + segment_file_name(base, suffix);
    std::string doomed = path + ".deleted";
    Result<void> renamed = co_await env.disk.rename(path, doomed);
    if (renamed)
      doomed_.push_back({delete_at, std::move(doomed)});
    else if (renamed.error().code() == Errc::no_space)
      CO_TRY_(remove_if_exists(env, path));
    else if (renamed.error().code() != Errc::not_found)
      co_return renamed;
  }
  co_return Result<void>{};
}

Task<Result<void>> Log::delete_doomed(Env& env, Instant now) {
  while (!doomed_.empty() && doomed_.front().at <= now) {
    std::string path = std::move(doomed_.front().path);
    doomed_.pop_front();
    CO_TRY_(remove_if_exists(env, path));
  }
  co_return Result<void>{};
}

}  // namespace moldau::log
