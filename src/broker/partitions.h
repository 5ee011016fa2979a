// The partitions that are open on this broker, by topic and index. From any loop.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "host/monitor.h"
#include "host/task.h"
#include "log/log_core.h"

namespace moldau::host {
struct Env;
}
namespace moldau::log {
class LogDir;
}
namespace moldau::replica {
class Partition;
}

namespace moldau::broker {

struct Topic;

class Partitions {
 public:
  using Ref = std::shared_ptr<replica::Partition>;
  Partitions(log::LogDir& dir, log::LogConfig config) : dir_(dir), config_(config) {}

  // nullptr: not here.
  Ref find(std::string_view topic, int32_t index) const;
  // Opens all partitions of a topic; what is missing on disk is made. Errors: the log's; then none
  // of them is served.
  host::Task<Result<void>> open(host::Env& env, Topic topic);
  // Makes all partitions of a new topic, on disk and open; none is served before `serve`. Errors:
  // the same; then none of them is on disk.
  host::Task<Result<std::vector<Ref>>> make(host::Env& env, Topic topic);
  void serve(std::vector<Ref> made);
  // Takes them back instead: the topic did not come to be.
  host::Task<void> discard(host::Env& env, std::vector<Ref> made);
  // Takes them out of service and removes their files. The first error, if any; then files are
  // left, that no topic of the same name will ever show.
  host::Task<Result<void>> remove(host::Env& env, Topic topic);
  // Ends every wait for them, also for those that are still being opened: appends, fetches. Before
  // close_all.
  void retire_all();
  // A clean stop of every log. The first error, if any; the others are closed all the same.
  host::Task<Result<void>> close_all(host::Env& env);
  size_t size() const;
  // The disk has failed in a way that the logs have not seen.
  void take_offline(const Error& error);

 private:
  using Key = std::pair<std::string, int32_t>;
  struct Open {
    std::map<Key, Ref, std::less<>> by_name;
    bool retired = false;  // all of them, and those to come
  };
  std::vector<Ref> take(const std::string& topic);
  host::Task<Result<Ref>> open_one(host::Env& env, const Topic& topic, int32_t index, bool fresh);
  host::Task<Result<std::vector<Ref>>> open_all(host::Env& env, const Topic& topic, bool fresh);
  log::LogDir& dir_;
  const log::LogConfig config_;
  host::Monitor<Open> open_;
};

}  // namespace moldau::broker
