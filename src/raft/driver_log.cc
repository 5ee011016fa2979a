// The part of Driver that changes the log. Appends go into it at once, in memory. What the disk has
// to do first (a cut, a snapshot, a trim) is done in order by one task, and appends queue behind
// it.
//
// A snapshot takes the log's place in this order, each step on stable storage before the next: the
// file under another name; its name; the log, empty, at its end. What a crash leaves after the
// second is mended by recover().
#include <cstring>

#include "base/bug.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/logging.h"
#include "host/loop.h"
#include "host/whole_file.h"
#include "log/files.h"
#include "raft/driver.h"
#include "raft/driver_recover.h"
#include "raft/snapshot_name.h"

namespace moldau::raft {

using host::Task;

void Driver::put(LogWrite write) {
  if (write.truncates() || at_job_ || !jobs_.empty())
    jobs_.emplace_back(std::move(write));
  else
    append_now(write);
  work_.raise();
}

void Driver::append_now(LogWrite& write) {
  BlockRef block = BlockRef::allocate(write.bytes.size());
  std::memcpy(block.data(), write.bytes.data(), write.bytes.size());
  MutableBytes bytes(block.data(), write.bytes.size());
  Result<log::Appended> appended = log_->append_verbatim(block, bytes, env_.clock.wall());
  if (!appended) return fail_with(std::move(appended.error()));
  writes_.push_back({write.number, appended->last + 1});
}

Task<void> Driver::keep_log() {
  host::WaitSet changes(env_.loop);
  changes.watch(work_);
  while (!ended()) {
    co_await log_->write_out(env_);
    if (ended()) co_return;
    if (jobs_.empty()) {
      co_await changes.wait_until(kNever);
      continue;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    co_await do_job(std::move(job));
    worked_.raise();
    wake_.raise();
  }
}

Task<void> Driver::do_job(Job job) {
  at_job_ = true;
  Result<void> done;
  if (auto* write = std::get_if<LogWrite>(&job)) {
    if (write->truncates())
      done = co_await cut(std::move(*write));
    else
      append_now(*write);
  }
  if (auto* step = std::get_if<SnapshotStep>(&job)) done = co_await take(std::move(*step));
  if (auto* trim = std::get_if<Trim>(&job)) done = co_await do_trim(trim->to);
  at_job_ = false;
  if (!done) fail_with(std::move(done.error()));
}

// What was written before it is settled as well: it is on stable storage, or gone.
Task<Result<void>> Driver::cut(LogWrite write) {
  if (logger_) MOLDAU_LOG_INFO(*logger_, "cuts its log to offset {}", write.at);
  CO_TRY(end, log_->truncate(env_, write.at));
  if (end != write.at)
    co_return fail(Errc::corrupt,
                   fmt::format("{} was to be cut to offset {}, where its leader's log differs, and "
                               "a batch of it reaches from {} beyond that",
                               log_->path(), write.at, end));
  writes_.clear();
  carry_out(core_.log_durable(now(), write.number));
  co_return Result<void>();
}

// --- Snapshots of others ---

Task<Result<void>> Driver::take(SnapshotStep step) {
  switch (step.kind) {
    case SnapshotStep::begin:
      co_return co_await begin_snapshot(step.id);
    case SnapshotStep::abandon:
      co_return co_await abandon_snapshot(step.id);
    case SnapshotStep::finish:
      co_return co_await load_snapshot(step.id);
    case SnapshotStep::bytes:
      break;
  }
  Bytes parts[] = {Bytes(step.received)};
  std::span<const Bytes> all = parts;
  CO_TRY_(receiving_->write_at(all, step.position));
  co_return Result<void>();
}

Task<Result<void>> Driver::begin_snapshot(OffsetAndEpoch id) {
  std::string path = log_->path() + "/" + snapshot_part_name(id);
  CO_TRY(file, env_.disk.open(path, host::OpenMode::create));
  receiving_ = std::move(file);
  CO_TRY_(receiving_->truncate(0));
  co_return Result<void>();
}

Task<Result<void>> Driver::abandon_snapshot(OffsetAndEpoch id) {
  receiving_.reset();
  std::string path = log_->path() + "/" + snapshot_part_name(id);
  co_return co_await log::remove_if_exists(env_, path);
}

Task<Result<void>> Driver::load_snapshot(OffsetAndEpoch id) {
  if (!planted(Bug::raft_snapshot_unsynced)) CO_TRY_(receiving_->sync());
  receiving_.reset();
  std::string directory = log_->path();
  std::string part = directory + "/" + snapshot_part_name(id), path = snapshot_path(*log_, id);
  CO_TRY(content, host::read_whole_file(env_.disk, part, kMaxSnapshot));
  Snapshot snapshot{id, std::ssize(content)};
  Result<VoterHistory> voters = voters_of_snapshot(content, configured_);
  if (!voters) {
    CO_TRY_(log::remove_if_exists(env_, part));
    carry_out(core_.snapshot_refused(now(), voters.error().to_string()));
    co_return Result<void>();
  }
  CO_TRY_(env_.disk.rename(part, path));
  CO_TRY_(env_.disk.sync_directory(directory));
  CO_TRY_(log_->restart_at(env_, id.offset));
  writes_.clear();
  if (logger_) MOLDAU_LOG_INFO(*logger_, "the snapshot at {} has taken the place of the log", id);
  carry_out(core_.snapshot_loaded(now(), snapshot, std::move(*voters)));
  moved_.raise();
  co_return co_await remove_snapshots_before(id.offset);
}

// --- Of our own ---

Task<Result<void>> Driver::do_trim(Offset to) {
  if (to > core_.high_watermark() || !core_.log_trimmed(to)) co_return Result<void>();
  if (logger_) MOLDAU_LOG_DEBUG(*logger_, "the log begins at {} from now on", to);
  CO_TRY_(log_->delete_records(env_, to));
  Instant at_once = env_.loop.now();
  CO_TRY_(log_->remove_old(env_, at_once));
  CO_TRY_(log_->delete_doomed(env_, at_once));
  co_return co_await remove_snapshots_before(to);
}

// Nothing reads the log with them any more; one who is just fetching such a file has to begin with
// the newer one.
Task<Result<void>> Driver::remove_snapshots_before(Offset offset) {
  std::vector<Snapshot> all(core_.log().snapshots().begin(), core_.log().snapshots().end());
  for (const Snapshot& old : all) {
    if (old.id.offset >= offset) continue;
    core_.snapshot_removed(old.id);
    std::string path = snapshot_path(*log_, old.id);
    CO_TRY_(log::remove_if_exists(env_, path));
  }
  co_return Result<void>();
}

}  // namespace moldau::raft
