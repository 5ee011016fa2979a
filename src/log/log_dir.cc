#include "log/log_dir.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bug.h"
#include "base/check.h"
#include "host/disk.h"
#include "host/whole_file.h"
#include "log/dir_name.h"
#include "log/files.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

namespace {
constexpr const char* kMarker = ".kafka_cleanshutdown";
constexpr std::array<const char*, 4> kCheckpointFiles = {
    "recovery-point-offset-checkpoint", "log-start-offset-checkpoint",
    "replication-offset-checkpoint", "cleaner-offset-checkpoint"};

// Where logs begin is saved first: an empty log whose recovery point lay behind its start would
// later be taken for one that has lost its end.
constexpr std::array<Checkpoint, 2> kPositions = {Checkpoint::log_starts,
                                                  Checkpoint::recovery_points};
constexpr std::array<Checkpoint, 4> kAllCheckpoints = {
    Checkpoint::log_starts, Checkpoint::recovery_points, Checkpoint::high_watermarks,
    Checkpoint::cleaner_points};

const char* file_of(Checkpoint which) { return kCheckpointFiles[static_cast<size_t>(which)]; }

OffsetCheckpoint& points_of(DirCore& core, Checkpoint which) {
  switch (which) {
    case Checkpoint::recovery_points:
      return core.recovery_points;
    case Checkpoint::log_starts:
      return core.log_starts;
    case Checkpoint::high_watermarks:
      return core.high_watermarks;
    case Checkpoint::cleaner_points:
      break;
  }
  return core.cleaner_points;
}

std::optional<Offset> find(const OffsetCheckpoint& points, const std::string& directory) {
  auto found = points.find(directory);
  return found == points.end() ? std::nullopt : std::optional(found->second);
}
}  // namespace

void DirCore::add(const std::string& directory, LogMember& member) {
  bool added = members_.emplace(directory, &member).second;
  CHECK(added, "{} is open twice", directory);
}

bool DirCore::remove(const std::string& directory) {
  auto found = members_.find(directory);
  if (found == members_.end()) return true;
  LogMember& member = *found->second;
  if (member.pins_ > 0) return false;
  if (member.dirty_) std::erase(dirty_, &member);
  member.dirty_ = false;
  members_.erase(found);
  return true;
}

void DirCore::abandon(const std::string& directory) {
  unclean = true;
  auto found = members_.find(directory);
  if (found == members_.end()) return;
  std::erase(dirty_, found->second);
  members_.erase(found);
}

bool DirCore::mark_dirty(LogMember& member) {
  if (member.dirty_) return false;
  member.dirty_ = true;
  dirty_.push_back(&member);
  return dirty_.size() == 1;
}

std::vector<LogMember*> DirCore::take_dirty() {
  for (LogMember* member : dirty_) {
    member->dirty_ = false;
    member->pins_++;
  }
  return std::exchange(dirty_, {});
}

std::vector<std::pair<std::string, LogMember*>> DirCore::pin_all() {
  std::vector<std::pair<std::string, LogMember*>> all(members_.begin(), members_.end());
  for (auto& [directory, member] : all) member->pins_++;
  return all;
}

void DirCore::unpin(LogMember& member) {
  CHECK(member.pins_ > 0, "a log is unpinned too often");
  member.pins_--;
}

bool DirCore::erase(const std::string& directory) {
  size_t erased = recovery_points.erase(directory) + log_starts.erase(directory) +
                  high_watermarks.erase(directory) + cleaner_points.erase(directory);
  return erased > 0;
}

void DirCore::set(const std::string& directory, const LogPoints& points) {
  recovery_points[directory] = points.recovery_point;
  high_watermarks[directory] = points.high_watermark;
  if (points.log_start)
    log_starts[directory] = *points.log_start;
  else
    log_starts.erase(directory);
}

bool DirCore::fail(const Error& error) {
  if (offline) return false;
  offline = error;
  return true;
}

LogDir::LogDir(Env& env, std::string path, LogDirConfig config)
    : env_(env),
      path_(std::move(path)),
      config_(config),
      permits_(env.loop, config.parallel_syncs),
      round_(env.loop, "log_dir_round"),
      flusher_(env.loop, "log_dir_flusher") {}

