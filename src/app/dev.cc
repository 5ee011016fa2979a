#include "app/dev.h"

#include <fmt/format.h>

#include <map>

#include "app/serve.h"
#include "broker/server.h"
#include "broker/settings.h"
#include "host/disk.h"
#include "host/entropy.h"
#include "host/env.h"
#include "host/posix/stderr_sink.h"

namespace moldau::app {

using host::Task;

namespace {

namespace posix = host::posix;

std::string default_data_dir() {
  if (auto state = posix::environment("XDG_STATE_HOME")) return *state + "/moldau/dev";
  return posix::environment("HOME").value_or(".") + "/.local/state/moldau/dev";
}

std::string ephemeral_data_dir(host::Env& env) {
  return fmt::format("{}/moldau-{:016x}", posix::environment("TMPDIR").value_or("/tmp"),
                     env.entropy.next());
}

Task<Result<void>> remove_tree(host::Env& env, std::string path) {
  CO_TRY(entries, env.disk.list(path));
  for (const host::DirEntry& entry : entries) {
    std::string inner = path + "/" + entry.name;
    if (entry.directory)
      CO_TRY_(remove_tree(env, inner));
    else
      CO_TRY_(env.disk.remove(inner));
  }
  co_return co_await env.disk.remove(path);
}

std::string banner(const broker::Server& server, Duration took, bool ephemeral) {
  std::string data = fmt::format("{}", fmt::join(server.log_dirs(), ", "));
  std::string at = server.address().to_string();
  if (server.address().ip.is_any()) at = fmt::format("localhost:{}", server.address().port);
  std::string metrics;
  if (auto http = server.http_address())
    metrics = fmt::format("  metrics   http://{}/metrics, /healthz\n", http->to_string());
  return fmt::format(
      "Moldau {} is ready after {:.1f} ms.\n\n"
      "  address   {}\n"
      "{}"
      "  data      {}{}\n"
      "  cluster   {}\n"
      "  stop      Ctrl-C\n\n"
      "Try it, in another terminal:\n"
      "  echo 'hello, river' | kcat -P -b {} -t hello\n"
      "  kcat -C -b {} -t hello -o beginning -e\n"
      "  kcat -L -b {}\n",
      MOLDAU_VERSION, static_cast<double>(took.nanos) / 1e6, at, metrics, data,
      ephemeral ? " (removed at the end)" : "", server.cluster_id(), at, at, at);
}

class DevJob final : public ServeJob {
 public:
  explicit DevJob(const DevOptions& options) : options_(options) {}
  std::string_view name() const override { return "moldau dev"; }
  Task<Result<broker::BrokerConfig>> configure(host::Env& env, const host::Logger&) override;
  void ready(const broker::Server& server, Duration took, const host::Logger&) override {
    posix::print(banner(server, took, options_.ephemeral));
  }
  Task<Result<void>> finish(host::Env& env) override;

 private:
  const DevOptions& options_;
  std::string data_dir_;
};

Task<Result<broker::BrokerConfig>> DevJob::configure(host::Env& env, const host::Logger&) {
  broker::BrokerConfig config;
  TRY_CO(where, host::HostPort::parse(options_.listen, 9092));
  CO_TRY(address, resolve(env, where));
  config.listen = address;
  if (options_.http != "off") {
    std::string at = options_.http.empty() ? "127.0.0.1" : options_.http;
    TRY_CO(http_where, host::HostPort::parse(at, 9644));
    CO_TRY(http_address, resolve(env, http_where));
    config.http = http_address;
    config.http_any_port = options_.http.empty();
  }
  config.log_dirs = options_.data;
  if (options_.ephemeral) config.log_dirs = {ephemeral_data_dir(env)};
  if (config.log_dirs.empty()) config.log_dirs = {default_data_dir()};
  data_dir_ = config.log_dirs.front();
  // Nobody connects to it; a node that takes the directory over wants to read one.
  config.kraft.alone = true;
  config.kraft.controller_endpoints.push_back({"CONTROLLER", "localhost", 9093});
  if (options_.async_flush) config.log.flush = log::Flush::async;
  // As Kafka's quickstart: who tries things out does not want to wait for others to join.
  config.groups.group.initial_rebalance_delay = Duration();
  std::map<std::string, std::string> settings;
  for (const std::string& setting : options_.settings) {
    size_t at = setting.find('=');
    if (at == setting.npos)
      co_return fail(Errc::invalid, fmt::format("--set {}: it takes name=value", setting));
    settings[setting.substr(0, at)] = setting.substr(at + 1);
  }
  Result<void> applied = broker::apply_settings(settings, config);
  if (!applied) co_return std::move(applied.error());
  config.given = settings;
  co_return config;
}

Task<Result<void>> DevJob::finish(host::Env& env) {
  if (!options_.ephemeral) co_return Result<void>{};
  Result<void> removed = co_await remove_tree(env, data_dir_);
  bool gone = removed || removed.error().code() == Errc::not_found;
  co_return gone ? Result<void>{} : std::move(removed);
}

}  // namespace

int run_dev(const DevOptions& options) {
  DevJob job(options);
  return serve(job, options.log_level);
}

}  // namespace moldau::app
