#include "log/log.h"

#include <fmt/format.h>

#include "base/bug.h"
#include "base/check.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "log/derived.h"
#include "log/dir_name.h"
#include "log/files.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

Log::Log(LogDir& dir, std::string directory, const LogConfig& config, Recovered recovered)
    : dir_(dir),
      directory_(std::move(directory)),
      path_(dir.path() + "/" + directory_),
      core_(config, std::move(recovered.opened)),
      segments_read_(recovered.segments_read),
      bytes_cut_(recovered.bytes_cut),
      cut_because_(std::move(recovered.cut_because)),
      mended_(std::move(recovered.mended)),
      index_on_disk_(recovered.index_on_disk),
      end_on_disk_(offsets().end) {}

LogConfig Log::config() const {
  return core_.enter([](const LogCore& core) { return core.config(); });
}

void Log::reconfigure(const LogConfig& config) {
  core_.enter([&](LogCore& core) { core.reconfigure(config); });
}

Log::~Log() {
  if (!closed_) dir_.abandon(directory_);
}

Task<Result<std::unique_ptr<Log>>> Log::open(Env& env, LogDir& dir, std::string directory,
                                             LogConfig config) {
  if (auto error = dir.offline()) co_return fail(Errc::offline, error->to_string());
  RecoveryRequest request{.path = dir.path() + "/" + directory,
                          .clean = dir.was_clean(),
                          .index_interval_bytes = config.index_interval_bytes,
                          .producer_expiration_millis = config.producer_expiration_millis};
  config.jitter_seed = env.entropy.next();
  auto entries = co_await env.disk.list(request.path);
  if (!entries && entries.error().code() != Errc::not_found) {
    dir.abandon(directory);  // it may be there, and was not recovered: no clean stop
    co_return std::move(entries.error());
  }
  if (!entries) {
    CO_TRY_(dir.forget(env, directory));
    CO_TRY_(env.disk.make_directory(request.path));
    Result<void> named = co_await env.disk.sync_directory(dir.path());
    if (!named) {
      // The next open would find it and take its name for durable.
      dir.fail(named.error());
      co_return std::move(named.error());
    }
  }
  if (entries) request.entries = std::move(*entries);
  request.recovery_point = dir.recovery_point(directory);
  request.log_start = dir.log_start(directory);
  Result<Recovered> found = co_await recover(env, request);
  if (!found) {
    dir.abandon(directory);  // not recovered: no clean stop for this directory
    co_return std::move(found.error());
  }
  Recovered& recovered = *found;
  if (recovered.fresh) {
    std::string epochs = request.path + "/" + kEpochsFile;
    CO_TRY_(env.disk.open(epochs, OpenMode::create));
  }
  auto log = std::make_unique<Log>(dir, std::move(directory), config, std::move(recovered));
  dir.attach(log->directory_, *log);
  if (auto error = dir.offline()) log->go_offline(*error);
  co_return log;
}

Result<Appended> Log::append(BlockRef block, MutableBytes batches, LeaderEpoch epoch, WallTime now,
                             Origin origin) {
  return core_.enter(
      [&](LogCore& core) { return core.append(std::move(block), batches, epoch, now, origin); });
}

Result<Appended> Log::append_verbatim(BlockRef block, MutableBytes batches, WallTime now) {
  return core_.enter(
      [&](LogCore& core) { return core.append_verbatim(std::move(block), batches, now); });
}

Offsets Log::offsets() const {
  return core_.enter([](const LogCore& core) { return core.offsets(); });
}

std::optional<EpochEnd> Log::epoch_end(LeaderEpoch epoch) const {
  return core_.enter(
      [&](const LogCore& core) { return core.epochs().end_of(epoch, core.offsets().end); });
}

AppendState Log::state(const Appended& appended) const {
  return core_.enter([&](const LogCore& core) {
    if (core.failed(appended.ticket)) return AppendState::failed;
    return core.offsets().committed > appended.last ? AppendState::committed : AppendState::pending;
  });
}

bool Log::failed(uint64_t ticket) const {
  return core_.enter([&](const LogCore& core) { return core.failed(ticket); });
}

size_t Log::unwritten_bytes() const {
  return core_.enter([](const LogCore& core) { return core.unwritten_bytes(); });
}

