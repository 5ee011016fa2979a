// play_log SCRIPT DIR: plays a script of tell_log on our log and leaves its files in DIR, where the
// partitions that it names may be already (Kafka's, say). Prints a line for each append, cleaning
// and look-up: what PlayLog.java prints of Apache Kafka's log.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "files_of.h"
#include "log/cleaner.h"

namespace moldau::log {
namespace {

constexpr int64_t kClockStart = 1'700'000'000'000;  // of TestClock
constexpr int64_t kDeleteRetention = 4'000;
const LogDirConfig kDirConfig;

struct Command {
  std::string name;
  std::vector<std::string> words;
  int64_t number(size_t i) const { return strtoll(words[i].c_str(), nullptr, 10); }
};

std::vector<Command> read_script(const char* path) {
  std::vector<Command> script;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Command command;
    words >> command.name;
    for (std::string word; words >> word;) command.words.push_back(word);
    script.push_back(std::move(command));
  }
  return script;
}

std::vector<uint8_t> bytes_of(const std::string& hex) {
  std::vector<uint8_t> out;
  out.reserve(hex.size() / 2);
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<uint8_t>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  return out;
}

// As the broker answers a Produce.
std::string_view kafka_name(Errc code) {
  switch (code) {
    case Errc::out_of_sequence:
      return "OUT_OF_ORDER_SEQUENCE_NUMBER";
    case Errc::producer_fenced:
      return "INVALID_PRODUCER_EPOCH";
    case Errc::coordinator_fenced:
      return "TRANSACTION_COORDINATOR_FENCED";
    case Errc::wrong_transaction_state:
      return "INVALID_TXN_STATE";
    default:
      return errc_name(code);
  }
}

class Player {
 public:
  explicit Player(host::Env& env) : env_(env) {}
  host::Task<void> play(const std::vector<Command>& script);
  const std::string& error() const { return error_; }

 private:
  host::Task<void> carry_out(const Command& command);
  host::Task<void> open(const Command& command);
  host::Task<void> append(const Command& command);
  host::Task<void> clean();
  host::Task<void> find_time(WallTime t);
  host::Task<void> find_latest();
  void print(const Result<std::optional<TimestampOffset>>& found);
  host::Task<void> close();
  host::Task<void> wait_until_committed();
  bool sound(const Result<void>& result) {
    if (!result && error_.empty()) error_ = result.error().to_string();
    return result.has_value();
  }

  host::Env& env_;
  std::unique_ptr<LogDir> dir_;
  std::unique_ptr<Log> log_;
  LogConfig config_;
  std::string error_;
};

host::Task<void> Player::open(const Command& command) {
  config_.segment_bytes = command.number(1);
  config_.clean = {.compact = true,
                   .min_dirty_ratio = 0,
                   .delete_retention_millis = kDeleteRetention,
                   .segment_bytes = config_.segment_bytes};
  std::string name = command.words[0];
  auto opened = co_await Log::open(env_, *dir_, name, config_);
  if (!opened) {
    sound(std::move(opened.error()));
    co_return;
  }
  log_ = std::move(*opened);
  Offsets offsets = log_->offsets();
  fmt::print("open {} {}\n", offsets.start, offsets.end);
}

host::Task<void> Player::append(const Command& command) {
  Incoming in = incoming(bytes_of(command.words[2]));
  LeaderEpoch epoch(static_cast<int32_t>(command.number(1)));
  Origin origin = command.words[0] == "client" ? Origin::client : Origin::coordinator;
  auto appended = log_->append(in.block, in.bytes, epoch, env_.clock.wall(), origin);
  if (!appended) {
    fmt::print("append {}\n", kafka_name(appended.error().code()));
    co_return;
  }
  fmt::print("append {} {}{}\n", appended->base, appended->last,
             appended->duplicate ? " again" : "");
  co_await log_->write_out(env_);
}

host::Task<void> Player::wait_until_committed() {
  co_await log_->write_out(env_);
  for (Offsets now = log_->offsets(); now.committed < now.end; now = log_->offsets())
    co_await env_.loop.sleep(microseconds(1));
}

host::Task<void> Player::clean() {
  co_await wait_until_committed();
  LogConfig quick = log_->config();
  quick.delete_delay = microseconds(1);
  log_->reconfigure(quick);
  Cleaner cleaner(env_, CleanerConfig{});
  cleaner.add(*log_);
  OffsetMap map({.bytes = 1 << 20}, {1, 2});
  bool cleaned = co_await cleaner.clean_dirtiest(map);
  CleanerStats stats = cleaner.stats();
  if (!stats.last_error.empty()) sound(fail(Errc::invalid, stats.last_error));
  auto point = dir_->cleaner_point(log_->directory());
  fmt::print("clean {} {}\n", cleaned, point ? point->value : -1);
  co_await env_.loop.sleep(microseconds(10));
  co_await cleaner.remove(env_, *log_);
  co_await cleaner.stop();
}

host::Task<void> Player::find_time(WallTime t) {
  co_await wait_until_committed();
  auto found = co_await log_->find_timestamp(env_, t);
  print(found);
}

host::Task<void> Player::find_latest() {
  co_await wait_until_committed();
  auto found = co_await log_->max_timestamp(env_);
  print(found);
}

void Player::print(const Result<std::optional<TimestampOffset>>& found) {
  if (!found)
    error_ = found.error().to_string();
  else if (*found)
    fmt::print("time {} {}\n", (*found)->offset, (*found)->timestamp.millis);
  else
    fmt::print("time none\n");
}

host::Task<void> Player::close() {
  Result<void> closed = co_await log_->close(env_);
  sound(closed);
  log_.reset();
}

host::Task<void> Player::carry_out(const Command& command) {
  if (command.name == "log") {
    co_await open(command);
  } else if (command.name == "at") {
    Instant at{(command.number(0) - kClockStart) * 1'000'000};
    co_await env_.loop.sleep(at - env_.loop.now());
  } else if (command.name == "append") {
    co_await append(command);
  } else if (command.name == "clean") {
    co_await clean();
  } else if (command.name == "time") {
    WallTime t{command.number(0)};
    co_await find_time(t);
  } else if (command.name == "latest") {
    co_await find_latest();
  } else if (command.name == "close") {
    co_await close();
  } else {
    error_ = "what is " + command.name;
  }
}

host::Task<void> Player::play(const std::vector<Command>& script) {
  auto dir = co_await LogDir::open(env_, "data", kDirConfig);
  if (!dir) {
    sound(std::move(dir.error()));
    co_return;
  }
  dir_ = std::move(*dir);
  for (const Command& command : script) {
    if (error_.empty()) co_await carry_out(command);
  }
  Result<void> closed;
  if (log_) closed = co_await log_->close(env_);
  sound(closed);
  closed = co_await dir_->close(-1);
  sound(closed);
}

int run(const char* script_path, const std::string& real) {
  std::vector<Command> script = read_script(script_path);
  TestDisk disk;
  if (!load_tree(disk, "data", real)) return fprintf(stderr, "cannot read %s\n", real.c_str()), 1;
  TestWorld world(disk);
  Player player(world.env);
  bool ended = world.run(player.play(script));
  if (!ended || !player.error().empty())
    return fprintf(stderr, "failed: %s\n", player.error().c_str()), 1;
  return store_tree(disk, "data", real) ? 0 : 1;
}

}  // namespace
}  // namespace moldau::log

int main(int argc, char** argv) {
  if (argc != 3) return fprintf(stderr, "usage: play_log SCRIPT DIR\n"), 2;
  return moldau::log::run(argv[1], argv[2]);
}
