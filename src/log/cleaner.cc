#include "log/cleaner.h"

#include <algorithm>

#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "log/files.h"

namespace moldau::log {

using host::Env;
using host::Task;

void CleanerCore::add(Log& log) { entries_[log.path()].log = &log; }

bool CleanerCore::remove(const Log& log) {
  auto found = entries_.find(log.path());
  if (found == entries_.end() || found->second.log != &log) return true;
  if (found->second.busy) return false;
  entries_.erase(found);
  return true;
}

Log* CleanerCore::take(const std::string& path) {
  auto found = entries_.find(path);
  if (found == entries_.end() || found->second.busy || found->second.broken) return nullptr;
  found->second.busy = true;
  return found->second.log;
}

void CleanerCore::give(const Log& log, bool broken) {
  auto found = entries_.find(log.path());
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  entry.busy = false;
  if (broken) stats.uncleanable++;
  entry.broken = entry.broken || broken;
}

std::vector<std::string> CleanerCore::idle() const {
  std::vector<std::string> found;
  for (const auto& [path, entry] : entries_)
    if (!entry.busy && !entry.broken) found.push_back(path);
  return found;
}

std::vector<Log*> CleanerCore::logs() const {
  std::vector<Log*> all;
  for (const auto& [path, entry] : entries_) all.push_back(entry.log);
  return all;
}

Cleaner::Cleaner(Env& env, const CleanerConfig& config)
    : env_(env),
      config_(config),
      throttle_(config.bytes_per_second),
      workers_(env.loop, "cleaner"),
      removers_(env.loop, "cleaner_remover") {}

void Cleaner::add(Log& log) {
  core_.enter([&](CleanerCore& core) { core.add(log); });
}

Task<void> Cleaner::remove(Env& env, Log& log) {
  host::WaitSet changes(env.loop);
  changes.watch(changed_);
  co_await log.pause_cleaning(env);
  while (!core_.enter([&](CleanerCore& core) { return core.remove(log); }))
    co_await changes.wait_until(kNever);
  log.resume_cleaning();
}

CleanerStats Cleaner::stats() const {
  return core_.enter([](const CleanerCore& core) { return core.stats; });
}

SipKey Cleaner::hash_key() {
  uint64_t first = env_.entropy.next();
  uint64_t second = env_.entropy.next();
  return {first, second};
}

OffsetMap::Config Cleaner::map_share() const {
  OffsetMap::Config share = config_.map;
  share.bytes /= static_cast<size_t>(std::max(config_.tasks, 1));
  return share;
}

void Cleaner::start() {
  for (int i = 0; i < config_.tasks; i++) workers_.spawn(work());
}

Task<void> Cleaner::stop() {
  core_.enter([](CleanerCore& core) { core.stopping = true; });
  changed_.raise();
  auto all = core_.enter([](const CleanerCore& core) { return core.logs(); });
  for (Log* log : all) {
    Log& next = *log;
    co_await next.pause_cleaning(env_);
  }
  co_await workers_.drained();
  for (Log* log : all) log->resume_cleaning();
  co_await removers_.drained();
}

Task<void> Cleaner::work() {
  OffsetMap map(map_share(), hash_key());
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  while (!core_.enter([](const CleanerCore& core) { return core.stopping; })) {
    bool cleaned = co_await clean_dirtiest(map);
    if (cleaned) continue;
    Instant again = env_.loop.now() + config_.backoff;
    while (!core_.enter([](const CleanerCore& core) { return core.stopping; }) &&
           env_.loop.now() < again)
      co_await changes.wait_until(again);
  }
}

// How dirty the log is, and whether it is dirtier than the best so far.
Task<Result<void>> Cleaner::measure(Log& log, Candidate& candidate) {
  candidate.log = &log;
  candidate.view = log.clean_view();
  const CleanPolicy policy = log.config().clean;
  bool lags = policy.min_lag_millis > 0 || policy.max_lag_millis < INT64_MAX;
  CleanView& view = candidate.view;
  if (lags) CO_TRY_(log.add_timestamps(env_, view));
  LogDir& dir = log.data_directory();
  auto checkpoint = dir.cleaner_point(log.directory());
  candidate.range = choose_range(view, checkpoint, policy, env_.clock.wall());
  if (candidate.range.checkpoint_off) {
    Offset start = candidate.range.first_dirty;
    CO_TRY_(dir.set_cleaner_point(env_, log.directory(), start));
  }
  co_return Result<void>{};
}

// True: nothing is wrong with it.
Task<bool> Cleaner::look_at(Log& log, std::optional<Candidate>& best) {
  if (!log.config().clean.compact) co_return true;
  if (log.must_stop_cleaning()) co_return true;  // it would not begin, and the next one waits
  Candidate candidate;
  Result<void> measured = co_await measure(log, candidate);
  if (!measured) co_return false;
  if (!worth_cleaning(candidate.range, log.config().clean)) co_return true;
  if (!best || candidate.range.dirty_ratio() > best->range.dirty_ratio())
    best = std::move(candidate);
  co_return true;
}

// Taken logs cannot be removed: each is taken while it is looked at.
Task<std::optional<Cleaner::Candidate>> Cleaner::choose() {
  std::optional<Candidate> best;
  auto idle = core_.enter([](const CleanerCore& core) { return core.idle(); });
  for (const std::string& path : idle) {
    Log* one = core_.enter([&](CleanerCore& core) { return core.take(path); });
    if (!one) continue;
    Log& log = *one;
    const Log* before = best ? best->log : nullptr;
    bool sound = co_await look_at(log, best);
    const Log* free = best && best->log == one ? before : one;
    if (free) core_.enter([&](CleanerCore& core) { core.give(*free, false); });
    if (!sound) core_.enter([](CleanerCore& core) { core.stats.failed_looks++; });
    changed_.raise();
  }
  co_return best;
}

Task<Result<CleanResult>> Cleaner::clean(Candidate& candidate, OffsetMap& map) {
  Log& log = *candidate.log;
  CO_TRY_(log.add_index_sizes(env_, candidate.view));
  Offset front = candidate.view.segments.front().base;
  Offset end = candidate.range.end;
  CO_TRY(aborted, log.aborted(env_, front, end));
  CleanRequest request{.view = std::move(candidate.view),
                       .range = candidate.range,
                       .policy = log.config().clean,
                       .producers = log.last_records(),
                       .aborted = std::move(aborted),
                       .io_bytes = config_.io_bytes};
  CO_TRY(result, run_cleaning(env_, log, map, throttle_, std::move(request)));
  LogDir& dir = log.data_directory();
  CO_TRY_(dir.set_cleaner_point(env_, log.directory(), result.end));
  co_return std::move(result);
}

Task<void> Cleaner::remove_later(std::vector<std::string> paths, Duration delay) {
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  Instant due = env_.loop.now() + delay;
  while (env_.loop.now() < due) {
    if (core_.enter([](const CleanerCore& core) { return core.stopping; })) co_return;
    co_await changes.wait_until(due);
  }
  // One that is gone already, with its partition, is no error; one that stays goes at the next
  // open.
  for (std::string& path : paths) {
    Result<void> removed = co_await env_.disk.remove(std::move(path));
    if (!removed) continue;
  }
}

void Cleaner::count(const Result<CleanResult>& result) {
  core_.enter([&](CleanerCore& core) {
    CleanerStats& stats = core.stats;
    if (!result) {
      stats.last_error = result.error().to_string();
      return;
    }
    stats.cleanings++;
    stats.bytes_read += result->bytes_read;
    stats.bytes_written += result->bytes_written;
    stats.records_dropped += result->records_dropped;
  });
}

Task<bool> Cleaner::clean_dirtiest(OffsetMap& map) {
  std::optional<Candidate> chosen = co_await choose();
  if (!chosen) co_return false;
  Log& log = *chosen->log;
  bool broken = false;
  bool cleaned = false;
  if (log.begin_cleaning()) {
    auto result = co_await clean(*chosen, map);
    log.end_cleaning();
    count(result);
    cleaned = result && result->end > chosen->range.first_dirty;  // or it would never rest
    if (result && !result->doomed.empty()) {
      Duration delay = log.config().delete_delay;
      removers_.spawn(remove_later(result->doomed, delay));
    }
    if (!result && result.error().code() == Errc::io) log.data_directory().fail(result.error());
    broken = !result && (result.error().code() == Errc::corrupt ||
                         result.error().code() == Errc::unsupported ||
                         result.error().code() == Errc::too_large);
  }
  core_.enter([&](CleanerCore& core) { core.give(log, broken); });
  changed_.raise();
  co_return cleaned;
}

}  // namespace moldau::log