LogDir::~LogDir() = default;

Task<Result<std::unique_ptr<LogDir>>> LogDir::open(Env& env, std::string path,
                                                   LogDirConfig config) {
  auto dir = std::make_unique<LogDir>(env, std::move(path), config);
  CO_TRY_(dir->start());
  co_return dir;
}

Task<Result<OffsetCheckpoint>> LogDir::load(std::string name) {
  std::string path = path_ + "/" + name;
  CO_TRY(content, read_if_exists(env_, path));
  auto points = decode_offset_checkpoint(as_text(content));
  if (!points) co_return std::move(points.error()).in(path);
  co_return points;
}

// Damage takes the directory offline, as it does Kafka's: what was promised about offsets would be
// forgotten otherwise.
Task<Result<void>> LogDir::load_checkpoints() {
  for (Checkpoint which : kAllCheckpoints) {
    CO_TRY(points, load(file_of(which)));
    core_.enter([&](DirCore& core) { points_of(core, which) = std::move(points); });
  }
  core_.enter([](DirCore& core) { core.saved_starts = core.log_starts; });
  co_return Result<void>{};
}

// Which of them make_directory has made is not known; those that are not ours to open are not.
Task<Result<void>> LogDir::sync_ancestors() {
  for (std::string at = path_; at != "." && at != "/";) {
    at = host::parent_directory(at);
    Result<void> synced = co_await env_.disk.sync_directory(at);
    if (!synced && synced.error().code() != Errc::permission) co_return synced;
  }
  co_return Result<void>{};
}

namespace {
// {"version":0,"brokerEpoch":7}
int64_t epoch_of_marker(std::string_view text) {
  constexpr std::string_view kField = "\"brokerEpoch\":";
  int64_t epoch = -1;
  size_t at = text.find(kField);
  if (at == text.npos) return -1;
  const char* begin = text.data() + at + kField.size();
  auto [end, error] = std::from_chars(begin, text.data() + text.size(), epoch);
  return error == std::errc() ? epoch : -1;
}
}  // namespace

Task<Result<void>> LogDir::start() {
  CO_TRY_(env_.disk.make_directory(path_));
  std::string lock = path_ + "/.lock";
  auto held = co_await env_.disk.lock(lock);
  if (!held && held.error().code() == Errc::busy)
    co_return Error(Errc::busy, fmt::format("{} is in use by another process, a Moldau or a Kafka: "
                                            "stop that one, or take another data directory",
                                            path_));
  if (!held) co_return std::move(held.error());
  lock_ = std::move(*held);
  CO_TRY_(load_checkpoints());
  // Consumed before anything is recovered: a crash during recovery must not look like a clean stop
  // (KAFKA-10471).
  std::string marker = path_ + "/" + kMarker;
  Result<std::string> said = co_await host::read_whole_file(env_.disk, marker);
  if (said) previous_epoch_ = epoch_of_marker(*said);
  Result<void> removed = co_await env_.disk.remove(marker);
  was_clean_ = removed.has_value();
  if (was_clean_ && planted(Bug::marker_kept)) [[unlikely]]
    CO_TRY_(replace_text(env_, path_, kMarker, "{}"));
  if (!removed && removed.error().code() != Errc::not_found) co_return removed;
  // Also the names that a crash may have left without a sync, this directory's own in its parent
  // among them: all that is acknowledged from here on hangs on them.
  CO_TRY_(env_.disk.sync_directory(path_));
  if (!was_clean_) CO_TRY_(sync_ancestors());
  flusher_.spawn(flush_rounds());
  flusher_.spawn(keep_checkpoints());
  co_return Result<void>{};
}

std::optional<Error> LogDir::offline() const {
  return core_.enter([](const DirCore& core) { return core.offline; });
}

Offset LogDir::recovery_point(const std::string& directory) const {
  return core_.enter([&](const DirCore& core) { return find(core.recovery_points, directory); })
      .value_or(Offset(0));
}

Offset LogDir::log_start(const std::string& directory) const {
  return core_.enter([&](const DirCore& core) { return find(core.log_starts, directory); })
      .value_or(Offset(0));
}

