#include "app/serve.h"

#include <fmt/format.h>

#include "broker/server.h"
#include "host/clock.h"
#include "host/env.h"
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

class Serve {
 public:
  Serve(ServeJob& job, posix::System& system, host::LogTarget& target)
      : job_(job),
        system_(system),
        env_(system.env(0)),
        target_(target),
        logger_(target, "app"),
        over_(env_.loop),
        tasks_(env_.loop, "serve") {}

  Task<void> run();
  int exit_code() const { return exit_code_; }

 private:
  Task<void> serve(broker::BrokerConfig config);
  Task<void> wait_for_failure(broker::Server& server);
  void complain(const Error& error);

  ServeJob& job_;
  posix::System& system_;
  host::Env& env_;
  host::LogTarget& target_;
  host::Logger logger_;
  bool stop_ = false;
  int exit_code_ = 0;
  host::Event over_;
  host::Scope tasks_;
};

void Serve::complain(const Error& error) {
  posix::StderrSink().write(
      fmt::format("{}: {}", job_.name(), error.text().empty() ? error.to_string() : error.text()));
  exit_code_ = 1;
}

// A disk that fails ends the program, as it ends Kafka's.
Task<void> Serve::wait_for_failure(broker::Server& server) {
  co_await server.failed();
  if (stop_) co_return;
  exit_code_ = 1;
  stop_ = true;
  over_.notify_all();
}

Task<void> Serve::serve(broker::BrokerConfig config) {
  Instant began = env_.loop.now();
  Result<std::unique_ptr<broker::Server>> started =
      co_await broker::Server::start(env_, std::move(config), target_);
  if (!started) {
    complain(started.error());
    co_return;
  }
  broker::Server& server = **started;
  job_.ready(server, env_.loop.now() - began, logger_);
  tasks_.spawn(wait_for_failure(server));
  while (!stop_) co_await over_.wait();
  stop_ = true;
  Result<void> stopped = co_await server.stop();
  co_await tasks_.drained();
  if (!stopped) complain(stopped.error());
}

Task<void> Serve::run() {
  system_.on_stop_signal([this](int) {
    stop_ = true;
    over_.notify_all();
  });
  Result<broker::BrokerConfig> config = co_await job_.configure(env_, logger_);
  if (!config) {
    complain(config.error());
    exit_code_ = 2;
    co_return;
  }
  co_await serve(std::move(*config));
  Result<void> finished = co_await job_.finish(env_);
  if (!finished) complain(finished.error());
}

}  // namespace

int serve(ServeJob& job, std::string_view log_level) {
  Result<host::LogLevel> level = host::parse_log_level(log_level);
  posix::StderrSink sink;
  if (!level) {
    sink.write(fmt::format("{}: --log-level: {}", job.name(), level.error().text()));
    return 2;
  }
  auto system = posix::System::create({.signals = true});
  if (!system) {
    sink.write(fmt::format("{}: {}", job.name(), system.error().to_string()));
    return 1;
  }
  host::LogConfig levels(*level);
  host::LogTarget target{levels, sink, (*system)->env(0).clock, posix::stderr_format()};
  Serve one(job, **system, target);
  Result<void> ran = (*system)->run(one.run());
  if (!ran) {
    sink.write(fmt::format("{}: {}", job.name(), ran.error().to_string()));
    return 1;
  }
  return one.exit_code();
}

Task<Result<host::Address>> resolve(host::Env& env, host::HostPort where) {
  if (where.host.empty()) co_return host::Address{host::IpAddress::any_v6(), where.port};
  Result<host::IpAddress> number = host::IpAddress::parse(where.host);
  if (number) co_return host::Address{*number, where.port};
  CO_TRY(found, env.network.resolve(where.host));
  co_return host::Address{found.front(), where.port};
}

}  // namespace moldau::app