bool Log::offline() const {
  return core_.enter([](const LogCore& core) { return core.offline().has_value(); });
}

LogPoints Log::points() const {
  LogPoints points;
  core_.enter([&](const LogCore& core) {
    Offsets offsets = core.offsets();
    points.recovery_point = core.recovery_point();
    points.high_watermark = offsets.committed;
    if (!core.start_in_name() && offsets.start > Offset(0)) points.log_start = offsets.start;
  });
  if (listener_)
    points.high_watermark = listener_->high_watermark().value_or(points.high_watermark);
  return points;
}

void Log::go_offline(const Error& error) {
  core_.enter([&](LogCore& core) { core.fail(error); });
  if (listener_) listener_->on_failed();
  idle_.raise();
}

void Log::apply(const Effects& effects) {
  if (effects.offline) dir_.fail(*effects.offline);
  if (effects.sync_wanted) dir_.mark_dirty(*this);
  if (effects.committed && listener_) listener_->on_committed(*effects.committed);
  if (effects.dropped && listener_) listener_->on_failed();
}

Task<void> Log::write_out(Env& env) {
  WriteStep step;
  bool have_role = false;
  core_.enter([&](LogCore& core) { core.next_write(step, have_role); });
  if (!have_role) co_return;
  while (have_role) {
    Result<void> done = co_await carry_out(env, step);
    Effects effects = core_.enter([&](LogCore& core) {
      if (!done) {
        have_role = false;
        return core.write_failed(done.error());
      }
      Effects written = step.kind == WriteStep::Kind::write ? core.written(step) : Effects{};
      core.next_write(step, have_role);
      return written;
    });
    apply(effects);
  }
  idle_.raise();
}

Task<Result<void>> Log::carry_out(Env& env, WriteStep& step) {
  if (step.kind == WriteStep::Kind::create) co_return co_await create_segment(env, step);
  co_return co_await write_segment(env, step);
}

Task<Result<void>> Log::create_segment(Env& env, WriteStep& step) {
  std::string path = path_ + "/" + segment_file_name(step.segment, ".log");
  CO_TRY(opened, env.disk.open(path, OpenMode::create));
  FileRef file = std::move(opened);
  // Left by an attempt that a full disk ended.
  if (file->size() > 0) CO_TRY_(file->truncate(0));
  core_.enter([&](LogCore& core) { core.created(step, file); });
  co_return Result<void>{};
}

Task<Result<void>> Log::write_segment(Env& env, WriteStep& step) {
  if (!step.file) {
    CO_TRY(opened, open_file(env, step.segment));
    step.file = std::move(opened);
  }
  std::span<const Bytes> parts(step.parts.data(), step.count);
  auto written = co_await step.file->write_at(parts, step.position);
  if (written) co_return Result<void>{};
  // A piece may be there. Were it left, a later and shorter append could bring an old batch behind
  // it back to life. The cut is synced at once: nothing else makes this file dirty again if the
  // next append rolls, and with the piece back after a power loss recovery would stop at it and
  // drop the segments behind.
  Error error = std::move(written.error());
  if (error.code() == Errc::no_space && !planted(Bug::failed_bytes_left)) {
    CO_TRY_(step.file->truncate(step.position));
    CO_TRY_(step.file->sync());
  }
  co_return error;
}

Task<Result<FileRef>> Log::open_file(Env& env, Offset segment) {
  std::string path = path_ + "/" + segment_file_name(segment, ".log");
  auto generation = core_.enter([&](LogCore& core) { return core.generation(segment); });
  CO_TRY(opened, env.disk.open(path, OpenMode::read_write));
  FileRef file = std::move(opened);
  if (generation) core_.enter([&](LogCore& core) { core.file_opened(segment, *generation, file); });
  co_return file;
}

Task<Result<void>> Log::sync_files(Env& env, const SyncStep& step) {
  for (const SyncStep::Item& item : step.files) {
    FileRef file = item.file;
    if (!file) {
      CO_TRY(opened, open_file(env, item.segment));
      file = std::move(opened);
    }
    CO_TRY_(file->sync());
  }
  if (step.directory) CO_TRY_(env.disk.sync_directory(path_));
  co_return Result<void>{};
}

