// The broker as a whole: opens the data directories, the topics and their partitions, listens,
// serves connections, stops in order. The simulator runs it as main does.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/config.h"
#include "host/task.h"

namespace moldau::host {
struct Env;
struct LogTarget;
}  // namespace moldau::host

namespace moldau::broker {

class Server {
 public:
  // Ready to serve when it returns. Errors name the cause and the fix: busy (another process has
  // the directory), address_in_use, invalid (the directory belongs to another node), corrupt, and
  // the disk's. env and target outlive the server.
  static host::Task<Result<std::unique_ptr<Server>>> start(host::Env& env, BrokerConfig config,
                                                           host::LogTarget& target);
  ~Server();

  host::Address address() const;
  std::optional<host::Address> http_address() const;
  const std::string& cluster_id() const;
  const std::vector<std::string>& log_dirs() const;
  size_t partitions() const;
  // Bytes of what was received and is still in use: requests, and what of them the logs keep.
  size_t memory() const;
  // Returns when all data directories went offline, or the one with the metadata: nothing can be
  // served any more. Or when stop() was called.
  host::Task<void> failed();
  // Refuses new work, ends connections, writes everything out, closes the logs. The error: what
  // could not be saved.
  host::Task<Result<void>> stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace moldau::broker
