// One partition without a broker around it: who waits for what, and what wakes them.
#include "replica/driver.h"

#include <cstring>

#include "broker_world.h"
#include "host/scope.h"
#include "log/log_dir.h"

namespace moldau::replica {
namespace {

using broker::Batch;
using host::Task;

sim::WorldOptions options() {
  sim::WorldOptions out;
  out.disk.late = 1;  // no read is answered at once
  return out;
}

struct PartitionTest : testing::Test {
  sim::World world{options()};
  sim::Node& node = world.add_node("node");
  host::Env& env = node.env();
  std::unique_ptr<log::LogDir> dir;
  std::shared_ptr<Partition> partition;
  log::LogConfig config;

  void SetUp() override {
    node.set_program([](host::Env&) -> Task<void> { co_return; });
    node.start();
    run(open());
  }
  void TearDown() override {
    run(close());
    node.crash(sim::Crash::process);
  }
  void run(Task<void> task) {
    node.scope().spawn(std::move(task));
    ASSERT_TRUE(world.run_until([&] { return node.ended(); }, world.now() + seconds(30)));
  }
  Task<void> open() {
    auto opened = co_await log::LogDir::open(env, "/data", log::LogDirConfig());
    EXPECT_TRUE(opened);
    dir = std::move(*opened);
    PartitionIndex index(0);
    auto made = co_await Partition::open(env, *dir, "t", index, config);
    EXPECT_TRUE(made);
    partition = std::move(*made);
  }
  Task<void> close() {
    if (partition) (void)co_await partition->close(env);
    partition.reset();
    (void)co_await dir->close(-1);
    dir.reset();
  }
  Result<log::Appended> append(const Batch& batch = {}) {
    std::string bytes = batch.bytes();
    BlockRef block = BlockRef::allocate(bytes.size());
    std::memcpy(block.data(), bytes.data(), bytes.size());
    MutableBytes batches(block.data(), bytes.size());
    return partition->append(block, batches, env.clock.wall());
  }
  Task<void> write() { co_await partition->write_out(env); }

  Task<void> wait(log::Appended appended, Duration time, std::optional<Result<void>>& out) {
    Instant deadline = env.loop.now() + time;
    out = co_await partition->wait_committed(env, appended, deadline);
  }
  Task<void> read(int64_t from, std::optional<Result<log::ReadResult>>& out) {
    Offset offset(from);
    Partition::Bounds bounds{.max_bytes = 1 << 20};
    out = co_await partition->read(env, offset, bounds);
  }
};

TEST_F(PartitionTest, AnAppendIsNotToBeSeenBeforeItIsDurable) {
  Result<log::Appended> appended = append({.records = 3});
  ASSERT_TRUE(appended);
  EXPECT_EQ(partition->watermarks().log_end, Offset(3));
  EXPECT_EQ(partition->watermarks().high_watermark, Offset(0));
  std::optional<Result<log::ReadResult>> found;
  run(read(0, found));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->bytes, 0u);

  std::optional<Result<void>> committed;
  node.scope().spawn(wait(*appended, seconds(5), committed));
  run(write());
  ASSERT_TRUE(committed && *committed);
  EXPECT_EQ(partition->watermarks().high_watermark, Offset(3));
  run(read(2, found));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->base, Offset(0)) << "the batch that holds it";
}

TEST_F(PartitionTest, AWaitEndsWithItsDeadline) {
  Result<log::Appended> appended = append();
  std::optional<Result<void>> committed;
  run(wait(*appended, milliseconds(10), committed));
  ASSERT_TRUE(committed);
  ASSERT_FALSE(*committed);
  EXPECT_EQ(committed->error().code(), Errc::timed_out);
  run(write());
  run(wait(*appended, milliseconds(10), committed));
  EXPECT_TRUE(*committed) << "it was committed later";
}

TEST_F(PartitionTest, EveryWaiterOfOneCommitIsWoken) {
  std::vector<std::optional<Result<void>>> committed(50);
  for (auto& one : committed) node.scope().spawn(wait(*append(), seconds(5), one));
  run(write());
  for (auto& one : committed) EXPECT_TRUE(one && *one);
}