Task<Result<void>> Log::sync_once(Env& env, bool all) {
  std::optional<SyncStep> step = core_.enter([&](LogCore& core) { return core.begin_sync(all); });
  if (!step) co_return Result<void>{};
  const SyncStep& todo = *step;
  Result<void> done = co_await sync_files(env, todo);
  Effects effects = core_.enter(
      [&](LogCore& core) { return done ? core.end_sync(todo) : core.sync_failed(done.error()); });
  apply(effects);
  idle_.raise();
  if (effects.write_wanted) co_await write_out(env);
  co_return done;
}

// What is derived from sealed segments, and the leader epochs: what the recovery point waits for.
Task<Result<void>> Log::save_derived(Env& env) {
  for (;;) {
    co_await take_files(env);  // no segment goes while its files are written
    auto more = co_await save_next(env);
    give_files();
    if (!more) co_return std::move(more.error());
    if (!*more) co_return Result<void>{};
  }
}

// False: that was the last.
Task<Result<bool>> Log::save_next(Env& env) {
  auto unsaved = core_.enter([](LogCore& core) { return core.unsaved_derived(); });
  if (unsaved) {
    const DerivedStep& step = *unsaved;
    CO_TRY_(save_derived_files(env, path_, step));
    core_.enter([&](LogCore& core) { core.derived_saved(step.index->base()); });
    co_return true;
  }
  auto epochs = core_.enter([](LogCore& core) { return core.unsaved_epochs(); });
  if (!epochs) co_return false;
  CO_TRY_(replace_text(env, path_, kEpochsFile, epochs->text));
  core_.enter([&](LogCore& core) { core.epochs_saved(epochs->version); });
  co_return false;
}

Task<void> Log::sync_round(Env& env) {
  Result<void> done = co_await sync_once(env, false);
  if (!done) co_return;
  done = co_await save_derived(env);
  bool full =
      !done && (done.error().code() == Errc::no_space || done.error().code() == Errc::exhausted);
  if (!done && !full) dir_.fail(done.error());
}

Task<void> Log::idle(Env& env) {
  host::WaitSet changes(env.loop);
  changes.watch(idle_);
  for (;;) {
    co_await write_out(env);
    if (core_.enter([](LogCore& core) { return core.quiet(); })) co_return;
    co_await changes.wait_until(kNever);
  }
}

Task<Result<void>> Log::settle(Env& env) {
  CO_TRY_(sync_once(env, true));
  CO_TRY_(save_derived(env));
  // A partition that nothing was ever written to has no segment file, and no use for index files.
  if (core_.enter([](LogCore& core) { return !core.segments().back().exists; }))
    co_return Result<void>{};
  DerivedStep last = core_.enter([](LogCore& core) { return core.final_derived(); });
  const SegmentIndex& index = *last.index;
  // A stop with thousands of partitions that nobody has written to syncs nothing for them.
  bool there =
      last.next == end_on_disk_ &&
      index_on_disk_ == fingerprint(index.base(), index.encode_offsets(), index.encode_times());
  if (!there) CO_TRY_(save_derived_files(env, path_, last));
  core_.enter([&](LogCore& core) { core.derived_saved(index.base()); });
  co_return Result<void>{};
}

Task<Result<void>> Log::close(Env& env) {
  co_await pause_cleaning(env);
  co_await idle(env);
  co_await dir_.detach(env, directory_);
  Result<void> settled = fail(Errc::offline, path_ + ": its data directory is offline");
  if (!offline()) settled = co_await settle(env);
  if (settled)
    dir_.closed(directory_, points());
  else
    dir_.abandon(directory_);
  closed_ = true;
  co_return settled;
}

Task<Result<void>> Log::remove(Env& env) {
  co_await pause_cleaning(env);
  co_await idle(env);
  co_await dir_.detach(env, directory_);
  closed_ = true;
  CO_TRY_(dir_.forget(env, directory_));
  // Renamed first, as Kafka does: after a crash it is either still this partition or rubbish to be
  // finished.
  Uuid unique = env.entropy.uuid();
  std::string doomed =
      dir_.path() + "/" + dir_name_with_suffix(directory_, DirKind::deleted, unique);
  CO_TRY_(env.disk.rename(path_, doomed));
  CO_TRY_(env.disk.sync_directory(dir_.path()));
  co_return co_await remove_tree(env, doomed);
}

}  // namespace moldau::log
