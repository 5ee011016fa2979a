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
  // Opens, or creates, all partitions of the topic. Errors: the log's; then none of them is served.
  host::Task<Result<void>> open(host::Env& env, Topic topic);
  // Takes them out of service and removes their files.
  host::Task<Result<void>> remove(host::Env& env, Topic topic);
  // Ends every wait for them: appends, fetches. Before close_all.
  void retire_all();
  // A clean stop of every log. The first error, if any; the others are closed all the same.
  host::Task<Result<void>> close_all(host::Env& env);
  size_t size() const;

 private:
  using Key = std::pair<std::string, int32_t>;
  std::vector<Ref> take(const std::string& topic);
  log::LogDir& dir_;
  const log::LogConfig config_;
  host::Monitor<std::map<Key, Ref, std::less<>>> open_;
};

}  // namespace moldau::broker