Offset LogDir::saved_start(const std::string& directory) const {
  return core_.enter([&](const DirCore& core) { return find(core.saved_starts, directory); })
      .value_or(Offset(0));
}

Offset LogDir::high_watermark(const std::string& directory) const {
  return core_.enter([&](const DirCore& core) { return find(core.high_watermarks, directory); })
      .value_or(Offset(0));
}

std::optional<Offset> LogDir::cleaner_point(const std::string& directory) const {
  return core_.enter([&](const DirCore& core) { return find(core.cleaner_points, directory); });
}

Task<Result<void>> LogDir::set_cleaner_point(Env& env, std::string directory,
                                             std::optional<Offset> offset) {
  core_.enter([&](DirCore& core) {
    if (offset)
      core.cleaner_points[directory] = *offset;
    else
      core.cleaner_points.erase(directory);
  });
  std::vector<Checkpoint> which(1, Checkpoint::cleaner_points);
  co_return co_await save_checkpoints(env, which);
}

Task<Result<void>> LogDir::save_points(Env& env) {
  std::vector<Checkpoint> which(kPositions.begin(), kPositions.end());
  if (planted(Bug::points_before_starts)) std::ranges::reverse(which);
  co_return co_await save_checkpoints(env, which);
}

void LogDir::attach(const std::string& directory, LogMember& member) {
  core_.enter([&](DirCore& core) { core.add(directory, member); });
}

Task<void> LogDir::detach(Env& env, const std::string& directory) {
  host::WaitSet freed(env.loop);
  freed.watch(freed_);
  while (!core_.enter([&](DirCore& core) { return core.remove(directory); }))
    co_await freed.wait_until(kNever);
}

void LogDir::closed(const std::string& directory, const LogPoints& points) {
  core_.enter([&](DirCore& core) { core.set(directory, points); });
}

void LogDir::abandon(const std::string& directory) {
  core_.enter([&](DirCore& core) { core.abandon(directory); });
}

void LogDir::mark_dirty(LogMember& member) {
  if (core_.enter([&](DirCore& core) { return core.mark_dirty(member); })) changed_.raise();
}

void LogDir::unpin(LogMember& member) {
  core_.enter([&](DirCore& core) { core.unpin(member); });
  freed_.raise();
}

void LogDir::fail(const Error& error) {
  if (!core_.enter([&](DirCore& core) { return core.fail(error); })) return;
  auto all = core_.enter([](DirCore& core) { return core.pin_all(); });
  for (auto& [directory, member] : all) {
    member->go_offline(error);
    unpin(*member);
  }
}

Task<void> LogDir::sync_one(LogMember& member) {
  co_await member.sync_round(env_);
  unpin(member);
  permits_.release(1);
}

Task<void> LogDir::run_round(std::vector<LogMember*> round) {
  bool alone = round.size() == 1;
  for (LogMember* member : round) {
    co_await permits_.acquire(1);
    LogMember& next = *member;
    if (alone)
      co_await sync_one(next);
    else
      round_.spawn(sync_one(next));
  }
  co_await round_.drained();
}

Task<void> LogDir::flush_rounds() {
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  for (;;) {
    auto round = core_.enter([](DirCore& core) { return core.take_dirty(); });
    if (!round.empty())
      co_await run_round(round);
    else if (core_.enter([](DirCore& core) { return core.stopping; }))
      co_return;
    else
      co_await changes.wait_until(kNever);
  }
}

// Beside the rounds: nobody who waits for a group commit waits for these files as well.
Task<void> LogDir::keep_checkpoints() {
  host::WaitSet changes(env_.loop);
  changes.watch(stopping_);
  Instant next_positions = env_.loop.now() + config_.checkpoint_interval;
  Instant next_high_watermarks = env_.loop.now() + config_.high_watermark_interval;
  while (!core_.enter([](DirCore& core) { return core.stopping; })) {
    bool raised = co_await changes.wait_until(std::min(next_positions, next_high_watermarks));
    if (raised) continue;
    Instant now = env_.loop.now();
    std::vector<Checkpoint> due;
    if (now >= next_positions) due = {kPositions.begin(), kPositions.end()};
    if (now >= next_high_watermarks) due.push_back(Checkpoint::high_watermarks);
    Result<void> saved = co_await save_checkpoints(env_, due);
    if (!saved && saved.error().code() == Errc::io) fail(saved.error());
    if (now >= next_positions) next_positions = env_.loop.now() + config_.checkpoint_interval;
    if (now >= next_high_watermarks)
      next_high_watermarks = env_.loop.now() + config_.high_watermark_interval;
  }
}

