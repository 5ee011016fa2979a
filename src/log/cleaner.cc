#include "log/cleaner.h"

#include <algorithm>

#include "host/clock.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "log/files.h"

namespace moldau::log {

using host::Env;
using host::Task;

bool CleanerCore::remove(CleanSubject& subject) {
  auto found = std::ranges::find(entries_, &subject, &Entry::subject);
  if (found == entries_.end()) return true;
  if (found->busy) return false;
  entries_.erase(found);
  return true;
}

bool CleanerCore::take(CleanSubject& subject) {
  auto found = std::ranges::find(entries_, &subject, &Entry::subject);
  if (found == entries_.end() || found->busy || found->broken) return false;
  found->busy = true;
  return true;
}

void CleanerCore::give(CleanSubject& subject, bool broken) {
  auto found = std::ranges::find(entries_, &subject, &Entry::subject);
  if (found == entries_.end()) return;
  found->busy = false;
  if (broken) stats.uncleanable++;
  found->broken = found->broken || broken;
}

std::vector<CleanSubject*> CleanerCore::idle() const {
  std::vector<CleanSubject*> found;
  for (const Entry& entry : entries_)
    if (!entry.busy && !entry.broken) found.push_back(entry.subject);
  return found;
}

std::vector<CleanSubject*> CleanerCore::subjects() const {
  std::vector<CleanSubject*> all;
  for (const Entry& entry : entries_) all.push_back(entry.subject);
  return all;
}

Cleaner::Cleaner(Env& env, const CleanerConfig& config)
    : env_(env),
      config_(config),
      throttle_(config.bytes_per_second),
      workers_(env.loop, "cleaner"),
      removers_(env.loop, "cleaner_remover") {}

void Cleaner::add(CleanSubject& subject) {
  core_.enter([&](CleanerCore& core) { core.add(subject); });
}

Task<void> Cleaner::remove(CleanSubject& subject) {
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  Log& log = subject.log();
  co_await log.pause_cleaning(env_);
  while (!core_.enter([&](CleanerCore& core) { return core.remove(subject); }))
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
  auto all = core_.enter([](const CleanerCore& core) { return core.subjects(); });
  for (CleanSubject* subject : all) {
    Log& log = subject->log();
    co_await log.pause_cleaning(env_);
  }
  co_await workers_.drained();
  for (CleanSubject* subject : all) subject->log().resume_cleaning();
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
Task<Result<void>> Cleaner::measure(CleanSubject& subject, Candidate& candidate) {
  Log& log = subject.log();
  candidate.subject = &subject;
  candidate.policy = subject.clean_policy();
  candidate.view = log.clean_view();
  Offset stable = subject.last_stable();
  candidate.view.last_stable = std::min(candidate.view.last_stable, stable);
  const CleanPolicy& policy = candidate.policy;
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
Task<bool> Cleaner::look_at(CleanSubject& subject, std::optional<Candidate>& best) {
  Candidate candidate;
  Result<void> measured = co_await measure(subject, candidate);
  if (!measured) co_return false;
  if (!candidate.policy.compact || !worth_cleaning(candidate.range, candidate.policy))
    co_return true;
  if (!best || candidate.range.dirty_ratio() > best->range.dirty_ratio())
    best = std::move(candidate);
  co_return true;
}

// Taken logs cannot be removed: each is taken while it is looked at.
Task<std::optional<Cleaner::Candidate>> Cleaner::choose() {
  std::optional<Candidate> best;
  auto idle = core_.enter([](const CleanerCore& core) { return core.idle(); });
  for (CleanSubject* subject : idle) {
    if (!core_.enter([&](CleanerCore& core) { return core.take(*subject); })) continue;
    CleanSubject* before = best ? best->subject : nullptr;
    CleanSubject& next = *subject;
    bool sound = co_await look_at(next, best);
    CleanSubject* free = best && best->subject == subject ? before : subject;
    if (free) core_.enter([&](CleanerCore& core) { core.give(*free, false); });
    if (!sound) core_.enter([](CleanerCore& core) { core.stats.failed_looks++; });
    changed_.raise();
  }
  co_return best;
}

Task<Result<CleanResult>> Cleaner::clean(Candidate& candidate, OffsetMap& map) {
  CleanSubject& subject = *candidate.subject;
  Log& log = subject.log();
  CO_TRY_(log.add_index_sizes(env_, candidate.view));
  CO_TRY(aborted, subject.aborted(env_, candidate.range.end));
  CleanRequest request{.view = std::move(candidate.view),
                       .range = candidate.range,
                       .policy = candidate.policy,
                       .producers = subject.last_records(),
                       .aborted = std::move(aborted),
                       .io_bytes = config_.io_bytes};
  CO_TRY(result, run_cleaning(env_, log, map, throttle_, std::move(request)));
  LogDir& dir = log.data_directory();
  CO_TRY_(dir.set_cleaner_point(env_, log.directory(), result.end));
  co_return std::move(result);
}

Task<void> Cleaner::remove_later(std::vector<std::string> paths) {
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  Instant due = env_.loop.now() + config_.delete_delay;
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
  CleanSubject& subject = *chosen->subject;
  Log& log = subject.log();
  bool broken = false;
  bool cleaned = false;
  if (log.begin_cleaning()) {
    auto result = co_await clean(*chosen, map);
    log.end_cleaning();
    count(result);
    cleaned = result.has_value();
    if (result && !result->doomed.empty()) removers_.spawn(remove_later(result->doomed));
    if (!result && result.error().code() == Errc::io) log.data_directory().fail(result.error());
    broken = !result && (result.error().code() == Errc::corrupt ||
                         result.error().code() == Errc::unsupported ||
                         result.error().code() == Errc::too_large);
  }
  core_.enter([&](CleanerCore& core) { core.give(subject, broken); });
  changed_.raise();
  co_return cleaned;
}

}  // namespace moldau::log
