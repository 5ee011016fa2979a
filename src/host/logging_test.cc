#include "host/logging.h"

#include <gtest/gtest.h>

#include <thread>

#include "host/clock.h"

namespace moldau::host {
namespace {

struct FixedClock : Clock {
  Instant time{0};
  WallTime date{1'767'323'045'678};  // 2026-01-02T03:04:05.678Z
  Instant now() const override { return time; }
  WallTime wall() const override { return date; }
};

struct LoggingTest : testing::Test {
  LogConfig config;
  MemorySink sink;
  FixedClock clock;
  LogTarget target{.config = config, .sink = sink, .clock = clock, .format = LogFormat::text};
  Logger logger{target, "raft"};
};
using Lines = std::vector<std::string>;

TEST_F(LoggingTest, WritesALineOfText) {
  MOLDAU_LOG_INFO(logger, "became leader of epoch {}", 7);
  MOLDAU_LOG_ERROR(logger, "no arguments");
  EXPECT_EQ(sink.lines(), (Lines{"2026-01-02T03:04:05.678Z INFO  raft  became leader of epoch 7",
                                 "2026-01-02T03:04:05.678Z ERROR raft  no arguments"}));
}

TEST_F(LoggingTest, WritesJson) {
  target.format = LogFormat::json;
  Logger json(target, "raft");
  MOLDAU_LOG_WARN(json, "client '{}'", "a\"b\\c\n\x01");
  EXPECT_EQ(
      sink.lines(),
      Lines{
          R"({"time":"2026-01-02T03:04:05.678Z","level":"warn","module":"raft","message":"client 'a\"b\\c\n\u0001'"})"});
}

TEST_F(LoggingTest, ColorsTheLevelOnATerminal) {
  std::string line = format_log_line(LogFormat::color, clock.wall(), LogLevel::warn, "log", "full");
  EXPECT_EQ(line, "2026-01-02T03:04:05.678Z \x1b[33mWARN \x1b[0m log  full");
}

TEST_F(LoggingTest, EvaluatesNothingThatIsOff) {
  int evaluated = 0;
  MOLDAU_LOG_DEBUG(logger, "{}", ++evaluated);
  RepeatLimit limit;
  MOLDAU_LOG_LIMITED(logger, trace, limit, "{}", ++evaluated);
  EXPECT_EQ(evaluated, 0);
  EXPECT_TRUE(sink.lines().empty());
  config.set_level("raft", LogLevel::debug);
  MOLDAU_LOG_DEBUG(logger, "{}", ++evaluated);
  EXPECT_EQ(evaluated, 1);
  EXPECT_EQ(sink.lines().size(), 1u);
}

TEST_F(LoggingTest, IsOneStatement) {
  if (sink.lines().empty())
    MOLDAU_LOG_INFO(logger, "then");
  else
    MOLDAU_LOG_INFO(logger, "else");
  EXPECT_TRUE(sink.contains("then"));
}

TEST_F(LoggingTest, LetsNoMessageForgeALineOrDriveTheTerminal) {
  MOLDAU_LOG_INFO(logger, "{}",
                  "x\n2026 ERROR raft  lie\r\x1b[2J\x7f\xc2\x9b"
                  "2J\t");
  EXPECT_EQ(
      sink.lines(),
      Lines{
          R"(2026-01-02T03:04:05.678Z INFO  raft  x\n2026 ERROR raft  lie\r\u001b[2J\u007f\u009b2J\t)"});
}

TEST_F(LoggingTest, KeepsTextInAllLanguagesAndMarksWhatIsNone) {
  auto message = [](std::string_view text) {
    return format_log_line(LogFormat::text, {}, LogLevel::info, "m", text).substr(34);
  };
  EXPECT_EQ(message("Vltava, 볼타바, 🌊"), "Vltava, 볼타바, 🌊");
  EXPECT_EQ(message("a\xff"
                    "b\xe2\x82"),
            "a\ufffdb\ufffd\ufffd");
  EXPECT_EQ(message("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80"),
            "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd");
}

TEST(LogLine, DatesFollowTheCalendar) {
  auto date = [](int64_t millis) {
    return format_log_line(LogFormat::text, {millis}, LogLevel::info, "m", "").substr(0, 24);
  };
  EXPECT_EQ(date(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(date(951'782'399'999), "2000-02-28T23:59:59.999Z");
  EXPECT_EQ(date(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(date(-1), "1969-12-31T23:59:59.999Z");
}

TEST_F(LoggingTest, LevelsAreInherited) {
  Logger driver(target, "raft.driver"), raftish(target, "raftish");
  config.set_level("raft", LogLevel::trace);
  EXPECT_TRUE(driver.enabled(LogLevel::trace));
  EXPECT_FALSE(raftish.enabled(LogLevel::debug));
  config.set_level("raft.driver", LogLevel::off);
  EXPECT_FALSE(driver.enabled(LogLevel::error));
  EXPECT_TRUE(logger.enabled(LogLevel::trace));
  config.reset_level("raft.driver");
  EXPECT_TRUE(driver.enabled(LogLevel::trace));
  config.reset_level("raft");
  config.set_level("", LogLevel::warn);
  for (const Logger* l : {&logger, &driver, &raftish}) {
    EXPECT_FALSE(l->enabled(LogLevel::info)) << l->module();
    EXPECT_TRUE(l->enabled(LogLevel::warn)) << l->module();
  }
  config.reset_level("");
  EXPECT_TRUE(driver.enabled(LogLevel::info));
}

TEST_F(LoggingTest, LevelsMayBeSetBeforeTheModuleExists) {
  config.set_level("net", LogLevel::error);
  Logger connection(target, "net.connection");
  EXPECT_FALSE(connection.enabled(LogLevel::warn));
  EXPECT_EQ(config.levels(),
            (std::vector<std::pair<std::string, LogLevel>>{{"", LogLevel::info},
                                                           {"net", LogLevel::error},
                                                           {"net.connection", LogLevel::error},
                                                           {"raft", LogLevel::info}}));
}

TEST(LogLevel, HasNames) {
  for (LogLevel level : {LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn,
                         LogLevel::error, LogLevel::off})
    EXPECT_EQ(parse_log_level(log_level_name(level)).value(), level);
  EXPECT_EQ(parse_log_level("WARN").value(), LogLevel::warn);
  EXPECT_EQ(parse_log_level("FATAL").value(), LogLevel::error);
  EXPECT_EQ(parse_log_level("loud").error().code(), Errc::invalid);
}

TEST_F(LoggingTest, RepeatedWarningsAreCounted) {
  RepeatLimit limit(seconds(10));
  auto warn = [&](int i) { MOLDAU_LOG_LIMITED(logger, warn, limit, "disk {} is full", i); };
  for (int i = 0; i < 313; i++) warn(i);
  clock.time = clock.time + seconds(10);
  for (int i = 1000; i < 1005; i++) warn(i);
  clock.time = clock.time + seconds(100);
  warn(2000);
  clock.time = clock.time + seconds(10);
  warn(3000);
  Lines lines = sink.lines();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].ends_with("disk 0 is full"));
  EXPECT_TRUE(lines[1].ends_with("disk 1000 is full … 312 more like this"));
  EXPECT_TRUE(lines[2].ends_with("disk 2000 is full … 4 more like this"));
  EXPECT_TRUE(lines[3].ends_with("disk 3000 is full"));
}

TEST(RepeatLimit, LosesNoCountBetweenThreads) {
  RepeatLimit limit(nanoseconds(1));
  std::atomic<uint64_t> admitted{0}, reported{0};
  auto hammer = [&] {
    for (int64_t i = 0; i < 5000; i++)
      if (auto held = limit.admit(Instant{i / 10})) {
        admitted++;
        reported += *held;
      }
  };
  std::thread one(hammer), two(hammer);
  one.join();
  two.join();
  uint64_t left = limit.admit(Instant{1'000'000}).value();
  EXPECT_EQ(admitted + reported + left, 10'000u);
}

TEST(MemorySink, ForgetsTheOldest) {
  MemorySink sink(3);
  for (const char* line : {"a", "b", "c", "d", "e"}) sink.write(line);
  EXPECT_EQ(sink.lines(), (Lines{"c", "d", "e"}));
  EXPECT_TRUE(sink.contains("d"));
  EXPECT_FALSE(sink.contains("a"));
  sink.clear();
  sink.write("f");
  EXPECT_EQ(sink.lines(), Lines{"f"});
}

TEST_F(LoggingTest, ThreadsMayLogAndChangeLevelsTogether) {
  std::thread other([&] {
    for (int i = 0; i < 200; i++) {
      config.set_level("raft", i % 2 == 0 ? LogLevel::error : LogLevel::info);
      Logger mine(target, "module" + std::to_string(i % 7));
      MOLDAU_LOG_ERROR(mine, "other {}", i);
    }
  });
  for (int i = 0; i < 200; i++) MOLDAU_LOG_ERROR(logger, "this {}", i);
  other.join();
  EXPECT_EQ(sink.lines().size(), 400u);
}

}  // namespace
}  // namespace moldau::host
