// A quorum of one at work: elected at once, every record that it said was committed is there after
// a restart, also when power goes at any operation of the disk.
#include "raft/driver.h"

#include <gtest/gtest.h>

#include "base/bug.h"
#include "log/log_dir.h"
#include "log/test_world.h"

namespace moldau::raft {
namespace {

using host::Env;
using host::Task;

// What is known across the lives of the process.
struct Ledger {
  std::vector<uint64_t> sent;  // by offset of the record; 0: a control record
  Offset committed;            // all before it was said to be
  LeaderEpoch epoch;           // the last one that led
  int lives = 0;
  bool clean = false;  // the last life ended in order
  std::string error;
};

void complain(Ledger& ledger, std::string what) {
  if (ledger.error.empty()) ledger.error = std::move(what);
}

Driver::Options options_of_one() {
  Driver::Options options;
  options.config.local = {BrokerId(1), Uuid{{1}}};
  options.config.cluster_id = "one";
  Voter self{{BrokerId(1), {}}, {{"CONTROLLER", "h", 9093}}, 0, 1};
  options.voters = VoterHistory(VoterSet({self}), 0);
  options.log.segment_bytes = 2'000;
  return options;
}

Task<void> wait_to_lead(Env& env, Driver& driver) {
  host::WaitSet changes(env.loop);
  changes.watch(driver.moved());
  for (;;) {
    const LeaderView* view = driver.core().leading();
    if (driver.failure() || (view && view->commits())) co_return;
    co_await changes.wait_until(kNever);
  }
}

Task<void> check_log(Env& env, Driver& driver, Ledger& ledger) {
  Offset end = driver.core().high_watermark();
  if (end < ledger.committed)
    co_return complain(ledger, fmt::format("{} was committed, {} is there", ledger.committed, end));
  Offset at;
  while (at < end) {
    Result<std::vector<uint8_t>> bytes = co_await driver.read(at, 500);
    if (!bytes) co_return complain(ledger, bytes.error().to_string());
    wire::BatchWalk walk(*bytes, wire::BatchWalk::Torn::tolerate);
    Offset before = at;
    while (walk.next()) {
      auto index = static_cast<size_t>(at.value);
      uint64_t crc = walk.header().control() ? 0 : walk.header().crc;
      bool known = index < ledger.sent.size() && at < ledger.committed;
      if (known && ledger.sent[index] != crc)
        complain(ledger, fmt::format("another record at {}", at));
      ledger.sent.resize(std::max(ledger.sent.size(), index + 1));
      ledger.sent[index] = crc;
      at = walk.header().next_offset();
    }
    if (at == before) co_return complain(ledger, fmt::format("nothing at {}", at));
  }
  (void)env;
}

Task<void> append_some(Env& env, Driver& driver, Ledger& ledger, uint64_t seed) {
  for (uint64_t i = 0; i < 6; i++) {
    Result<Driver::Appended> appended = driver.append(log::make_batch(1, 1, 100, seed * 100 + i));
    if (!appended) co_return;
    Driver::Appended one = *appended;
    if (i % 2 == 0) continue;
    Result<void> done = co_await driver.wait_committed(one, kNever);
    if (done) ledger.committed = one.last + 1;
  }
}

// One life: from the start to a clean stop, unless power goes.
Task<void> live(Env& env, Ledger& ledger) {
  ledger.clean = false;
  log::LogDirConfig config;
  Result<std::unique_ptr<log::LogDir>> dir = co_await log::LogDir::open(env, "data", config);
  if (!dir) co_return;
  log::LogDir& directory = **dir;
  Driver::Options options = options_of_one();
  Result<std::unique_ptr<Driver>> opened =
      co_await Driver::open(env, directory, std::move(options));
  if (!opened) co_return complain(ledger, opened.error().to_string());
  Driver& driver = **opened;
  co_await wait_to_lead(env, driver);
  LeaderEpoch epoch = driver.core().state().epoch;
  if (epoch <= ledger.epoch) complain(ledger, fmt::format("epoch {} again", epoch));
  ledger.epoch = epoch;
  co_await check_log(env, driver, ledger);
  uint64_t seed = static_cast<uint64_t>(++ledger.lives);
  co_await append_some(env, driver, ledger, seed);
  co_await check_log(env, driver, ledger);
  Result<void> closed = co_await driver.close();
  if (!closed) co_return complain(ledger, closed.error().to_string());
  opened->reset();
  Result<void> stopped = co_await directory.close(0);
  ledger.clean = stopped.has_value();
}

TEST(RaftDriver, AQuorumOfOneCommitsAndComesBack) {
  log::TestDisk disk;
  Ledger ledger;
  for (int life = 0; life < 3; life++) {
    log::TestWorld world(disk);
    ASSERT_TRUE(world.run(live(world.env, ledger)));
    ASSERT_EQ(ledger.error, "");
    EXPECT_TRUE(ledger.clean);
    EXPECT_EQ(ledger.epoch.value, life + 1);
    EXPECT_EQ(ledger.committed.value, (life + 1) * 7) << "six records and the epoch's own";
  }
  std::vector<uint8_t> state = disk.file("data/__cluster_metadata-0/quorum-state");
  EXPECT_EQ(std::string(state.begin(), state.end()),
            R"({"clusterId":"","leaderId":1,"leaderEpoch":3,"votedId":1,"appliedOffset":0,)"
            R"("currentVoters":[{"voterId":1}],"data_version":0})");
}

// Power goes at one operation after the other; what that loses. slow: operations end later.
std::string first_loss(bool slow) {
  int64_t last = 0;
  for (int64_t stop = 1; last == 0; stop += 2) {
    log::TestDisk disk;
    Ledger ledger;
    {
      log::TestWorld world(disk);
      if (slow) disk.later = &world.loop;
      disk.stop_at = stop;
      world.run(live(world.env, ledger));
      if (!disk.stopped()) last = stop;
    }
    disk.lose_power();
    disk.resume();
    log::TestWorld world(disk);
    bool ended = world.run(live(world.env, ledger));
    if (!ended || !ledger.clean) complain(ledger, "it does not come back");
    if (!ledger.error.empty()) return fmt::format("power gone at {}: {}", stop, ledger.error);
  }
  return last > 20 ? "" : "too few operations to be a test";
}

TEST(RaftDriver, LosesNothingCommittedWhereverPowerGoes) {
  EXPECT_EQ(first_loss(false), "");
  EXPECT_EQ(first_loss(true), "");
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(RaftDriverPlanted, CountingWhatIsNotSyncedLosesIt) {
  plant(Bug::raft_counts_unsynced);
  std::string loss = first_loss(true);
  plant(Bug::none);
  EXPECT_NE(loss.find("was committed"), std::string::npos) << loss;
}
#endif

TEST(RaftDriver, AFullDiskStopsItAndARestartGoesOn) {
  log::TestDisk disk;
  Ledger ledger;
  disk.fault = [&](std::string_view what, const std::string& path) -> std::optional<Errc> {
    bool log = path.ends_with(".log") && ledger.lives == 1;
    return what == "write" && log ? std::optional(Errc::no_space) : std::nullopt;
  };
  {
    log::TestWorld world(disk);
    world.run(live(world.env, ledger));
    EXPECT_NE(ledger.error.find("metadata log"), std::string::npos) << ledger.error;
  }
  disk.fault = nullptr;
  ledger.error.clear();
  disk.lose_power();
  log::TestWorld world(disk);
  ASSERT_TRUE(world.run(live(world.env, ledger)));
  EXPECT_EQ(ledger.error, "");
}

Task<void> ask_things(Env& env, std::vector<std::string>& said) {
  log::LogDirConfig config;
  auto dir = co_await log::LogDir::open(env, "data", config);
  log::LogDir& directory = **dir;
  Driver::Options options = options_of_one();
  auto opened = co_await Driver::open(env, directory, std::move(options));
  Driver& driver = **opened;
  co_await wait_to_lead(env, driver);
  Request fetch = FetchRequest{"one", {BrokerId(7), {}}, LeaderEpoch(1), {}, Duration(), 1'000, {}};
  Result<Response> answer = co_await driver.ask(std::move(fetch));
  auto& fetched = std::get<FetchResponse>(*answer);
  said.push_back(fmt::format("{} bytes, high watermark {}",
                             fetched.records.size() > 61 ? "some" : "no", fetched.high_watermark));
  Request vote = VoteRequest{"one", {BrokerId(1), {}}, {BrokerId(7), {}}, LeaderEpoch(1), {}, true};
  Result<Response> refused = co_await driver.ask(std::move(vote));
  said.push_back(std::get<VoteResponse>(*refused).granted ? "granted" : "refused");
  Result<void> closed = co_await driver.close();
  said.push_back(closed ? "closed" : closed.error().to_string());
  opened->reset();
  Result<void> stopped = co_await directory.close(0);
  said.push_back(stopped ? "stopped" : stopped.error().to_string());
}

TEST(RaftDriver, AnswersWhatOthersAsk) {
  log::TestDisk disk;
  log::TestWorld world(disk);
  std::vector<std::string> said;
  ASSERT_TRUE(world.run(ask_things(world.env, said)));
  EXPECT_EQ(said, (std::vector<std::string>{"some bytes, high watermark 1", "refused", "closed",
                                            "stopped"}));
}

constexpr OffsetAndEpoch kSnapshot{Offset(1), LeaderEpoch(1)};

Task<void> write_and_ask(Env& env, bool write, std::string& said) {
  log::LogDirConfig config;
  auto dir = co_await log::LogDir::open(env, "data", config);
  log::LogDir& directory = **dir;
  Driver::Options options = options_of_one();
  auto opened = co_await Driver::open(env, directory, std::move(options));
  Driver& driver = **opened;
  co_await wait_to_lead(env, driver);
  if (write) {
    Result<void> done = co_await driver.write_snapshot(kSnapshot, "what was before");
    if (!done) said = done.error().to_string();
  }
  LeaderEpoch epoch = driver.core().state().epoch;
  Request fetch = FetchSnapshotRequest{"one", {BrokerId(7), {}}, epoch, kSnapshot, 5, 6};
  Result<Response> answer = co_await driver.ask(std::move(fetch));
  auto& piece = std::get<FetchSnapshotResponse>(*answer);
  said += fmt::format("{} of {}: {};", piece.position, piece.size,
                      std::string(piece.bytes.begin(), piece.bytes.end()));
  Result<void> closed = co_await driver.close();
  if (!closed) said += closed.error().to_string();
  opened->reset();
  Result<void> stopped = co_await directory.close(0);
  if (!stopped) said += stopped.error().to_string();
}

TEST(RaftDriver, KeepsSnapshotsAndGivesPiecesOfThem) {
  log::TestDisk disk;
  std::string said;
  for (bool write : {true, false}) {
    log::TestWorld world(disk);
    ASSERT_TRUE(world.run(write_and_ask(world.env, write, said)));
    disk.lose_power();
  }
  EXPECT_EQ(said, "5 of 15: was be;5 of 15: was be;");
}

}  // namespace
}  // namespace moldau::raft
