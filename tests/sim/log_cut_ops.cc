// The simulated process takes away from the end of its logs, as a follower does.
#include "log_world.h"

namespace moldau::logsim {

using host::Task;

// What the cut left was compared when the log said that it was done; others may have appended
// since.
void LogProcess::check_cut(Open& open, const Result<Offset>& end) {
  open.cutting = false;
  if (end) return open.subject.model.left_cut(*end);
  // Half done: the directory is offline, and the next life finds what it finds.
  if (!open.log->offline()) judge_error(open.subject, end.error(), "cutting");
}

Task<void> LogProcess::truncate(Open& open, Offset to) {
  if (std::exchange(open.cutting, true)) co_return;
  open.subject.model.cutting(to);
  auto end = co_await open.log->truncate(env_, to);
  check_cut(open, end);
}

Task<void> LogProcess::restart_at(Open& open, Offset at) {
  if (std::exchange(open.cutting, true)) co_return;
  open.subject.model.restarting(at);
  auto end = co_await open.log->restart_at(env_, at);
  check_cut(open, end);
}

}  // namespace moldau::logsim
