#include "app/dev.h"

#include <fmt/format.h>

#include <map>

#include "base/suggest.h"
#include "broker/server.h"
#include "broker/settings.h"
#include "host/clock.h"
#include "host/disk.h"
#include "host/event.h"
#include "host/logging.h"
#include "host/network.h"
#include "host/posix/stderr_sink.h"
#include "host/posix/system.h"
#include "host/scope.h"

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

Task<Result<host::Address>> resolve(host::Env& env, std::string listen) {
  TRY_CO(where, host::HostPort::parse(listen, 9092));
  if (where.host.empty()) co_return host::Address{host::IpAddress::any_v6(), where.port};
  Result<host::IpAddress> number = host::IpAddress::parse(where.host);
  if (number) co_return host::Address{*number, where.port};
  CO_TRY(found, env.network.resolve(where.host));
  co_return host::Address{found.front(), where.port};
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
  return fmt::format(
      "Moldau {} is ready after {:.1f} ms.\n\n"
      "  address   {}\n"
      "  data      {}{}\n"
      "  cluster   {}\n"
      "  stop      Ctrl-C\n\n"
      "Try it, in another terminal:\n"
      "  echo 'hello, river' | kcat -P -b {} -t hello\n"
      "  kcat -C -b {} -t hello -o beginning -e\n"
      "  kcat -L -b {}\n",
      MOLDAU_VERSION, static_cast<double>(took.nanos) / 1e6, at, data,
      ephemeral ? " (removed at the end)" : "", server.cluster_id(), at, at, at);
}

class Dev {
 public:
  Dev(const DevOptions& options, posix::System& system, host::LogTarget& target)
      : options_(options),
        system_(system),
        env_(system.env(0)),
        target_(target),
        over_(env_.loop),
        tasks_(env_.loop, "dev") {}

  Task<void> run();
  int exit_code() const { return exit_code_; }

 private:
  Task<Result<broker::BrokerConfig>> configure();
  Task<void> serve(broker::BrokerConfig config);
  Task<void> wait_for_failure(broker::Server& server);
  void complain(const Error& error);

  const DevOptions& options_;
  posix::System& system_;
  host::Env& env_;
  host::LogTarget& target_;
  bool stop_ = false;
  int exit_code_ = 0;
  host::Event over_;
  host::Scope tasks_;
};

Task<Result<broker::BrokerConfig>> Dev::configure() {
  broker::BrokerConfig config;
  CO_TRY(address, resolve(env_, options_.listen));
  config.listen = address;
  config.log_dirs = options_.data;
  if (options_.ephemeral) config.log_dirs = {ephemeral_data_dir(env_)};
  if (config.log_dirs.empty()) config.log_dirs = {default_data_dir()};
  if (options_.async_flush) config.log.flush = log::Flush::async;
  std::map<std::string, std::string> settings;
  for (const std::string& setting : options_.settings) {
    size_t at = setting.find('=');
    if (at == setting.npos)
      co_return fail(Errc::invalid, fmt::format("--set {}: it takes name=value", setting));
    settings[setting.substr(0, at)] = setting.substr(at + 1);
  }
  Result<void> applied = broker::apply_settings(settings, config);
  if (!applied) co_return std::move(applied.error());
  co_return config;
}

void Dev::complain(const Error& error) {
  posix::StderrSink().write(
      fmt::format("moldau dev: {}", error.text().empty() ? error.to_string() : error.text()));
  exit_code_ = 1;
}

// A disk that fails ends the program, as it ends Kafka's.
Task<void> Dev::wait_for_failure(broker::Server& server) {
  co_await server.failed();
  if (stop_) co_return;
  exit_code_ = 1;
  stop_ = true;
  over_.notify_all();
}

Task<void> Dev::serve(broker::BrokerConfig config) {
  Instant began = env_.loop.now();
  Result<std::unique_ptr<broker::Server>> started =
      co_await broker::Server::start(env_, std::move(config), target_);
  if (!started) {
    complain(started.error());
    co_return;
  }
  broker::Server& server = **started;
  posix::print(banner(server, env_.loop.now() - began, options_.ephemeral));
  tasks_.spawn(wait_for_failure(server));
  while (!stop_) co_await over_.wait();
  stop_ = true;
  Result<void> stopped = co_await server.stop();
  co_await tasks_.drained();
  if (!stopped) complain(stopped.error());
}

Task<void> Dev::run() {
  system_.on_stop_signal([this](int) {
    stop_ = true;
    over_.notify_all();
  });
  Result<broker::BrokerConfig> config = co_await configure();
  if (!config) {
    complain(config.error());
    exit_code_ = 2;
    co_return;
  }
  std::string data_dir = config->log_dirs.front();
  co_await serve(std::move(*config));
  if (!options_.ephemeral) co_return;
  Result<void> removed = co_await remove_tree(env_, data_dir);
  bool gone = removed || removed.error().code() == Errc::not_found;
  if (!gone) complain(removed.error());
}

}  // namespace

int run_dev(const DevOptions& options) {
  Result<host::LogLevel> level = host::parse_log_level(options.log_level);
  posix::StderrSink sink;
  if (!level) {
    sink.write("moldau dev: --log-level: " + level.error().text());
    return 2;
  }
  auto system = posix::System::create({.signals = true});
  if (!system) {
    sink.write("moldau dev: " + system.error().to_string());
    return 1;
  }
  host::LogConfig levels(*level);
  host::LogTarget target{levels, sink, (*system)->env(0).clock, posix::stderr_format()};
  Dev dev(options, **system, target);
  Result<void> ran = (*system)->run(dev.run());
  if (!ran) {
    sink.write("moldau dev: " + ran.error().to_string());
    return 1;
  }
  return dev.exit_code();
}

}  // namespace moldau::app
