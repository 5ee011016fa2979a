#include "broker/maintenance.h"

#include <algorithm>
#include <map>
#include <string>

#include "host/clock.h"
#include "host/env.h"
#include "host/loop.h"
#include "log/log_dir.h"
#include "log/log_dirs.h"
#include "replica/driver.h"

namespace moldau::broker {

using host::Task;

namespace {
// As Kafka: a broker that has just started has better things to do.
constexpr Duration kFirstRound = seconds(30);
}  // namespace

void Maintenance::stop() {
  stop_ = true;
  stopping_.raise();
}

Instant Maintenance::next_due() const {
  Instant due = std::min(next_retention_, next_expiry_);
  return deletions_.empty() ? due : std::min(due, *deletions_.begin());
}

Task<void> Maintenance::run() {
  host::WaitSet changes(env_.loop);
  changes.watch(stopping_);
  next_retention_ = env_.loop.now() + std::min(config_.retention_check, kFirstRound);
  next_expiry_ = env_.loop.now() + config_.producer_expiry_check;
  while (!stop_) {
    Instant due = next_due();
    bool raised = co_await changes.wait_until(due);
    if (raised) continue;
    Instant now = env_.loop.now();
    if (!deletions_.empty() && now >= *deletions_.begin()) co_await deletion_round();
    if (now >= next_expiry_) {
      expire_producers();
      next_expiry_ = now + config_.producer_expiry_check;
    }
    if (now < next_retention_) continue;
    co_await retention_round();
    next_retention_ = env_.loop.now() + config_.retention_check;
  }
}

// Those whose disk works.
std::vector<Partitions::Ref> Maintenance::working() const {
  std::vector<Partitions::Ref> all = partitions_.all();
  std::erase_if(all, [](const Partitions::Ref& one) { return one->log().offline(); });
  return all;
}

// A disk that does not do what it is told takes its directory offline. Anything else is tried again
// the next time.
void Maintenance::judge(const replica::Partition& partition, const Error& error) {
  MOLDAU_LOG_WARN(logger_, "{}: retention: {}", partition.log().directory(), error.to_string());
  log::LogDir* dir = dirs_.find(partition.log().directory());
  if (dir && error.code() == Errc::io) dir->fail(error);
}

// Where the logs begin is in the checkpoint before the files go: once a directory for all its logs.
// A disk that is too full for that is where removing is wanted most: the logs know how.
Task<void> Maintenance::retention_round() {
  std::vector<Partitions::Ref> all = working();
  std::map<std::string, log::LogDir*> moved;  // by path
  for (const Partitions::Ref& partition : all) {
    if (auto damage = partition->take_damage())
      MOLDAU_LOG_ERROR(logger_,
                       "damaged on the disk, and refused to readers: {}. Take the records from "
                       "another replica or a copy, and look at the disk",
                       *damage);
    Result<bool> raised = co_await partition->retain(env_);
    if (!raised) judge(*partition, raised.error());
    log::LogDir* dir = dirs_.find(partition->log().directory());
    if (raised && *raised && dir) moved[dir->path()] = dir;
    if (stop_) co_return;
  }
  for (auto& [path, dir] : moved) {
    Result<void> saved = co_await dir->save_points(env_);
    if (saved) continue;
    MOLDAU_LOG_WARN(logger_, "{}: {}", path, saved.error().to_string());
    if (saved.error().code() == Errc::io) dir->fail(saved.error());
  }
  Instant now = env_.loop.now();
  for (const Partitions::Ref& partition : all) {
    Instant delete_at = now + partition->log().config().delete_delay;
    deletions_.insert(delete_at);
    Result<void> removed = co_await partition->remove_old(env_, delete_at);
    if (!removed) judge(*partition, removed.error());
    if (stop_) co_return;
  }
}

// What is still there at a stop goes when the log is opened again.
Task<void> Maintenance::deletion_round() {
  Instant now = env_.loop.now();
  deletions_.erase(deletions_.begin(), deletions_.upper_bound(now));
  for (const Partitions::Ref& partition : working()) {
    Result<void> deleted = co_await partition->delete_doomed(env_, now);
    if (!deleted) judge(*partition, deleted.error());
    if (stop_) co_return;
  }
}

void Maintenance::expire_producers() {
  WallTime now = env_.clock.wall();
  for (const Partitions::Ref& partition : partitions_.all()) partition->expire_producers(now);
}

}  // namespace moldau::broker
