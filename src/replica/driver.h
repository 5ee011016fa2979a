// One partition on this broker: its log, its leader, and who waits for either. Any loop may use it;
// it outlives the requests that hold it (shared: a deleted topic's partition lives until the last
// fetch has let go).
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "base/shared_bytes.h"
#include "base/time.h"
#include "host/monitor.h"
#include "host/task.h"
#include "host/wait_set.h"
#include "log/log.h"
#include "replica/leader.h"

namespace moldau::host {
struct Env;
}
namespace moldau::log {
class Cleaner;
}

namespace moldau::replica {

struct Watermarks {
  Offset log_start;
  Offset high_watermark;
  Offset last_stable;  // at most the high watermark: no transaction below is open
  Offset log_end;
  LeaderEpoch leader_epoch;
};

class Partition : private log::LogListener {
 public:
  // Opens, or creates, <directory of dir>/<topic>-<index>. Errors: the log's.
  Partition(std::string topic, PartitionIndex index, std::unique_ptr<log::Log> log);
  static host::Task<Result<std::shared_ptr<Partition>>> open(host::Env& env, log::LogDir& dir,
                                                             std::string topic,
                                                             PartitionIndex index,
                                                             log::LogConfig config);
  ~Partition() override;

  // From here on it leads in that epoch, of the controller.
  void lead(LeaderEpoch epoch);
  // Assigns offsets to validated batches inside block, in place, and makes them the end of the log.
  // Does not suspend; follow it with write_out. An idempotent producer's batch that is here already
  // is not appended again. Errors: offline, no_space, and those of its producer's state.
  Result<log::Appended> append(const BlockRef& block, MutableBytes batches, WallTime now);
  host::Task<void> write_out(host::Env& env);
  // The append lies below the high watermark. False: not yet, or it failed; wait_committed tells.
  bool committed(const log::Appended& append) const;
  // Returns once the disk is not too far behind: what is appended stays in memory until it is
  // written, and with acks=0 nobody waits for that. Errors: closed, offline.
  host::Task<Result<void>> wait_for_room(host::Env& env);
  // Returns once the append lies below the high watermark. Errors: timed_out (it may still commit),
  // no_space and offline (it was taken back), closed (the partition was deleted).
  host::Task<Result<void>> wait_committed(host::Env& env, log::Appended append, Instant deadline);

  Watermarks watermarks() const;
  struct Bounds {
    size_t max_bytes = 0;
    bool at_least_one = true;
    bool committed_only = false;  // not above the last stable offset (read_committed)
  };
  // Bytes from the batch that holds `from` on, below the high watermark. Errors: out_of_range, and
  // the log's.
  host::Task<Result<log::ReadResult>> read(host::Env& env, Offset from, Bounds bounds);
  // The aborted transactions that a reader of [from, upper) has to know. Errors: the log's.
  host::Task<Result<log::AbortedList>> aborted(host::Env& env, Offset from, Offset upper);
  // Of what is written, also above the high watermark. Errors: the log's.
  host::Task<Result<std::optional<log::TimestampOffset>>> find_timestamp(host::Env& env,
                                                                         WallTime t);
  host::Task<Result<std::optional<log::TimestampOffset>>> max_timestamp(host::Env& env);

  // Where an epoch of the log ends, as Log::epoch_end says it; the present epoch is there also
  // while it is empty.
  std::optional<log::EpochEnd> epoch_end(LeaderEpoch epoch) const;

  // From here on until it is closed or removed, while it is compacted. The cleaner outlives it.
  void clean_by(log::Cleaner& cleaner);
  // As the topic's settings are from here on.
  void reconfigure(const log::LogConfig& config) { log_->reconfigure(config); }
  // What lies below `to` is not shown any more; the high watermark if it is absent. It is deleted,
  // and may be said to be, once the data directory has saved its points. Errors: the log's.
  Result<void> raise_start(std::optional<Offset> to);
  // Retention, as Log's; nothing happens once it is retired.
  host::Task<Result<bool>> retain(host::Env& env);
  host::Task<Result<void>> remove_old(host::Env& env, Instant delete_at);
  host::Task<Result<void>> delete_doomed(host::Env& env, Instant now);
  // What reads found damaged on the disk since the last call.
  std::optional<std::string> take_damage() { return log_->take_damage(); }
  void expire_producers(WallTime now) { log_->expire_producers(now); }

  // Raised when the high watermark moves, an append fails, or the partition goes away.
  host::Signal& moved() { return moved_; }

  const log::Log& log() const { return *log_; }
  const std::string& topic() const { return topic_; }
  PartitionIndex index() const { return index_; }

  // Takes it out of service: waiting appends and fetches end with closed.
  void retire();
  bool retired() const;
  // Both retire it and wait for what is under way.
  host::Task<Result<void>> close(host::Env& env);   // clean stop
  host::Task<Result<void>> remove(host::Env& env);  // with its files

 private:
  void on_committed(Offset end) override;
  void on_failed() override;
  std::optional<Offset> high_watermark() const override;

  struct State {
    explicit State(Leader l) : leader(l) {}
    Leader leader;
    bool retired = false;
    size_t uses = 0;  // under way; they use the log's files by their names
  };
  class Use;
  host::Task<void> unused(host::Env& env);
  const std::string topic_;
  const PartitionIndex index_;
  std::unique_ptr<log::Log> log_;
  log::Cleaner* cleaner_ = nullptr;
  host::Monitor<State> state_;
  host::Signal moved_;
  host::Signal unused_;  // retired, and the last use has ended
};

}  // namespace moldau::replica
