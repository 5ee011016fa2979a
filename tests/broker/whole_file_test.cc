#include "host/whole_file.h"

#include "broker_world.h"
#include "host/scope.h"

namespace moldau::host {
namespace {

struct WholeFile : testing::Test {
  sim::World world{sim::WorldOptions()};
  sim::Node& node = world.add_node("node");
  Env& env = node.env();
  void SetUp() override {
    node.set_program([](Env&) -> Task<void> { co_return; });
    node.start();
    run(make_directory());
  }
  void TearDown() override { node.crash(sim::Crash::process); }
  // In the node's own scope: a crash first settles what its disk was doing for the task.
  void run(Task<void> task) {
    node.scope().spawn(std::move(task));
    world.run_until([&] { return node.ended(); }, world.now() + seconds(30));
  }
  Task<void> make_directory() {
    EXPECT_TRUE(co_await env.disk.make_directory("/d"));
    EXPECT_TRUE(co_await env.disk.sync_directory("/d"));
    EXPECT_TRUE(co_await env.disk.sync_directory("/"));
  }
  Task<void> write(std::string text, std::optional<Result<void>>& out) {
    out = co_await replace_whole_file(env.disk, "/d/file", text);
  }
  Task<void> read(size_t most, std::optional<Result<std::string>>& out) {
    out = co_await read_whole_file(env.disk, "/d/file", most);
  }
  std::optional<Result<void>> replace(const std::string& text) {
    std::optional<Result<void>> out;
    run(write(text, out));
    return out;
  }
  Result<std::string> content(size_t most = 1 << 20) {
    std::optional<Result<std::string>> out;
    run(read(most, out));
    return out ? *out : Result<std::string>(fail(Errc::cancelled));
  }
};

TEST_F(WholeFile, IsReadAsItWasWritten) {
  EXPECT_EQ(content().error().code(), Errc::not_found);
  for (const std::string& text :
       {std::string("one"), std::string(100'000, 'x'), std::string(), std::string("short")}) {
    auto replaced = replace(text);
    ASSERT_TRUE(replaced && *replaced) << text.size();
    EXPECT_EQ(*content(), text);
  }
}

TEST_F(WholeFile, AboveTheLimitIsNotRead) {
  replace(std::string(1'001, 'x'));
  EXPECT_EQ(content(1'000).error().code(), Errc::too_large);
  EXPECT_TRUE(content(1'001));
}

TEST_F(WholeFile, IsTheOldOneOrTheNewOneWhereverPowerIsLost) {
  std::string before(3'000, 'a');
  std::string after(5'000, 'b');
  bool saw_old = false;
  bool saw_new = false;
  for (uint64_t stop_at = 0; stop_at < 10; stop_at++) {
    auto replaced = replace(before);
    ASSERT_TRUE(replaced && *replaced);
    uint64_t from = node.disk().operations();
    std::optional<Result<void>> out;
    node.scope().spawn(write(after, out));
    world.run_until([&] { return out.has_value() || node.disk().operations() >= from + stop_at; },
                    world.now() + seconds(1));
    bool acknowledged = out && *out;
    node.crash(sim::Crash::power);
    node.start();
    Result<std::string> found = content();
    ASSERT_TRUE(found) << stop_at;
    EXPECT_TRUE(*found == before || *found == after)
        << stop_at << ": " << found->size() << " bytes";
    if (acknowledged) EXPECT_EQ(*found, after) << stop_at;
    saw_old |= *found == before;
    saw_new |= *found == after;
  }
  EXPECT_TRUE(saw_old && saw_new);
}

TEST_F(WholeFile, AnErrorLeavesTheOldOneAndTheNextTimeIsBetter) {
  replace("old");
  for (uint32_t calls : {sim::kDiskWrite, sim::kDiskSync, sim::kDiskName}) {
    auto trouble =
        node.disk().add_trouble({.calls = calls, .code = Errc::no_space}, world.stream("trouble"));
    auto failed = replace("a longer text than before");
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->error().code(), Errc::no_space);
    node.disk().remove_trouble(trouble);
    EXPECT_EQ(*content(), "old");
  }
  ASSERT_TRUE(*replace("new"));
  EXPECT_EQ(*content(), "new");
}

TEST(ParentDirectory, IsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(parent_directory("a/b/c"), "a/b");
  EXPECT_EQ(parent_directory("/a"), "/");
  EXPECT_EQ(parent_directory("a"), ".");
}

}  // namespace
}  // namespace moldau::host
