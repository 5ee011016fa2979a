// quorum_node KEY=VALUE...: a controller's replica of the metadata log as a process of its own, for
// tests beside Apache Kafka's controllers. It votes, follows, leads (then it appends a record that
// does nothing every noop milliseconds), serves its listener, and says on stdout what it is.
//   id=3 cluster=ID directory=UUID data=DIR listen=127.0.0.1:9093
//   voters=1@127.0.0.1:9091,2@...   or   bootstrap=127.0.0.1:9091,...
//   observer=1: does not vote; metadata=LEVEL: of metadata.version, as it says in ApiVersions
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <map>

#include "host/address.h"
#include "host/clock.h"
#include "host/logging.h"
#include "host/loop.h"
#include "host/posix/stderr_sink.h"
#include "host/posix/system.h"
#include "log/log_dir.h"
#include "raft/driver_listener.h"
#include "raft/driver_network.h"
#include "wire/record_batch_builder.h"

namespace moldau::raft {
namespace {

using host::Env;
using host::Task;
using Arguments = std::map<std::string, std::string>;

std::string text(const Arguments& arguments, const std::string& key, std::string otherwise = "") {
  auto found = arguments.find(key);
  return found == arguments.end() ? otherwise : found->second;
}
int32_t number(const Arguments& arguments, const std::string& key, int32_t otherwise) {
  std::string value = text(arguments, key);
  int32_t out = otherwise;
  std::from_chars(value.data(), value.data() + value.size(), out);
  return out;
}

// A NoOpRecord: frame 1, type 20, version 0, no tagged fields.
std::vector<uint8_t> no_op(int64_t millis) {
  constexpr std::array<uint8_t, 4> kRecord{1, 20, 0, 0};
  wire::RecordBatchBuilder builder;
  builder.add(millis, std::nullopt, Bytes(kRecord));
  return builder.finish();
}

class Levels final : public ControllerApis {
 public:
  explicit Levels(int16_t metadata) : metadata_(metadata) {}
  Features features() const override {
    Features out;
    out.supported = {{"kraft.version", 0, 1}, {"metadata.version", 7, 30}};
    out.finalized = {{"metadata.version", metadata_, metadata_}};
    out.epoch = 0;
    return out;
  }

 private:
  const int16_t metadata_;
};

class QuorumNode {
 public:
  QuorumNode(Env& env, Arguments arguments, const host::Logger& logger)
      : env_(env), arguments_(std::move(arguments)), logger_(logger), tasks_(env.loop, "node") {}
  Task<void> run();
  void stop() {
    stopping_ = true;
    changed_.raise();
  }
  const std::string& error() const { return error_; }

 private:
  Result<Driver::Options> options() const;
  Task<Result<void>> serve(log::LogDir& dir);
  Task<void> tell(Driver& driver);
  Task<void> lead(Driver& driver);

