// What the simulated process appends, and whether the log took it as it had to: duplicates, gaps,
// fenced producers. And what the log says of producers and transactions.
#include <fmt/format.h>

#include "host/clock.h"
#include "host/loop.h"
#include "log/producer_snapshot.h"
#include "log_world.h"
#include "wire/record_batch.h"

namespace moldau::logsim {

using host::Task;

Sending LogProcess::draw_batch(Open& open, const AppendPlan& plan) {
  Subject& subject = open.subject;
  auto room = static_cast<size_t>(subject.config.segment_bytes);
  if (subject.producers && plan.by_producers)
    return subject.producers->next(subject.batches, subject.model.producers(), room);
  return {.batch = subject.batches.next(room)};
}

// Gives the batches the offsets from `base` on.
void LogProcess::place(MutableBytes batches, Offset base, LeaderEpoch epoch) {
  for (size_t at = 0; at < batches.size();) {
    MutableBytes rest = batches.subspan(at);
    auto header = wire::read_batch_header(rest);
    if (!header) return;
    wire::set_base_offset(rest, base);
    wire::set_leader_epoch(rest, epoch);
    base += int64_t{header->last_offset_delta} + 1;
    at += header->size();
  }
}

// The log refused it because of its producer: was that right?
bool LogProcess::refused_rightly(Subject& subject, const ProducerModel::Due& due,
                                 const Error& error) {
  bool because_of_producer =
      error.code() == Errc::out_of_sequence || error.code() == Errc::producer_fenced ||
      error.code() == Errc::coordinator_fenced || error.code() == Errc::wrong_transaction_state;
  if (!because_of_producer) return false;
  if (due.refused != error.code())
    subject.model.report("refused_wrongly",
                         fmt::format("{}; due was {}", error.to_string(),
                                     due.refused ? errc_name(*due.refused) : "an append"));
  return true;
}

void LogProcess::check_taken(Subject& subject, const ProducerModel::Due& due,
                             const log::Appended& appended) {
  LogModel& model = subject.model;
  if (!appended.duplicate && due.original && !due.refused)
    model.report("appended_twice", fmt::format("the batch at {} once more at {}",
                                               due.original->first_offset(), appended.base));
  else if (!appended.duplicate && due.refused)
    model.report("taken_wrongly", fmt::format("a batch is appended at {}, due was {}",
                                              appended.base, errc_name(*due.refused)));
  if (!appended.duplicate) return;
  bool same = due.original && due.original->first_offset() == appended.base &&
              due.original->last_offset == appended.last;
  if (!same)
    model.report(
        "duplicate_wrong",
        fmt::format("said to be at {} to {}, but it is at {}", appended.base, appended.last,
                    due.original ? due.original->first_offset().value : -1));
}

// At once. Nothing: it was refused, as it had to be. An error: the log takes nothing just now.
Result<std::optional<log::Appended>> LogProcess::put(Open& open, Sending sending,
                                                     const AppendPlan& plan) {
  log::Log& log = *open.log;
  Subject& subject = open.subject;
  MutableBytes bytes = sending.batch.bytes;
  if (plan.as_follower) place(bytes, subject.model.end() + plan.gap, subject.epoch);
  WallTime now = env_.clock.wall();
  ProducerModel::Due due = subject.model.producers().due(placed_batch(bytes, subject.model.end()),
                                                         subject.model.remembered());
  // A leader would not have taken it.
  if (plan.as_follower && (due.refused || due.original)) return std::optional<log::Appended>();
  auto appended = plan.as_follower
                      ? log.append_verbatim(sending.batch.block, bytes, now)
                      : log.append(sending.batch.block, bytes, subject.epoch, now, sending.origin);
  if (!appended) {
    if (refused_rightly(subject, due, appended.error())) return std::optional<log::Appended>();
    bool busy = open.cutting && appended.error().code() == Errc::busy;
    if (!log.offline() && !busy) judge_error(subject, appended.error(), "appending");
    return std::move(appended.error());
  }
  check_taken(subject, due, *appended);
  if (!appended->duplicate)
    subject.model.appended(*appended, bytes, subject.epoch, plan.as_follower);
  subject.model.observe(log.offsets());
  return std::optional(*appended);
}

// Waits, if it is patient, until what was taken last is committed. True: it is.
Task<bool> LogProcess::settle(Open& open, log::Appended last, bool patient) {
  log::Log& log = *open.log;
  Subject& subject = open.subject;
  co_await log.write_out(env_);
  subject.model.observe(log.offsets());
  while (patient && log.state(last) == log::AppendState::pending)
    co_await env_.loop.sleep(milliseconds(1));
  subject.model.observe(log.offsets());
  if (log.state(last) != log::AppendState::committed) co_return false;
  subject.model.committed(last.last + 1, subject.config.flush == log::Flush::ack);
  co_return true;
}

Task<bool> LogProcess::append(Open& open, AppendPlan plan) {
  std::optional<log::Appended> last;
  for (uint64_t i = 0; i < plan.appends; i++) {
    Sending sending = draw_batch(open, plan);
    auto taken = put(open, std::move(sending), plan);
    if (!taken) co_return false;
    if (*taken) last = **taken;
  }
  if (!last) co_return false;
  log::Appended waits = *last;
  bool committed = co_await settle(open, waits, plan.patient);
  if (committed) open.subject.acked++;
  co_return committed;
}

Task<void> LogProcess::send_again(Open& open) {
  if (!open.subject.producers) co_return;
  std::optional<log::Appended> last;
  std::vector<Sending> all = open.subject.producers->again();
  for (Sending& sending : all) {
    auto taken = put(open, std::move(sending), {});
    if (!taken) co_return;
    if (*taken) last = **taken;
  }
  if (!last) co_return;
  log::Appended waits = *last;
  bool committed = co_await settle(open, waits, true);
  if (committed) check_producers(open);
}

void LogProcess::check_producers(Open& open) {
  log::Log& log = *open.log;
  if (world_.damage || log.offline()) return;
  std::vector<uint8_t> snapshot = log.producer_snapshot();
  auto entries = log::decode_producer_snapshot(snapshot);
  if (!entries) return open.subject.model.report("producers_wrong", entries.error().to_string());
  open.subject.model.observe(log.offsets());
  Offset high_watermark = log.offsets().committed;
  Offset stable = log.last_stable(high_watermark);
  open.subject.model.check_producers(*entries, stable, high_watermark);
}

Task<void> LogProcess::check_aborted(Open& open, Offset from, Offset upper) {
  LogModel& model = open.subject.model;
  uint64_t losses = model.losses();
  size_t before = model.producers().aborted().size();
  auto found = co_await open.log->aborted(env_, from, upper);
  bool moved = open.cutting || losses != model.losses() || from < open.log->offsets().start;
  if (moved || world_.damage || open.log->offline()) co_return;
  if (!found)
    co_return judge_error(open.subject, found.error(), "looking for aborted transactions");
  model.check_aborted(*found, from, upper, before);
}

}  // namespace moldau::logsim
