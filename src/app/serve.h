// Runs a broker from its configuration to its stop: what `moldau dev` and `moldau server` have in
// common.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "broker/config.h"
#include "host/task.h"

namespace moldau::host {
struct Address;
struct Env;
struct HostPort;
class Logger;
}  // namespace moldau::host
namespace moldau::broker {
class Server;
}

namespace moldau::app {

class ServeJob {
 public:
  virtual ~ServeJob() = default;
  // "moldau dev": what complaints begin with.
  virtual std::string_view name() const = 0;
  // Errors are those of usage.
  virtual host::Task<Result<broker::BrokerConfig>> configure(host::Env& env,
                                                             const host::Logger& logger) = 0;
  // It serves.
  virtual void ready(const broker::Server& server, Duration took, const host::Logger& logger) = 0;
  // It has stopped.
  virtual host::Task<Result<void>> finish(host::Env& env) = 0;
};

// Until SIGTERM or SIGINT. Returns the exit code: 0, 1 (it could not start, or its disk failed), 2
// (usage).
int serve(ServeJob& job, std::string_view log_level);

// A listener's place as an address. Errors: those of the resolver.
host::Task<Result<host::Address>> resolve(host::Env& env, host::HostPort where);

}  // namespace moldau::app