Task<Result<void>> LogDir::save_checkpoints(Env& env, std::vector<Checkpoint> which) {
  host::WaitSet freed(env.loop);
  freed.watch(freed_);
  while (core_.enter([](DirCore& core) { return std::exchange(core.saving, true); }))
    co_await freed.wait_until(kNever);
  Result<void> written = co_await write_checkpoints(env, which);
  core_.enter([](DirCore& core) { core.saving = false; });
  freed_.raise();
  co_return written;
}

Task<Result<void>> LogDir::write_checkpoints(Env& env, std::vector<Checkpoint> which) {
  if (auto error = offline()) co_return moldau::fail(Errc::offline, error->to_string());
  auto all = core_.enter([](DirCore& core) { return core.pin_all(); });
  std::vector<LogPoints> points;
  for (auto& [directory, member] : all) points.push_back(member->points());
  OffsetCheckpoint starts;
  std::vector<std::string> texts = core_.enter([&](DirCore& core) {
    for (size_t i = 0; i < all.size(); i++) {
      core.set(all[i].first, points[i]);
      core.unpin(*all[i].second);
    }
    starts = core.log_starts;
    std::vector<std::string> out;
    for (Checkpoint one : which) out.push_back(encode_offset_checkpoint(points_of(core, one)));
    return out;
  });
  freed_.raise();
  for (size_t i = 0; i < which.size(); i++) {
    CO_TRY_(replace_text(env, path_, file_of(which[i]), texts[i]));
    if (which[i] == Checkpoint::log_starts)
      core_.enter([&](DirCore& core) { core.saved_starts = starts; });
  }
  co_return Result<void>{};
}

Task<Result<void>> LogDir::forget(Env& env, const std::string& directory) {
  bool known = core_.enter([&](DirCore& core) { return core.erase(directory); });
  std::vector<Checkpoint> all(kAllCheckpoints.begin(), kAllCheckpoints.end());
  if (known) CO_TRY_(save_checkpoints(env, all));
  co_return Result<void>{};
}

Task<void> LogDir::stop() {
  core_.enter([](DirCore& core) {
    CHECK(core.members() == 0, "{} logs are still open", core.members());
    core.stopping = true;
  });
  changed_.raise();
  stopping_.raise();
  co_await flusher_.drained();
}

Task<Result<void>> LogDir::close(int64_t broker_epoch) {
  co_await stop();
  bool clean = core_.enter([](DirCore& core) { return !core.unclean && !core.offline; });
  if (!clean)
    co_return moldau::fail(
        Errc::offline,
        path_ + ": not all of it was closed in order, the next start will look through it");
  // The cleaner's file is there once the cleaner has something to say.
  std::vector<Checkpoint> ours(kAllCheckpoints.begin(), kAllCheckpoints.end() - 1);
  CO_TRY_(save_checkpoints(env_, ours));
  std::string marker = fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch);
  CO_TRY_(replace_text(env_, path_, kMarker, marker));
  lock_ = nullptr;
  co_return Result<void>{};
}

Task<Result<DirContents>> LogDir::contents(Env& env) {
  DirContents found;
  CO_TRY(entries, env.disk.list(path_));
  for (host::DirEntry& entry : entries) {
    if (!entry.directory) continue;
    std::string path = path_ + "/" + entry.name;
    switch (parse_dir_name(entry.name).kind) {
      case DirKind::partition:
        found.partitions.push_back(std::move(entry.name));
        break;
      case DirKind::future:
        found.futures.push_back(std::move(entry.name));
        break;
      case DirKind::stray:
        found.strays.push_back(std::move(entry.name));
        break;
      case DirKind::foreign:
        found.foreign.push_back(std::move(entry.name));
        break;
      case DirKind::deleted:
        CO_TRY_(remove_tree(env, path));
    }
  }
  co_return found;
}

}  // namespace moldau::log
