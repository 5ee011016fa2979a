// The partitions that are open on this broker, by topic and index. From any loop.
#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "host/monitor.h"
#include "host/task.h"
#include "wire/error_code.h"

namespace moldau::host {
struct Env;
}
namespace moldau::log {
class Cleaner;
class LogDir;
class LogDirs;
}  // namespace moldau::log
namespace moldau::metadata {
struct Image;
}
namespace moldau::replica {
class Partition;
}

namespace moldau::broker {

struct BrokerConfig;
struct Topic;
struct TopicPolicy;
class Topics;

class Partitions {
 public:
  using Ref = std::shared_ptr<replica::Partition>;
  // All outlive it. cleaner: of those that are compacted.
  Partitions(log::LogDirs& dirs, const BrokerConfig& config, log::Cleaner& cleaner)
      : dirs_(dirs), config_(config), cleaner_(cleaner) {}

  // nullptr: not here; `absent` says what that means.
  Ref find(std::string_view topic, int32_t index) const;
  // Of a partition that was not found: its directory is offline, or there is no such partition.
  wire::ErrorCode absent(std::string_view topic, int32_t index) const;
  // Opens all partitions of all topics; what is missing on disk is made, unless it may be in a
  // directory that does not work. A directory that fails goes offline, and its partitions with it.
  // Errors: those of logs that are neither the disk's nor a crash's (corrupt, unsupported).
  host::Task<Result<void>> open(host::Env& env, std::shared_ptr<const Topics> topics);
  // Makes the partitions of a topic from `first` on, on disk and open; none is served before
  // `serve`. Errors: the logs', offline; then none of them is on disk.
  host::Task<Result<std::vector<Ref>>> make(host::Env& env, Topic topic, int32_t first = 0);
  void serve(std::vector<Ref> made);
  // Each leads from here on in the epoch that the metadata says.
  void lead(const metadata::Image& image);
  // Takes them back instead: the topic did not come to be, or not with so many.
  host::Task<void> discard(host::Env& env, std::vector<Ref> made);
  // And what they would have gone by.
  void forget(std::string_view topic);
  // What the partitions of a topic go by, open or not; nullptr: there is no such topic here.
  std::shared_ptr<const TopicPolicy> policy(std::string_view topic) const;
  // From here on they go by the settings that the topic has now.
  void reconfigure(const Topic& topic);
  // Takes them out of service and removes their files. The first error, if any; then files are
  // left, that no topic of the same name will ever show.
  host::Task<Result<void>> remove(host::Env& env, Topic topic);
  // Ends every wait for them, also for those that are still being opened: appends, fetches. Before
  // close_all.
  void retire_all();
  // A clean stop of every log. The first error, if any; the others are closed all the same.
  host::Task<Result<void>> close_all(host::Env& env);
  size_t size() const;
  std::vector<Ref> all() const;
  const log::LogDirs& dirs() const { return dirs_; }
  // The metadata's disk has failed in a way that the logs have not seen.
  void take_offline(const Error& error);
  // The directory went offline: its partitions are absent from here on. How many.
  size_t on_offline(const log::LogDir& dir);

 private:
  using Key = std::pair<std::string, int32_t>;
  struct Open {
    std::map<Key, Ref, std::less<>> by_name;
    std::map<std::string, std::shared_ptr<const TopicPolicy>, std::less<>> policies;  // by topic
    std::set<Key, std::less<>> offline;  // those whose directory does not work, open or not
    bool retired = false;                // all of them, and those to come
  };
  struct Queue;
  std::vector<Ref> take(const std::string& topic);
  void lose(const Topic& topic, int32_t index);
  host::Task<void> open_queue(host::Env& env, Queue& queue);
  host::Task<Result<Ref>> open_one(host::Env& env, log::LogDir& dir, const Topic& topic,
                                   int32_t index);
  host::Task<Result<Ref>> make_one(host::Env& env, const Topic& topic, int32_t index);
  host::Task<Result<void>> set_aside(host::Env& env, log::LogDir& dir, std::string name);
  host::Task<Result<void>> remove_one(host::Env& env, replica::Partition& partition);
  log::LogDirs& dirs_;
  const BrokerConfig& config_;
  log::Cleaner& cleaner_;
  host::Monitor<Open> open_;
};

}  // namespace moldau::broker
