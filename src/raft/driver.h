// A replica of the metadata log at work: the core, its log __cluster_metadata-0 and its file
// quorum-state, on one loop. So far without a network: it carries a quorum of one, and answers what
// it is asked. What the core wants to send fails at once.
#pragma once
#include <deque>
#include <map>
#include <memory>

#include "host/env.h"
#include "host/scope.h"
#include "host/wait_set.h"
#include "log/log.h"
#include "raft/core.h"

namespace moldau::raft {

class Driver final : private log::LogListener {
 public:
  struct Options {
    Config config;
    VoterHistory voters;  // as configured; the log may know better
    log::LogConfig log;
  };
  // Opens or creates the log in the data directory, which outlives the driver, and begins. Errors:
  // the log's; corrupt (quorum-state, a control record, a log that begins behind a snapshot that is
  // not there).
  static host::Task<Result<std::unique_ptr<Driver>>> open(host::Env& env, log::LogDir& dir,
                                                          Options options);
  Driver(host::Env& env, std::unique_ptr<log::Log> log, Config config, Recovered recovered);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver() override;

  const Core& core() const { return core_; }
  // Raised when role, epoch or high watermark move, and when the replica stops.
  host::Signal& moved() { return moved_; }
  // Why it stopped by itself: the disk failed, or its log is not what it should be.
  const std::optional<Error>& failure() const { return failure_; }

  struct Appended {
    Offset last;
    LeaderEpoch epoch;
  };
  // A batch as the builder made it, at once and in memory. Errors: refused (not the leader).
  Result<Appended> append(std::vector<uint8_t> batch);
  // Errors: timed_out (it may still commit), refused (another leads now: ask it), and failure().
  host::Task<Result<void>> wait_committed(Appended appended, Instant deadline);
  // What another replica asks. The answer to a fetch has its records. Errors: failure().
  host::Task<Result<Response>> ask(Request request);
  // Committed batches from there on, at least one. Errors: the log's.
  host::Task<Result<std::vector<uint8_t>>> read(Offset from, size_t max_bytes);

  // What the log holds before id.offset, which is committed, as a snapshot file. Errors: the
  // disk's.
  host::Task<Result<void>> write_snapshot(OffsetAndEpoch id, std::string content);

  // A snapshot of ours, whole. Errors: the disk's.
  host::Task<Result<std::string>> read_snapshot(OffsetAndEpoch id);

  // In order: says goodbye, closes the log. Nothing else is under way.
  host::Task<Result<void>> close();

 private:
  struct Write {
    uint64_t number;
    Offset end;
  };
  void on_committed(Offset committed) override;
  void on_failed() override;
  std::optional<Offset> high_watermark() const override { return core_.high_watermark(); }

  Now now() const;
  void begin();
  void carry_out(Effects effects);
  void put(LogWrite& write);
  void fail_with(Error error);
  void catch_up();
  bool ended() const { return closing_ || failure_; }
  host::Task<void> keep_time();
  host::Task<void> keep_log();
  host::Task<void> keep_state();
  host::Task<Result<void>> add_records(FetchResponse& response);
  host::Task<Result<void>> add_piece(FetchSnapshotResponse& response);

  host::Env& env_;
  std::unique_ptr<log::Log> log_;
  Core core_;
  std::deque<Write> writes_;  // not durable yet
  Offset durable_;
  bool log_failed_ = false;
  std::optional<Persist> persist_;  // not begun
  std::vector<Send> unsent_;
  std::map<uint64_t, std::optional<Response>> asked_;  // by token
  uint64_t tokens_ = 0;
  Instant wake_at_ = kNever;
  bool stopped_ = false, closing_ = false;
  std::optional<Error> failure_;
  host::Signal moved_, answered_, wake_, write_wanted_, persist_wanted_;
  host::Scope scope_;
};

}  // namespace moldau::raft
