// The data directories of one broker (log.dirs): which partition lies where, and where a new one
// goes. One that fails goes offline alone; its partitions stay where they are, and nobody makes
// them anew somewhere else.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/monitor.h"
#include "log/log_dir.h"

namespace moldau::log {

class LogDirs {
 public:
  struct Place {
    std::string path;
    std::unique_ptr<LogDir> dir;   // empty: it could not be opened
    std::optional<Error> broken;   // then
    std::vector<std::string> odd;  // directories in it that are neither Kafka's nor ours
  };

  // Opens them all and looks which partitions are in them. One that cannot be opened is broken, the
  // others work. Errors: invalid (a path twice, a partition in two directories), busy (another
  // process has one of them), the first one's (it holds the metadata).
  static host::Task<Result<std::unique_ptr<LogDirs>>> open(host::Env& env,
                                                           std::vector<std::string> paths,
                                                           LogDirConfig config);
  LogDirs(const LogDirs&) = delete;
  LogDirs& operator=(const LogDirs&) = delete;
  ~LogDirs();

  const std::vector<Place>& places() const { return places_; }
  // Those that were opened; some may have gone offline since.
  std::vector<LogDir*> opened() const;
  LogDir& metadata() const { return *places_.front().dir; }

  // nullptr: in none that was opened.
  LogDir* find(const std::string& partition) const;
  // The one with the fewest partitions, the first of several (Kafka's rule); nullptr: all are
  // offline.
  LogDir* choose() const;
  void placed(const std::string& partition, LogDir& dir);
  void removed(const std::string& partition);
  // What is not found may be in one that does not work.
  bool incomplete() const;
  bool all_offline() const;
  // The last stop was clean, of all of them.
  bool were_clean() const;
  // Of the broker that stopped so; -1: it was not clean, or they do not agree.
  int64_t previous_epoch() const;

  // As LogDir's, for all that were opened. The first error.
  host::Task<Result<void>> close(int64_t broker_epoch);
  host::Task<void> stop();

 private:
  explicit LogDirs(std::vector<std::string> paths);
  host::Task<Result<void>> open_all(host::Env& env, LogDirConfig config);
  host::Task<Result<void>> open_one(host::Env& env, Place& place, LogDirConfig config);

  std::vector<Place> places_;
  struct Placement {
    std::map<std::string, LogDir*> partitions;
    std::map<std::string, size_t> counts;  // by path
  };
  host::Monitor<Placement> placement_;
};

}  // namespace moldau::log
