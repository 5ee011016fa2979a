#include "replica/driver.h"

#include <fmt/format.h>

#include "host/env.h"
#include "host/loop.h"
#include "log/cleaner.h"
#include "log/log_dir.h"

namespace moldau::replica {

using host::Task;

namespace {
constexpr size_t kMaxUnwritten = 16 << 20;
constexpr LeaderEpoch kFirstEpoch{0};  // of a new partition; the controller says of the others
}  // namespace

Partition::Partition(std::string topic, PartitionIndex index, std::unique_ptr<log::Log> log)
    : topic_(std::move(topic)),
      index_(index),
      log_(std::move(log)),
      state_(Leader(kFirstEpoch, log_->offsets().committed)) {
  log_->set_listener(this);
}
Partition::~Partition() = default;

Task<Result<std::shared_ptr<Partition>>> Partition::open(host::Env& env, log::LogDir& dir,
                                                         std::string topic, PartitionIndex index,
                                                         log::LogConfig config) {
  std::string directory = fmt::format("{}-{}", topic, index);
  CO_TRY(log, log::Log::open(env, dir, directory, config));
  co_return std::make_shared<Partition>(std::move(topic), index, std::move(log));
}

void Partition::on_committed(Offset end) {
  if (state_.enter([&](State& state) { return state.leader.on_local_commit(end); })) moved_.raise();
}

void Partition::on_failed() { moved_.raise(); }

std::optional<Offset> Partition::high_watermark() const {
  return state_.enter([](const State& state) { return state.leader.high_watermark(); });
}

Result<log::Appended> Partition::append(const BlockRef& block, MutableBytes batches, WallTime now) {
  if (retired()) return fail(Errc::closed, "the partition is going away");
  LeaderEpoch epoch = state_.enter([](const State& state) { return state.leader.epoch(); });
  return log_->append(block, batches, epoch, now);
}

void Partition::lead(LeaderEpoch epoch) {
  state_.enter([&](State& state) { state.leader.begin_epoch(epoch); });
}

Task<void> Partition::write_out(host::Env& env) { return log_->write_out(env); }

Task<Result<void>> Partition::wait_for_room(host::Env& env) {
  if (log_->unwritten_bytes() <= kMaxUnwritten) co_return Result<void>();
  host::WaitSet changes(env.loop);
  changes.watch(moved_);
  // What is not written yet will be committed, or fail: either raises the signal.
  while (log_->unwritten_bytes() > kMaxUnwritten) {
    if (log_->offline()) co_return fail(Errc::offline, "the log directory is offline");
    if (retired()) co_return fail(Errc::closed, "the partition is going away");
    co_await changes.wait_until(kNever);
  }
  co_return Result<void>();
}

Watermarks Partition::watermarks() const {
  log::Offsets offsets = log_->offsets();
  Watermarks marks = state_.enter([&](const State& state) {
    return Watermarks{.log_start = offsets.start,
                      .high_watermark = state.leader.high_watermark(),
                      .last_stable = state.leader.high_watermark(),
                      .log_end = offsets.end,
                      .leader_epoch = state.leader.epoch()};
  });
  marks.last_stable = log_->last_stable(marks.high_watermark);
  return marks;
}

bool Partition::committed(const log::Appended& append) const {
  Offset high_watermark =
      state_.enter([](const State& state) { return state.leader.high_watermark(); });
  return high_watermark > append.last && !log_->failed(append.ticket);
}

Task<Result<void>> Partition::wait_committed(host::Env& env, log::Appended append,
                                             Instant deadline) {
  host::WaitSet changes(env.loop);
  changes.watch(moved_);
  for (;;) {
    if (committed(append)) co_return Result<void>();
    if (log_->offline()) co_return fail(Errc::offline, "the log directory is offline");
    if (log_->failed(append.ticket))
      co_return fail(Errc::no_space, "the disk is full; nothing of this was kept");
    if (retired()) co_return fail(Errc::closed, "the partition is going away");
    bool raised = co_await changes.wait_until(deadline);
    if (!raised)
      co_return fail(Errc::timed_out, "the append was not committed in time; it may be later");
  }
}

// A read, or what changes the log's files. Not granted: the partition is retired.
class Partition::Use {
 public:
  explicit Use(Partition& partition) : partition_(partition) {
    granted_ = partition_.state_.enter([](State& state) {
      if (!state.retired) state.uses++;
      return !state.retired;
    });
  }
  ~Use() {
    if (!granted_) return;
    bool last =
        partition_.state_.enter([](State& state) { return --state.uses == 0 && state.retired; });
    if (last) partition_.unused_.raise();
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  bool granted() const { return granted_; }
  static Error refusal() { return fail(Errc::closed, "the partition is going away"); }

 private:
  Partition& partition_;
  bool granted_ = false;
};

Task<Result<log::ReadResult>> Partition::read(host::Env& env, Offset from, Bounds bounds) {
  Use use(*this);
  if (!use.granted()) co_return Use::refusal();
  Watermarks marks = watermarks();
  bool outside = from < marks.log_start || from > marks.high_watermark;
  if (outside)
    co_return fail(Errc::out_of_range, fmt::format("offset {} is outside [{}, {}]", from,
                                                   marks.log_start, marks.high_watermark));
  log::ReadRequest request{
      .from = from,
      .max_bytes = bounds.max_bytes,
      .limit = bounds.committed_only ? marks.last_stable : marks.high_watermark,
      .at_least_one = bounds.at_least_one};
  co_return co_await log_->read(env, request);
}

Task<Result<log::AbortedList>> Partition::aborted(host::Env& env, Offset from, Offset upper) {
  Use use(*this);
  if (!use.granted()) co_return Use::refusal();
  co_return co_await log_->aborted(env, from, upper);
}

Task<Result<std::optional<log::TimestampOffset>>> Partition::find_timestamp(host::Env& env,
                                                                            WallTime t) {
  Use use(*this);
  if (!use.granted()) co_return Use::refusal();
  co_return co_await log_->find_timestamp(env, t);
}

Task<Result<std::optional<log::TimestampOffset>>> Partition::max_timestamp(host::Env& env) {
  Use use(*this);
  if (!use.granted()) co_return Use::refusal();
  co_return co_await log_->max_timestamp(env);
}

void Partition::clean_by(log::Cleaner& cleaner) {
  cleaner_ = &cleaner;
  cleaner.add(*log_);
}

Result<void> Partition::raise_start(std::optional<Offset> to) {
  Use use(*this);
  if (!use.granted()) return Use::refusal();
  return log_->raise_start(to.value_or(watermarks().high_watermark));
}

Task<Result<bool>> Partition::retain(host::Env& env) {
  Use use(*this);
  if (!use.granted()) co_return false;
  co_return co_await log_->retain(env);
}

Task<Result<void>> Partition::remove_old(host::Env& env, Instant delete_at) {
  Use use(*this);
  if (!use.granted()) co_return Result<void>();
  co_return co_await log_->remove_old(env, delete_at);
}

Task<Result<void>> Partition::delete_doomed(host::Env& env, Instant now) {
  Use use(*this);
  if (!use.granted()) co_return Result<void>();
  co_return co_await log_->delete_doomed(env, now);
}

void Partition::retire() {
  state_.enter([](State& state) { state.retired = true; });
  moved_.raise();
}
bool Partition::retired() const {
  return state_.enter([](const State& state) { return state.retired; });
}

std::optional<log::EpochEnd> Partition::epoch_end(LeaderEpoch epoch) const {
  Watermarks marks = watermarks();
  if (epoch == marks.leader_epoch) return log::EpochEnd{epoch, marks.log_end};
  return log_->epoch_end(epoch);
}

Task<void> Partition::unused(host::Env& env) {
  host::WaitSet changes(env.loop);
  changes.watch(unused_);
  while (state_.enter([](const State& state) { return state.uses > 0; }))
    co_await changes.wait_until(kNever);
}

Task<Result<void>> Partition::close(host::Env& env) {
  retire();
  co_await unused(env);
  log::Log& log = *log_;
  if (cleaner_) co_await cleaner_->remove(env, log);
  co_return co_await log_->close(env);
}

Task<Result<void>> Partition::remove(host::Env& env) {
  retire();
  co_await unused(env);
  log::Log& log = *log_;
  if (cleaner_) co_await cleaner_->remove(env, log);
  co_return co_await log_->remove(env);
}

}  // namespace moldau::replica
