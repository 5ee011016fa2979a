#include "app/server.h"

#include <fmt/format.h>

#include "app/serve.h"
#include "base/properties.h"
#include "broker/server.h"
#include "broker/server_config.h"
#include "host/disk.h"
#include "host/env.h"
#include "host/logging.h"
#include "host/posix/stderr_sink.h"
#include "host/whole_file.h"

namespace moldau::app {

using host::Task;

namespace {

namespace posix = host::posix;

class ServerJob final : public ServeJob {
 public:
  explicit ServerJob(const ServerOptions& options) : options_(options) {}
  std::string_view name() const override { return "moldau server"; }
  Task<Result<broker::BrokerConfig>> configure(host::Env& env, const host::Logger& logger) override;
  void ready(const broker::Server& server, Duration took, const host::Logger& logger) override {
    MOLDAU_LOG_INFO(logger, "serving on {}, cluster {}, ready after {:.1f} ms",
                    server.address().to_string(), server.cluster_id(),
                    static_cast<double>(took.nanos) / 1e6);
  }
  Task<Result<void>> finish(host::Env&) override { co_return Result<void>{}; }

 private:
  static void add_environment(Properties& properties, const host::Logger& logger);

  const ServerOptions& options_;
};

// KAFKA_NODE_ID and MOLDAU_NODE_ID are node.id; MOLDAU_FLUSH is moldau.flush. The environment has
// much that is not for us: what is no setting is mentioned and left out.
void ServerJob::add_environment(Properties& properties, const host::Logger& logger) {
  constexpr std::string_view kOwn = "MOLDAU_";
  for (const auto& [variable, value] : posix::environment()) {
    bool own = variable.starts_with(kOwn);
    std::optional<std::string> key =
        environment_key(own ? "KAFKA_" + variable.substr(kOwn.size()) : variable);
    if (!key) continue;
    std::string source = "environment " + variable;
    if (broker::is_server_key(*key))
      properties.set(*key, value, source);
    else if (own && broker::is_server_key("moldau." + *key))
      properties.set("moldau." + *key, value, source);
    else
      MOLDAU_LOG_WARN(logger, "{} is ignored: there is no setting {}", source, *key);
  }
}

Task<Result<broker::BrokerConfig>> ServerJob::configure(host::Env& env,
                                                        const host::Logger& logger) {
  Result<std::string> text = co_await host::read_whole_file(env.disk, options_.config);
  if (!text) co_return std::move(text.error()).in(options_.config);
  TRY_CO(properties, Properties::parse(*text, options_.config));
  add_environment(properties, logger);
  for (const std::string& one : options_.overrides) {
    Result<void> set = properties.set_assignment(one, "--override");
    if (!set) co_return std::move(set.error());
  }
  Result<broker::ServerConfig> config = broker::read_server_config(properties);
  if (!config) co_return std::move(config.error());
  for (const std::string& notice : config->notices) MOLDAU_LOG_INFO(logger, "{}", notice);
  host::HostPort where = config->listen;
  CO_TRY(address, resolve(env, where));
  config->broker.listen = address;
  if (config->http) {
    host::HostPort http = *config->http;
    CO_TRY(http_address, resolve(env, http));
    config->broker.http = http_address;
  }
  co_return std::move(config->broker);
}

}  // namespace

int run_server(const ServerOptions& options) {
  ServerJob job(options);
  return serve(job, options.log_level);
}

}  // namespace moldau::app