  Env& env_;
  const Arguments arguments_;
  const host::Logger& logger_;
  bool stopping_ = false;
  host::Signal changed_;
  std::string error_;
  host::Scope tasks_;
};

Result<Driver::Options> QuorumNode::options() const {
  Driver::Options out;
  TRY(directory, Uuid::parse(text(arguments_, "directory", "AAAAAAAAAAAAAAAAAAAAAA")));
  TRY(listen, host::HostPort::parse(text(arguments_, "listen"), 0));
  out.config.local = {BrokerId(number(arguments_, "id", 1)), directory};
  out.config.cluster_id = text(arguments_, "cluster");
  out.config.endpoints = {{"CONTROLLER", listen.host, listen.port}};
  out.config.election_timeout = milliseconds(number(arguments_, "election", 1'000));
  if (std::string voters = text(arguments_, "voters"); !voters.empty()) {
    TRY(set, VoterSet::parse(voters, "CONTROLLER"));
    out.voters = VoterHistory(std::move(set), 0);
  }
  std::string servers = text(arguments_, "bootstrap");
  for (size_t at = 0; at < servers.size();) {
    size_t comma = std::min(servers.find(',', at), servers.size());
    TRY(server, host::HostPort::parse(std::string_view(servers).substr(at, comma - at), 0));
    out.config.bootstrap.push_back({"CONTROLLER", server.host, server.port});
    at = comma + 1;
  }
  out.logger = &logger_;
  return out;
}

// A line whenever something has changed.
Task<void> QuorumNode::tell(Driver& driver) {
  host::WaitSet changes(env_.loop);
  changes.watch(driver.moved());
  changes.watch(changed_);
  std::string before;
  while (!stopping_ && !driver.failure()) {
    const Core& core = driver.core();
    std::string now =
        fmt::format("{} epoch={} leader={} hw={} start={} voters={}", role_name(core.role()),
                    core.state().epoch, core.leader().leader, core.high_watermark(),
                    core.log().start(), core.voters().voters().size());
    if (now != before) {
      fmt::print("{}\n", now);
      std::fflush(stdout);
    }
    before = std::move(now);
    co_await changes.wait_until(kNever);
  }
}

Task<void> QuorumNode::lead(Driver& driver) {
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  Duration pause = milliseconds(number(arguments_, "noop", 200));
  while (!stopping_ && !driver.failure()) {
    const LeaderView* view = driver.core().leading();
    if (view && view->commits()) (void)driver.append(no_op(env_.clock.wall().millis));
    Instant later = env_.loop.now() + pause;
    co_await changes.wait_until(later);
  }
}

Task<Result<void>> QuorumNode::serve(log::LogDir& dir) {
  NetworkPeers peers(env_, {.client_id = "raft-client-" + text(arguments_, "id")});
  TRY_CO(settings, options());
  settings.peers = &peers;
  CO_TRY(opened, Driver::open(env_, dir, std::move(settings)));
  Driver& driver = *opened;
  TRY_CO(listen, host::HostPort::parse(text(arguments_, "listen"), 0));
  TRY_CO(ip, host::IpAddress::parse(listen.host));
  Levels levels(static_cast<int16_t>(number(arguments_, "metadata", 30)));
  host::Address at{ip, listen.port};
  TRY_CO(listener, Listener::open(env_, at, driver, levels, &logger_));
  Listener& listening = *listener;
  tasks_.spawn(tell(driver));
  tasks_.spawn(lead(driver));
  host::WaitSet changes(env_.loop);
  changes.watch(changed_);
  changes.watch(driver.moved());
  while (!stopping_ && !driver.failure()) co_await changes.wait_until(kNever);
  stop();
  driver.moved().raise();
  co_await tasks_.drained();
  Result<void> closed = co_await driver.close();
  co_await listening.stop();
  co_return closed;
}

Task<void> QuorumNode::run() {
  log::LogDirConfig config;
  std::string path = text(arguments_, "data");
  Result<std::unique_ptr<log::LogDir>> dir = co_await log::LogDir::open(env_, path, config);
  if (!dir) {
    error_ = dir.error().to_string();
    co_return;
  }
  log::LogDir& directory = **dir;
  Result<void> served = co_await serve(directory);
  if (!served) error_ = served.error().to_string();
  Result<void> closed = co_await directory.close(0);
  if (!closed && error_.empty()) error_ = closed.error().to_string();
}

int main_of(Arguments arguments) {
  auto system = host::posix::System::create({.signals = true});
  if (!system) return 1;
  host::posix::StderrSink sink;
  host::LogConfig levels(host::LogLevel::debug);
  Env& env = (*system)->env(0);
  host::LogTarget target{levels, sink, env.clock, host::LogFormat::text};
  host::Logger logger(target, "raft");
  QuorumNode node(env, std::move(arguments), logger);
  (*system)->on_stop_signal([&node](int) { node.stop(); });
  Result<void> ran = (*system)->run(node.run());
  std::string error = ran ? node.error() : ran.error().to_string();
  fmt::print("{}\n", error.empty() ? "stopped" : "error: " + error);
  return error.empty() ? 0 : 1;
}

}  // namespace
}  // namespace moldau::raft

int main(int argc, char** argv) {
  moldau::raft::Arguments arguments;
  for (int i = 1; i < argc; i++) {
    std::string_view word(argv[i]);
    size_t equals = word.find('=');
    if (equals == word.npos) return 2;
    arguments.emplace(word.substr(0, equals), word.substr(equals + 1));
  }
  return moldau::raft::main_of(std::move(arguments));
}
