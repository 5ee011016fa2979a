// What the lives of one simulated process share: its logs with their models, its data directories,
// and how it shall behave. Used by the log scenarios (log_scenario.cc, log_each.cc).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "log/log.h"
#include "log_batch.h"
#include "log_files.h"
#include "log_model.h"
#include "log_producers.h"
#include "sim/node.h"

namespace moldau::logsim {

// What the marker must say at the next start.
enum class Stop : uint8_t { unclean, unknown, clean };

struct Directory {
  std::string path;
  Stop stop = Stop::unclean;
};

// One log over all its lives.
struct Subject {
  Subject(std::string directory_name, std::string log_name, sim::Findings& findings,
          const Random& random)
      : directory(std::move(directory_name)),
        name(std::move(log_name)),
        model(directory + "/" + name, findings),
        batches(random) {}
  std::string path() const { return directory + "/" + name; }

  const std::string directory;
  const std::string name;
  log::LogConfig config;
  LogModel model;
  BatchMaker batches;
  std::optional<Producers> producers;  // besides clients without a producer id
  LeaderEpoch epoch{0};
  int64_t acked = 0;          // appends
  uint64_t power_losses = 0;  // of the disk, when it was last opened
  bool sync_failed = false;   // since it was last opened
  bool shrinks = false;       // records are deleted
  bool follows = false;       // and it is cut, and appended to as by a follower
  bool misled = false;        // by damage that no checksum covers
};

struct LogWorld {
  LogWorld(sim::Findings& f, sim::Node& n) : findings(f), node(n) {}
  sim::Findings& findings;
  sim::Node& node;
  std::vector<Directory> directories;
  std::vector<std::unique_ptr<Subject>> subjects;
  log::LogDirConfig dir_config;
  bool healed = false;
  bool damage = false;    // bits may flip
  uint64_t refusals = 0;  // of damaged data
  const class LogProcess* running = nullptr;

  sim::DiskImage& image() const;
  LogFiles files(Subject& subject) const { return {image(), subject.path(), subject.model}; }
  // The system's cache counted as safe, and is gone since the subject was last opened.
  bool lost_cache(const Subject& subject) const;
  // Files against models, whatever the process does just now.
  void check_disk() const;
};

// Opens all directories and logs of a world and closes them again; between the two the logs are
// used. One object is one life of the process.
class LogProcess {
 public:
  LogProcess(host::Env& env, LogWorld& world);
  LogProcess(const LogProcess&) = delete;
  LogProcess& operator=(const LogProcess&) = delete;
  ~LogProcess();  // also the death of the process

  struct Open {
    Subject& subject;
    log::LogDir& dir;
    std::unique_ptr<log::Log> log;
    bool cutting = false;  // one at a time
  };
  struct AppendPlan {
    uint64_t appends = 1;
    bool patient = true;       // waits until the last one is committed
    bool as_follower = false;  // the offsets come with the batches
    int64_t gap = 0;           // that compaction has left in front of each (follower)
    bool by_producers = false;
  };

  // The models hear how far the logs are.
  void observe() const;
  // False: not one log could be opened.
  host::Task<bool> open();
  // Only what is not offline.
  host::Task<void> close();
  const std::vector<std::unique_ptr<Open>>& logs() const { return logs_; }
  // All of the world's logs are open and online.
  bool complete() const;
  bool all_offline() const;
  // Began when nothing broke any more: everything has to work.
  bool healed() const { return healed_; }

  // Operations on one log, each with its checks.
  // True: the last of what was appended is committed.
  host::Task<bool> append(Open& open, AppendPlan plan);
  host::Task<void> read(Open& open, log::ReadRequest request);
  host::Task<void> read_all(Open& open);
  host::Task<void> find(Open& open, int64_t timestamp);
  host::Task<void> find_largest(Open& open);
  void check_epochs(Open& open);
  // Of producers (log_producer_ops.cc). What they sent last, all of it once more.
  host::Task<void> send_again(Open& open);
  void check_producers(Open& open);
  host::Task<void> check_aborted(Open& open, Offset from, Offset upper);
  // Of the front (log_front_ops.cc).
  host::Task<void> delete_records(Open& open, Offset to);
  host::Task<void> retain(Open& open);
  // Of the end (log_cut_ops.cc). Nothing, if one is under way.
  host::Task<void> truncate(Open& open, Offset to);
  host::Task<void> restart_at(Open& open, Offset at);

 private:
  class Ear;
  host::Task<void> open_directory(Directory& directory);
  host::Task<void> open_log(log::LogDir& dir, Subject& subject, bool clean);
  host::Task<void> close_directory(log::LogDir& dir);
  void judge_error(const Subject& subject, const Error& error, const char* doing) const;
  Directory& directory_of(const log::LogDir& dir) const;

  void check_closed(Subject& subject) const;
  void check_cut(Open& open, const Result<Offset>& end);
  static Sending draw_batch(Open& open, const AppendPlan& plan);
  static void place(MutableBytes batches, Offset base, LeaderEpoch epoch);
  Result<std::optional<log::Appended>> put(Open& open, Sending sending, const AppendPlan& plan);
  host::Task<bool> settle(Open& open, log::Appended last, bool patient);
  static bool refused_rightly(Subject& subject, const ProducerModel::Due& due, const Error& error);
  static void check_taken(Subject& subject, const ProducerModel::Due& due,
                          const log::Appended& appended);
  host::Env& env_;
  LogWorld& world_;
  const bool healed_;
  std::vector<std::unique_ptr<log::LogDir>> dirs_;
  std::vector<std::unique_ptr<Ear>> ears_;
  std::vector<std::unique_ptr<Open>> logs_;
};

}  // namespace moldau::logsim
