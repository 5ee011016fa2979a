// The simulated process takes away from the front of its logs: deletion of records, retention.
#include <fmt/format.h>

#include "host/clock.h"
#include "host/loop.h"
#include "log_world.h"

namespace moldau::logsim {

using host::Task;

Task<void> LogProcess::delete_records(Open& open, Offset to) {
  log::Log& log = *open.log;
  LogModel& model = open.subject.model;
  log::Offsets before = log.offsets();
  if (to <= before.committed) model.front().allow(to);
  auto start = co_await log.delete_records(env_, to);
  if (start) {
    if (to > log.offsets().committed)
      model.report("deleted_uncommitted",
                   fmt::format("deletes up to {}, committed is {}", to, log.offsets().committed));
    if (*start < to && !open.cutting)
      model.report("not_deleted", fmt::format("deletes up to {}, begins at {}", to, *start));
    if (!open.cutting) model.front().promise(std::min(*start, to));
    co_return;
  }
  bool refused = start.error().code() == Errc::out_of_range && to > before.committed;
  if (!refused && !log.offline()) judge_error(open.subject, start.error(), "deleting records");
}

// In the steps and the order that a broker does it for all logs of a directory.
Task<void> LogProcess::retain(Open& open) {
  log::Log& log = *open.log;
  LogModel& model = open.subject.model;
  Offset before = log.offsets().start;
  model.front().retaining(true);  // judged below
  auto moved = co_await log.retain(env_);
  model.front().retaining(false);
  model.front().allow(log.offsets().committed);
  Offset start = log.offsets().start;
  if (!moved) {
    if (!log.offline()) judge_error(open.subject, moved.error(), "retention");
    co_return;
  }
  model.observe(log.offsets());
  auto wrong = judge_removal(model.batches(), open.subject.config.retention, before, start,
                             env_.clock.wall());
  if (*moved && !open.cutting && wrong) model.report("removed_too_early", *wrong);
  Result<void> done = co_await open.dir.save_points(env_);
  if (done) done = co_await log.remove_old(env_, env_.loop.now() + milliseconds(50));
  if (done) done = co_await log.delete_doomed(env_, env_.loop.now());
  if (!done && !log.offline()) judge_error(open.subject, done.error(), "retention");
}

}  // namespace moldau::logsim
