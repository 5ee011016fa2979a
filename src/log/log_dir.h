// One data directory: its lock, its clean-shutdown marker, its checkpoint files, and the task that
// syncs the logs in it. A group commit: all logs with new bytes are synced together, what arrives
// meanwhile joins the next round. A write or a sync that fails with anything but a full disk takes
// the whole directory offline, for good.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/env.h"
#include "host/gate.h"
#include "host/monitor.h"
#include "host/scope.h"
#include "host/wait_set.h"
#include "log/checkpoint.h"

namespace moldau::host {
class File;
}

namespace moldau::log {

struct LogDirConfig {
  Duration checkpoint_interval = seconds(60);     // log.flush.offset.checkpoint.interval.ms
  Duration high_watermark_interval = seconds(5);  // replica.high.watermark.checkpoint.interval.ms
  int64_t parallel_syncs = 16;                    // of one round
};

// What the checkpoint files of the data directory say of one log.
struct LogPoints {
  Offset recovery_point;
  std::optional<Offset> log_start;  // only if the names of its segments do not say it
  Offset high_watermark;
};

// The directories inside a data directory, each list sorted.
struct DirContents {
  std::vector<std::string> partitions;  // "topic-0"
  std::vector<std::string> futures;     // "topic-0.<id>-future"
  std::vector<std::string> strays;      // "topic-0.<id>-stray"
  std::vector<std::string> foreign;     // neither Kafka's nor ours: left alone
};

// What a directory asks of a log in it. Called on the directory's loop, go_offline on any.
class LogMember {
 public:
  virtual ~LogMember() = default;
  virtual host::Task<void> sync_round(host::Env& env) = 0;
  virtual void go_offline(const Error& error) = 0;
  virtual LogPoints points() const = 0;

 private:
  friend class DirCore;
  uint32_t pins_ = 0;   // guarded by the directory's monitor, as dirty_: who uses it just now
  bool dirty_ = false;  // on the list for the next round
};

// The members and what is known of partitions that are not open. Pure; in LogDir's monitor.
class DirCore {
 public:
  void add(const std::string& directory, LogMember& member);
  // False: somebody uses it just now; ask again after `freed`.
  bool remove(const std::string& directory);
  void abandon(const std::string& directory);
  // True: the flusher has to be told.
  bool mark_dirty(LogMember& member);
  // Pins them; unpin each.
  std::vector<LogMember*> take_dirty();
  std::vector<std::pair<std::string, LogMember*>> pin_all();
  void unpin(LogMember& member);
  // True the first time.
  bool fail(const Error& error);

  // As files say it, or will with the next checkpoint. True: it was there.
  bool erase(const std::string& directory);
  void set(const std::string& directory, const LogPoints& points);

  OffsetCheckpoint recovery_points;  // of the open ones: as of the last checkpoint or close
  OffsetCheckpoint log_starts;
  OffsetCheckpoint high_watermarks;
  OffsetCheckpoint cleaner_points;
  OffsetCheckpoint saved_starts;  // log_starts as the file has them
  std::optional<Error> offline;
  bool unclean = false;  // a log was not closed in order
  bool stopping = false;
  bool saving = false;  // somebody writes the checkpoint files
  size_t members() const { return members_.size(); }

 private:
  std::map<std::string, LogMember*> members_;
  std::vector<LogMember*> dirty_;
};

enum class Checkpoint : uint8_t { recovery_points, log_starts, high_watermarks, cleaner_points };

class LogDir {
 public:
  // Makes the directory if it is missing, takes its lock, reads the checkpoints, and consumes the
  // clean-shutdown marker: from here on a stop is unclean until close() has said otherwise. The
  // flusher runs on env's loop. Errors: busy (another process has it), permission, io, corrupt (a
  // checkpoint file).
  static host::Task<Result<std::unique_ptr<LogDir>>> open(host::Env& env, std::string path,
                                                          LogDirConfig config);
  LogDir(host::Env& env, std::string path, LogDirConfig config);
  LogDir(const LogDir&) = delete;
  LogDir& operator=(const LogDir&) = delete;
  ~LogDir();

  // All logs are closed. Ends the flusher, writes the checkpoints, then the marker: but not if the
  // directory is offline or a log was not closed in order. On the loop it was opened on.
  host::Task<Result<void>> close(int64_t broker_epoch);
  // The same without checkpoints and marker: for a start that failed half way. What was not opened
  // was not recovered either, so the next start must not take the directory for clean.
  host::Task<void> stop();

  const std::string& path() const { return path_; }
  bool was_clean() const { return was_clean_; }
  // Of the broker that made that clean stop; -1: it does not say, or it was none.
  int64_t previous_epoch() const { return previous_epoch_; }
  std::optional<Error> offline() const;
  // Takes the directory offline: every log in it is told. Any loop.
  void fail(const Error& error);
  // What directories are in it. What deletions left behind is finished.
  host::Task<Result<DirContents>> contents(host::Env& env);

  // What the checkpoint files say of a partition that is not open: 0 if they do not know it.
  Offset recovery_point(const std::string& directory) const;
  Offset log_start(const std::string& directory) const;
  Offset high_watermark(const std::string& directory) const;
  // What the file says now, of an open one as well.
  Offset saved_start(const std::string& directory) const;
  // Where the cleaner goes on in a compacted log; nothing: at its start. Set it to write the file,
  // with nothing to take the entry out.
  std::optional<Offset> cleaner_point(const std::string& directory) const;
  host::Task<Result<void>> set_cleaner_point(host::Env& env, std::string directory,
                                             std::optional<Offset> offset);

  // Writes where logs begin and from where on a restart looks at them, now.
  host::Task<Result<void>> save_points(host::Env& env);

  // For Log.
  void attach(const std::string& directory, LogMember& member);
  // Returns when nobody in here uses the member any more.
  host::Task<void> detach(host::Env& env, const std::string& directory);
  // A detached log was closed in order and these are its last checkpoints.
  void closed(const std::string& directory, const LogPoints& points);
  // It was not: the next start looks through this directory. A crash in the simulator ends here
  // too.
  void abandon(const std::string& directory);
  void mark_dirty(LogMember& member);
  // The partition is new or is being removed: what the checkpoints say of it is about another one.
  host::Task<Result<void>> forget(host::Env& env, const std::string& directory);

 private:
  host::Task<Result<void>> start();
  host::Task<Result<void>> sync_ancestors();
  host::Task<Result<void>> load_checkpoints();
  host::Task<Result<OffsetCheckpoint>> load(std::string name);
  host::Task<void> flush_rounds();
  host::Task<void> run_round(std::vector<LogMember*> round);
  host::Task<void> sync_one(LogMember& member);
  host::Task<void> keep_checkpoints();
  host::Task<Result<void>> save_checkpoints(host::Env& env, std::vector<Checkpoint> which);
  host::Task<Result<void>> write_checkpoints(host::Env& env, std::vector<Checkpoint> which);
  void unpin(LogMember& member);

  host::Env& env_;
  const std::string path_;
  const LogDirConfig config_;
  host::Monitor<DirCore> core_;
  host::Signal changed_;  // something is dirty, or stopping
  host::Signal stopping_;
  host::Signal freed_;  // a pin was given back, or the checkpoint files
  std::unique_ptr<host::File> lock_;
  bool was_clean_ = false;
  int64_t previous_epoch_ = -1;
  host::Semaphore permits_;  // syncs of a round
  host::Scope round_;
  host::Scope flusher_;
};

}  // namespace moldau::log
