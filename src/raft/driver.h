// A replica of the metadata log at work: the core, its log __cluster_metadata-0, its snapshots and
// its file quorum-state, on one loop. It reaches others through Peers; what they ask it comes in by
// ask() (raft/driver_listener.h).
#pragma once
#include <deque>
#include <map>
#include <memory>

#include "host/env.h"
#include "host/scope.h"
#include "host/wait_set.h"
#include "log/log.h"
#include "raft/core.h"
#include "raft/driver_peers.h"

namespace moldau::host {
class File;
class Logger;
}  // namespace moldau::host

namespace moldau::raft {

class Driver final : private log::LogListener {
 public:
  struct Options {
    Config config;
    VoterHistory voters;  // as configured; the log may know better
    log::LogConfig log;
    Peers* peers = nullptr;  // nobody: what the core wants to send fails at once
    const host::Logger* logger = nullptr;
  };
  // Opens or creates the log in the data directory, which outlives the driver as peers and logger
  // do, and begins. Errors: the log's; corrupt (quorum-state, a control record, a log that begins
  // behind a snapshot that is not there).
  static host::Task<Result<std::unique_ptr<Driver>>> open(host::Env& env, log::LogDir& dir,
                                                          Options options);
  Driver(host::Env& env, std::unique_ptr<log::Log> log, Options options, Recovered recovered);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver() override;

  const Core& core() const { return core_; }
  // Raised when role, epoch or high watermark move, when a snapshot took the log's place, and when
  // the replica stops.
  host::Signal& moved() { return moved_; }
  // Why it stopped by itself: the disk failed, or its log is not what it should be.
  const std::optional<Error>& failure() const { return failure_; }

  struct Appended {
    Offset last;
    LeaderEpoch epoch;
  };
  // It is the leader, and takes batches: not once it is closing or has failed.
  bool leads() const { return !ended() && core_.role() == RoleName::leader; }
  // A batch as the builder made it, at once and in memory. Errors: refused (it does not lead).
  Result<Appended> append(std::vector<uint8_t> batch);
  // Errors: timed_out (it may still commit), refused (another leads now: ask it), and failure().
  host::Task<Result<void>> wait_committed(Appended appended, Instant deadline);
  // What another replica asks. The answer to a fetch has its records. Errors: failure(), closed.
  host::Task<Result<Response>> ask(Request request);

  // Committed batches from there on, at least one. Errors: the log's. A reader whose next offset
  // lies before core().log().start() has to begin anew with base(): a snapshot has taken the place
  // of what it would read.
  host::Task<Result<std::vector<uint8_t>>> read(Offset from, size_t max_bytes);
  // The snapshot that the log begins behind; null: it begins at 0.
  const Snapshot* base() const;
  // The whole file. Errors: not_found (a newer one has replaced it), and the disk's.
  host::Task<Result<std::string>> read_snapshot(OffsetAndEpoch id);

  // What the log holds before id.offset, which is committed, as a snapshot file. Errors: the
  // disk's.
  host::Task<Result<void>> write_snapshot(OffsetAndEpoch id, std::string content);
  // Soon the log begins where that snapshot ends, and the ones before it are gone. Nothing happens
  // if none ends there, or the log begins later.
  void trim(Offset snapshot_end);

  // In order: says goodbye, closes the log. Nothing else is under way but ask(), which fails.
  host::Task<Result<void>> close();

 private:
  struct Write {
    uint64_t number;
    Offset end;
  };
  struct Trim {
    Offset to;
  };
  using Job = std::variant<LogWrite, SnapshotStep, Trim>;

  // driver.cc
  void on_committed(Offset committed) override;
  void on_failed() override;
  std::optional<Offset> high_watermark() const override { return core_.high_watermark(); }
  Now now() const;
  void begin();
  void carry_out(Effects effects);
  void fail_with(Error error);
  void catch_up();
  void wake_all();
  bool ended() const { return closing_ || failure_; }
  host::Task<void> keep_time();
  host::Task<void> keep_state();
  host::Task<void> exchange(Send send);
  host::Task<Result<void>> add_records(FetchResponse& response);
  host::Task<Result<void>> add_piece(FetchSnapshotResponse& response);

  // driver_log.cc
  void put(LogWrite write);
  void append_now(LogWrite& write);
  host::Task<void> keep_log();
  host::Task<void> do_job(Job job);
  host::Task<Result<void>> cut(LogWrite write);
  host::Task<Result<void>> take(SnapshotStep step);
  host::Task<Result<void>> begin_snapshot(OffsetAndEpoch id);
  host::Task<Result<void>> abandon_snapshot(OffsetAndEpoch id);
  host::Task<Result<void>> load_snapshot(OffsetAndEpoch id);
  host::Task<Result<void>> do_trim(Offset to);
  host::Task<Result<void>> remove_snapshots_before(Offset offset);

  host::Env& env_;
  const std::unique_ptr<log::Log> log_;
  const VoterHistory configured_;
  Peers* const peers_;
  const host::Logger* const logger_;
  Core core_;
  std::deque<Write> writes_;  // in the log, and not durable yet
  std::deque<Job> jobs_;      // what the log cannot do at once, and all behind it
  bool at_job_ = false;
  std::unique_ptr<host::File> receiving_;  // a snapshot
  bool log_failed_ = false;
  Offset most_durable_;                                // for a planted bug
  std::optional<Persist> persist_;                     // not begun
  std::map<uint64_t, std::optional<Response>> asked_;  // by token
  uint64_t tokens_ = 0;
  Instant wake_at_ = kNever;
  bool stopped_ = false, closing_ = false;
  std::optional<Error> failure_;
  host::Signal moved_, answered_, wake_, work_, worked_, persist_wanted_;
  host::Scope scope_;
};

}  // namespace moldau::raft
