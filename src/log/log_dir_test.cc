// What several logs share: the group commit, the checkpoints, the lock, the marker, and the end of
// a disk.
#include "log/log_dir.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/disk.h"
#include "log/log.h"
#include "log/test_world.h"

namespace moldau::log {
namespace {

using host::Env;
using host::Task;

const LogConfig kConfig;
const LogDirConfig kDirConfig{.checkpoint_interval = milliseconds(50),
                              .high_watermark_interval = milliseconds(20)};

struct Ear final : LogListener {
  int failures = 0;
  void on_committed(Offset) override {}
  void on_failed() override { failures++; }
};

struct Several {
  TestDisk disk;
  std::unique_ptr<TestWorld> world = std::make_unique<TestWorld>(disk);
  std::unique_ptr<LogDir> dir;
  std::vector<std::unique_ptr<Log>> logs;
  Ear ear;
  std::vector<std::string> operations;  // "what path", in order

  Several() {
    disk.fault = [this](std::string_view what, const std::string& path) {
      operations.push_back(std::string(what) + " " + path);
      return std::optional<Errc>();
    };
  }
  bool run(Task<void> task) { return world->run(std::move(task)); }
  size_t first(const std::string& operation) const {
    return static_cast<size_t>(std::ranges::find(operations, operation) - operations.begin());
  }
};

Task<void> open(Env& env, Several& all, int count) {
  auto dir = co_await LogDir::open(env, "data", kDirConfig);
  EXPECT_TRUE(dir) << dir.error().to_string();
  all.dir = std::move(*dir);
  for (int i = 0; i < count; i++) {
    std::string directory = fmt::format("topic-{}", i);
    auto log = co_await Log::open(env, *all.dir, directory, kConfig);
    EXPECT_TRUE(log) << log.error().to_string();
    all.logs.push_back(std::move(*log));
    all.logs.back()->set_listener(&all.ear);
  }
}

Task<void> append_to_all(Env& env, Several& all) {
  std::vector<Appended> appended;
  for (auto& log : all.logs) {
    Incoming in = incoming(make_batch(2, 1, 10));
    appended.push_back(*log->append(in.block, in.bytes, LeaderEpoch(0), WallTime{0}));
    co_await log->write_out(env);
  }
  for (size_t i = 0; i < all.logs.size(); i++)
    while (all.logs[i]->state(appended[i]) == AppendState::pending)
      co_await env.loop.sleep(milliseconds(1));
}

Task<void> close(Env& env, Several& all) {
  for (auto& log : all.logs) {
    Result<void> closed = co_await log->close(env);
    EXPECT_TRUE(closed) << closed.error().to_string();
  }
  Result<void> closed = co_await all.dir->close(11);
  EXPECT_TRUE(closed) << closed.error().to_string();
}

std::string text(Several& all, const std::string& path) {
  return std::string(as_text(all.disk.file(path)));
}

TEST(LogDir, SyncsAllDirtyLogsInOneRound) {
  Several all;
  Env& env = all.world->env;
  all.run(open(env, all, 20));
  all.run(append_to_all(env, all));  // makes the files
  all.disk.later = &all.world->loop;
  Instant before = all.world->loop.now();
  all.run(append_to_all(env, all));
  all.disk.later = nullptr;
  // A sync takes 2 ms: one after the other they would take 40.
  EXPECT_LT((all.world->loop.now() - before).millis(), 12);
  for (auto& log : all.logs) EXPECT_EQ(log->offsets().durable, Offset(4));
}

TEST(LogDir, WritesItsCheckpointsFromTimeToTimeAndAtTheEnd) {
  Several all;
  Env& env = all.world->env;
  all.run(open(env, all, 2));
  all.run(append_to_all(env, all));
  auto wait = [](Env& e) -> Task<void> { co_await e.loop.sleep(milliseconds(60)); };
  all.run(wait(env));
  EXPECT_EQ(text(all, "data/recovery-point-offset-checkpoint"), "0\n2\ntopic 0 1\ntopic 1 1\n")
      << "inside the last segment";
  EXPECT_EQ(text(all, "data/log-start-offset-checkpoint"), "0\n0\n");
  all.run(append_to_all(env, all));
  all.run(close(env, all));
  EXPECT_EQ(text(all, "data/recovery-point-offset-checkpoint"), "0\n2\ntopic 0 4\ntopic 1 4\n");
  EXPECT_EQ(text(all, "data/replication-offset-checkpoint"), "0\n2\ntopic 0 4\ntopic 1 4\n");
  EXPECT_FALSE(all.disk.names.contains("data/cleaner-offset-checkpoint")) << "nobody cleans";
}

// What the owner of a log says stands in the file soon after, and is there for the next start.
TEST(LogDir, KeepsHighWatermarksAndCleanerPoints) {
  struct Owner final : LogListener {
    void on_committed(Offset) override {}
    void on_failed() override {}
    std::optional<Offset> high_watermark() const override { return Offset(1); }
  } owner;
  Several all;
  Env& env = all.world->env;
  all.run(open(env, all, 2));
  all.logs[1]->set_listener(&owner);
  all.run(append_to_all(env, all));
  auto wait = [](Env& e, Several& s) -> Task<void> {
    co_await e.loop.sleep(milliseconds(25));
    Result<void> set = co_await s.dir->set_cleaner_point(e, "topic-1", Offset(7));
    EXPECT_TRUE(set);
  };
  EXPECT_TRUE(all.run(wait(env, all)));
  EXPECT_EQ(text(all, "data/replication-offset-checkpoint"), "0\n2\ntopic 0 2\ntopic 1 1\n");
  EXPECT_EQ(text(all, "data/cleaner-offset-checkpoint"), "0\n1\ntopic 1 7\n");
  all.run(close(env, all));
  all.logs.clear();
  all.dir = nullptr;
  all.world = std::make_unique<TestWorld>(all.disk);
  all.run(open(all.world->env, all, 0));
  EXPECT_EQ(all.dir->high_watermark("topic-0"), Offset(2));
  EXPECT_EQ(all.dir->high_watermark("topic-1"), Offset(1));
  EXPECT_EQ(all.dir->cleaner_point("topic-1"), Offset(7));
  EXPECT_EQ(all.dir->cleaner_point("topic-0"), std::nullopt);
}

TEST(LogDir, DoesNotOpenWithADamagedCheckpoint) {
  for (const char* name : {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint",
                           "replication-offset-checkpoint", "cleaner-offset-checkpoint"}) {
    Several all;
    all.disk.directories = {"data"};
    auto file = std::make_shared<TestDisk::Inode>();
    for (char c : std::string_view("0\n2\ntopic 0 2\n"))
      file->data.push_back(static_cast<uint8_t>(c));
    all.disk.names[std::string("data/") + name] = file;
    auto attempt = [](Env& e, const char* file_name) -> Task<void> {
      auto dir = co_await LogDir::open(e, "data", kDirConfig);
      EXPECT_FALSE(dir);
      if (dir) co_return;
      EXPECT_EQ(dir.error().code(), Errc::corrupt);
      EXPECT_NE(dir.error().to_string().find(file_name), std::string::npos)
          << dir.error().to_string();
    };
    EXPECT_TRUE(all.run(attempt(all.world->env, name)));
  }
}

TEST(LogDir, WritesTheMarkerLastAndConsumesItFirst) {
  Several all;
  all.run(open(all.world->env, all, 2));
  all.run(append_to_all(all.world->env, all));
  all.run(close(all.world->env, all));
  EXPECT_EQ(text(all, "data/.kafka_cleanshutdown"), "{\"version\":0,\"brokerEpoch\":11}");
  size_t marker = all.first("open data/.kafka_cleanshutdown.tmp");
  ASSERT_LT(marker, all.operations.size());
  for (size_t i = marker; i < all.operations.size(); i++)
    EXPECT_TRUE(all.operations[i].find("data/.kafka_cleanshutdown") != std::string::npos ||
                all.operations[i] == "sync_directory data")
        << all.operations[i];
  all.logs.clear();
  all.dir = nullptr;
  all.world = std::make_unique<TestWorld>(all.disk);
  all.operations.clear();
  all.run(open(all.world->env, all, 2));
  EXPECT_TRUE(all.dir->was_clean());
  size_t consumed = all.first("remove data/.kafka_cleanshutdown");
  EXPECT_EQ(all.operations[consumed + 1], "sync_directory data");
  EXPECT_LT(consumed, all.first("list data/topic-0"));
}

TEST(LogDir, IsNotCleanAfterALogWasLeftOpen) {
  Several all;
  all.run(open(all.world->env, all, 2));
  all.run(append_to_all(all.world->env, all));
  all.logs.pop_back();  // dropped, not closed
  auto close_rest = [](Env& e, Several& s) -> Task<void> {
    Result<void> closed = co_await s.logs[0]->close(e);
    EXPECT_TRUE(closed);
    closed = co_await s.dir->close(1);
    EXPECT_EQ(closed.error().code(), Errc::offline);
  };
  EXPECT_TRUE(all.run(close_rest(all.world->env, all)));
  EXPECT_FALSE(all.disk.names.contains("data/.kafka_cleanshutdown"));
}

// A directory whose log could not even be looked at was not recovered: the next start has to.
TEST(LogDir, IsNotStoppedInOrderIfALogCouldNotBeOpened) {
  Several all;
  Env& env = all.world->env;
  all.run(open(env, all, 1));
  all.run(append_to_all(env, all));
  all.logs.clear();
  all.dir = nullptr;
  all.world = std::make_unique<TestWorld>(all.disk);
  all.run(open(all.world->env, all, 0));
  all.disk.fault = [](std::string_view what, const std::string&) {
    return what == "list" ? std::optional(Errc::io) : std::nullopt;
  };
  auto fails = [](Env& e, Several& s) -> Task<void> {
    auto log = co_await Log::open(e, *s.dir, "topic-0", kConfig);
    EXPECT_EQ(log.error().code(), Errc::io);
    Result<void> closed = co_await s.dir->close(1);
    EXPECT_FALSE(closed);
  };
  EXPECT_TRUE(all.run(fails(all.world->env, all)));
  EXPECT_FALSE(all.disk.names.contains("data/.kafka_cleanshutdown"));
}

TEST(LogDir, BelongsToOneProcess) {
  Several all;
  all.run(open(all.world->env, all, 0));
  auto second = [](Env& e) -> Task<void> {
    auto dir = co_await LogDir::open(e, "data", kDirConfig);
    EXPECT_EQ(dir.error().code(), Errc::busy);
    EXPECT_EQ(dir.error().text().find("data is in use by another process"), 0u)
        << dir.error().text();
  };
  EXPECT_TRUE(all.run(second(all.world->env)));
}

TEST(LogDir, GoesOfflineAsAWholeWhenOneFileFails) {
  Several all;
  Env& env = all.world->env;
  all.run(open(env, all, 3));
  all.run(append_to_all(env, all));
  all.disk.fault = [](std::string_view what, const std::string& path) -> std::optional<Errc> {
    if (what == "write" && path.find("topic-1/") != path.npos) return Errc::io;
    return std::nullopt;
  };
  auto one = [](Env& e, Several& s) -> Task<void> {
    Incoming in = incoming(make_batch(2, 1, 10));
    Appended appended = *s.logs[1]->append(in.block, in.bytes, LeaderEpoch(0), WallTime{0});
    co_await s.logs[1]->write_out(e);
    EXPECT_EQ(s.logs[1]->state(appended), AppendState::failed);
  };
  EXPECT_TRUE(all.run(one(env, all)));
  ASSERT_TRUE(all.dir->offline());
  EXPECT_EQ(all.dir->offline()->code(), Errc::io);
  EXPECT_EQ(all.ear.failures, 3) << "each log's owner is told";
  for (auto& log : all.logs) {
    Incoming in = incoming(make_batch(2, 1, 10));
    EXPECT_EQ(log->append(in.block, in.bytes, LeaderEpoch(0), WallTime{0}).error().code(),
              Errc::offline);
  }
}

TEST(LogDir, FinishesInterruptedDeletionsAndLeavesTheRestAlone) {
  Several all;
  all.disk.directories = {
      "data",           "data/a-1", "data/b-2.0123-delete", "data/c-0.x-future", "data/d-1.y-stray",
      "data/lost+found"};
  all.disk.names["data/b-2.0123-delete/x.log"] = std::make_shared<TestDisk::Inode>();
  all.run(open(all.world->env, all, 0));
  auto list = [](Env& e, Several& s) -> Task<void> {
    auto found = co_await s.dir->contents(e);
    EXPECT_EQ(found->partitions, std::vector<std::string>{"a-1"});
    EXPECT_EQ(found->futures, std::vector<std::string>{"c-0.x-future"});
    EXPECT_EQ(found->strays, std::vector<std::string>{"d-1.y-stray"});
    EXPECT_EQ(found->foreign, std::vector<std::string>{"lost+found"});
  };
  EXPECT_TRUE(all.run(list(all.world->env, all)));
  EXPECT_FALSE(all.disk.directories.contains("data/b-2.0123-delete"));
}

// A topic is deleted and made again under the same name: what the checkpoint said of the old one
// must not be believed.
TEST(LogDir, ForgetsTheCheckpointsOfARemovedLog) {
  Several all;
  all.run(open(all.world->env, all, 1));
  for (int i = 0; i < 3; i++) all.run(append_to_all(all.world->env, all));
  auto wait = [](Env& e) -> Task<void> { co_await e.loop.sleep(milliseconds(60)); };
  all.run(wait(all.world->env));
  auto again = [](Env& e, Several& s) -> Task<void> {
    Result<void> removed = co_await s.logs[0]->remove(e);
    EXPECT_TRUE(removed);
    s.logs.clear();
    auto log = co_await Log::open(e, *s.dir, "topic-0", kConfig);
    s.logs.push_back(std::move(*log));
    co_await append_to_all(e, s);
  };
  EXPECT_TRUE(all.run(again(all.world->env, all)));
  EXPECT_EQ(text(all, "data/recovery-point-offset-checkpoint"), "0\n0\n");
  all.logs.clear();
  all.dir = nullptr;
  all.disk.lose_power();
  all.world = std::make_unique<TestWorld>(all.disk);
  all.run(open(all.world->env, all, 1));
  EXPECT_EQ(all.logs[0]->offsets().end, Offset(2));
}

}  // namespace
}  // namespace moldau::log