TEST_F(PartitionTest, RetiringEndsWaitsAndRefusesWork) {
  Result<log::Appended> appended = append();
  std::optional<Result<void>> committed;
  node.scope().spawn(wait(*appended, seconds(500), committed));
  world.run_until(world.now() + milliseconds(1));
  partition->retire();
  ASSERT_TRUE(
      world.run_until([&] { return committed.has_value(); }, world.now() + milliseconds(10)));
  EXPECT_EQ(committed->error().code(), Errc::closed);
  EXPECT_EQ(append().error().code(), Errc::closed);
  std::optional<Result<log::ReadResult>> found;
  run(read(0, found));
  EXPECT_EQ(found->error().code(), Errc::closed);
}

TEST_F(PartitionTest, OffsetsOutsideOfWhatIsCommittedAreOutOfRange) {
  run(write());
  (void)append();
  std::optional<Result<log::ReadResult>> found;
  for (int64_t from : {-1, 1, 2}) {
    run(read(from, found));
    ASSERT_FALSE(*found) << from;
    EXPECT_EQ(found->error().code(), Errc::out_of_range);
  }
}

TEST_F(PartitionTest, AFullDiskTakesTheAppendBackAndTellsTheWaiter) {
  auto trouble = node.disk().add_trouble({.calls = sim::kDiskWrite, .code = Errc::no_space},
                                         world.stream("trouble"));
  Result<log::Appended> appended = append();
  std::optional<Result<void>> committed;
  node.scope().spawn(wait(*appended, seconds(5), committed));
  run(write());
  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->error().code(), Errc::no_space);
  EXPECT_EQ(partition->watermarks().log_end, Offset(0));
  node.disk().remove_trouble(trouble);
  // The offset is given again; who waited for the first one is not told that it came about.
  Result<log::Appended> second = append();
  EXPECT_EQ(second->base, Offset(0));
  std::optional<Result<void>> later;
  node.scope().spawn(wait(*second, seconds(5), later));
  run(write());
  EXPECT_TRUE(later && *later);
  run(wait(*appended, seconds(5), committed));
  EXPECT_EQ(committed->error().code(), Errc::no_space);
}

TEST_F(PartitionTest, AFailedSyncTellsTheWaiter) {
  Result<log::Appended> appended = append();
  std::optional<Result<void>> committed;
  node.scope().spawn(wait(*appended, seconds(5), committed));
  auto trouble = node.disk().add_trouble({.calls = sim::kDiskSync}, world.stream("trouble"));
  run(write());
  ASSERT_TRUE(committed);
  EXPECT_EQ(committed->error().code(), Errc::offline);
  EXPECT_EQ(partition->watermarks().high_watermark, Offset(0));
  node.disk().remove_trouble(trouble);
}

TEST_F(PartitionTest, ClosingWaitsForReadsUnderWay) {
  Result<log::Appended> last;
  for (int i = 0; i < 5; i++) last = append({.value_size = 400'000});
  std::optional<Result<void>> committed;
  node.scope().spawn(wait(*last, seconds(5), committed));
  run(write());
  ASSERT_TRUE(committed && *committed);
  node.disk().slow_down(100);
  std::optional<Result<log::ReadResult>> found;
  node.scope().spawn(read(0, found));
  bool removed = false;
  auto remove = [](Partition& doomed, host::Env& in, bool& done) -> Task<void> {
    EXPECT_TRUE(co_await doomed.remove(in));
    done = true;
  };
  world.run_until(world.now() + microseconds(10));
  ASSERT_FALSE(found) << "it reads from the file, and that takes time";
  node.scope().spawn(remove(*partition, env, removed));
  ASSERT_TRUE(world.run_until([&] { return found.has_value(); }, world.now() + seconds(30)));
  EXPECT_TRUE(*found);
  EXPECT_TRUE(node.disk().image().list("/data/t-0")) << "the reader knows its files by name";
  ASSERT_TRUE(world.run_until([&] { return removed; }, world.now() + seconds(30)));
  EXPECT_FALSE(node.disk().image().list("/data/t-0"));
  partition.reset();
}

}  // namespace
}  // namespace moldau::replica
