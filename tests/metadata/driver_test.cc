// A controller of one node at work: what it has answered is there after a restart, also when power
// goes at any operation of the disk; what it shows was committed; decisions that overlap see each
// other.
#include "metadata/driver.h"

#include <gtest/gtest.h>

#include "base/bug.h"
#include "log/log_dir.h"
#include "log/test_world.h"
#include "metadata/features.h"

namespace moldau::metadata {
namespace {

using host::Env;
using host::Task;

constexpr BrokerId kNode(1);

// What is known across the lives of the process.
struct Ledger {
  std::map<std::string, Uuid> promised;  // topics that were said to be there
  std::map<std::string, Uuid> shown;     // and those that an image had
  std::vector<int64_t> blocks;           // of producer ids
  int lives = 0;
  bool clean = false;
  std::string error;
};

void complain(Ledger& ledger, std::string what) {
  if (ledger.error.empty()) ledger.error = std::move(what);
}

struct Silent final : host::LogSink {
  void write(std::string_view) override {}
};

// The directory, raft and the metadata, from the start to a stop.
struct Stand {
  Env& env;
  Silent sink;
  host::LogConfig levels{host::LogLevel::error};
  host::LogTarget target{levels, sink, env.clock, host::LogFormat::text};
  host::Logger logger{target, "metadata"};
  std::unique_ptr<log::LogDir> dir;
  std::unique_ptr<raft::Driver> raft;
  std::unique_ptr<Driver> driver;
  int64_t snapshot_bytes = 1'500;

  explicit Stand(Env& e) : env(e) {}
  Task<Result<void>> open();
  Task<Result<void>> close();
  Task<Result<BrokerRegistered>> register_broker(uint8_t incarnation, int64_t previous);
};

Task<Result<void>> Stand::open() {
  log::LogDirConfig dir_config;
  CO_TRY(opened, log::LogDir::open(env, "data", dir_config));
  dir = std::move(opened);
  raft::Driver::Options options;
  options.config.local = {kNode, Uuid{{1}}};
  options.config.cluster_id = "one";
  raft::Voter self{{kNode, {}}, {{"CONTROLLER", "h", 9093}}, 0, 1};
  options.voters = raft::VoterHistory(raft::VoterSet({self}), 0);
  CO_TRY(replica, raft::Driver::open(env, *dir, std::move(options)));
  raft = std::move(replica);
  DriverConfig config{.settings = {.node = kNode, .cluster_id = "one"},
                      .bootstrap = default_features(kLatestMetadataVersion),
                      .max_idle = Duration(),
                      .snapshot_bytes = snapshot_bytes};
  CO_TRY(made, Driver::open(env, *raft, std::move(config), logger));
  driver = std::move(made);
  co_return co_await driver->wait_to_lead();
}

Task<Result<void>> Stand::close() {
  co_await driver->stop();
  CO_TRY_(raft->close());
  driver.reset();
  raft.reset();
  co_return co_await dir->close(0);
}

Task<Result<BrokerRegistered>> Stand::register_broker(uint8_t incarnation, int64_t previous) {
  RegisterBroker wanted{.broker = {.id = kNode,
                                   .incarnation = Uuid{{incarnation}},
                                   .features = supported_features(),
                                   .log_dirs = {Uuid{{7}}}},
                        .cluster_id = "one",
                        .previous_epoch = previous};
  co_return co_await driver->ask(std::move(wanted));
}

void compare(const Image& image, const std::map<std::string, Uuid>& wanted, const char* what,
             Ledger& ledger) {
  for (const auto& [name, id] : wanted) {
    const Topic* topic = image.topics->find(name);
    if (!topic || topic->id != id) complain(ledger, fmt::format("{} {} is gone", name, what));
  }
}

void see(const Driver& driver, Ledger& ledger) {
  for (const auto& [name, id] : driver.image()->topics->by_name) ledger.shown[name] = id;
}

Task<void> create(Stand& stand, Ledger& ledger, std::string name) {
  Uuid id{{static_cast<uint8_t>(ledger.lives), static_cast<uint8_t>(name.back())}};
  CreateTopic wanted{.name = name, .id = id, .partitions = 2};
  Result<TopicCreated> made = co_await stand.driver->ask(std::move(wanted));
  if (made && made->good()) {
    ledger.promised[name] = id;
    compare(*stand.driver->image(), {{name, id}}, "was promised and", ledger);
  }
}

Task<void> take_block(Stand& stand, Ledger& ledger, int64_t epoch) {
  AllocateProducerIds wanted{.broker = kNode, .epoch = epoch};
  Result<ProducerIdsAllocated> got = co_await stand.driver->ask(wanted);
  if (!got || !got->good()) co_return;
  if (std::ranges::find(ledger.blocks, got->first) != ledger.blocks.end())
    complain(ledger, fmt::format("the block of producer ids from {} was given twice", got->first));
  ledger.blocks.push_back(got->first);
}

Task<void> watch(Stand& stand, Ledger& ledger, const bool& over) {
  host::WaitSet changes(stand.env.loop);
  changes.watch(stand.driver->moved());
  while (!over) {
    see(*stand.driver, ledger);
    co_await changes.wait_until(stand.env.loop.now() + milliseconds(1));
  }
}

Task<void> overlap(Stand& stand, Ledger& ledger, int64_t epoch) {
  bool over = false;
  host::Scope watching(stand.env.loop, "watching");
  watching.spawn(watch(stand, ledger, over));
  host::Scope tasks(stand.env.loop, "asking");
  for (int i = 0; i < 4; i++) {
    tasks.spawn(create(stand, ledger, fmt::format("t-{}-{}", ledger.lives, i)));
    tasks.spawn(take_block(stand, ledger, epoch));
  }
  co_await tasks.drained();
  over = true;
  co_await watching.drained();
}

// One life: from the start to a clean stop, unless power goes.
Task<void> live(Env& env, Ledger& ledger) {
  ledger.clean = false;
  Stand stand(env);
  Result<void> opened = co_await stand.open();
  if (!opened) co_return complain(ledger, opened.error().to_string());
  Result<void> read = co_await stand.driver->wait_for(stand.raft->core().high_watermark());
  if (!read) co_return complain(ledger, read.error().to_string());
  compare(*stand.driver->image(), ledger.promised, "was promised and", ledger);
  compare(*stand.driver->image(), ledger.shown, "was shown and", ledger);
  auto incarnation = static_cast<uint8_t>(10 + ledger.lives++);
  Result<BrokerRegistered> us = co_await stand.register_broker(incarnation, -1);
  if (!us) co_return complain(ledger, us.error().to_string());
  if (!us->good()) co_return complain(ledger, us->text);
  int64_t epoch = us->epoch;
  BrokerHeartbeat beat{.broker = kNode, .epoch = epoch, .metadata_offset = epoch};
  Result<BrokerState> state = co_await stand.driver->ask(beat);
  if (!state || state->fenced) co_return complain(ledger, "it is fenced");
  co_await overlap(stand, ledger, epoch);
  Result<void> closed = co_await stand.close();
  if (!closed) co_return complain(ledger, closed.error().to_string());
  ledger.clean = true;
}

TEST(MetadataDriver, WhatItAnswersIsThereInTheNextLife) {
  log::TestDisk disk;
  Ledger ledger;
  for (int life = 0; life < 4; life++) {
    log::TestWorld world(disk);
    ASSERT_TRUE(world.run(live(world.env, ledger)));
    ASSERT_EQ(ledger.error, "");
    ASSERT_TRUE(ledger.clean);
  }
  EXPECT_EQ(ledger.promised.size(), 16u);
  EXPECT_EQ(ledger.blocks.size(), 16u);
  bool snapshot = std::ranges::any_of(disk.names, [](const auto& one) {
    return one.first.ends_with(".checkpoint") &&
           one.first.find("__cluster_metadata-0") != std::string::npos;
  });
  EXPECT_TRUE(snapshot);
}

// Power goes at the n-th operation of the second life; the third finds everything. Returns what is
// wrong.
std::string cut_power_at(int64_t operation) {
  log::TestDisk disk;
  Ledger ledger;
  {
    log::TestWorld world(disk);
    world.run(live(world.env, ledger));
  }
  {
    log::TestWorld world(disk);
    disk.later = &world.loop;
    disk.stop_at = disk.operations + operation;
    world.run(live(world.env, ledger));
  }
  disk.lose_power();
  disk.resume();
  ledger.error.clear();
  log::TestWorld world(disk);
  bool ended = world.run(live(world.env, ledger));
  if (ledger.error.empty() && !ended) return "it waits for ever";
  return ledger.error;
}

TEST(MetadataDriver, NothingPromisedOrShownIsLostWithThePower) {
  for (int64_t operation = 1; operation < 60; operation++)
    ASSERT_EQ(cut_power_at(operation), "") << "at operation " << operation;
}

#ifdef MOLDAU_PLANTED_BUGS
// The first thing that is found.
std::string find(Bug bug) {
  plant(bug);
  std::string found;
  for (int64_t operation = 1; operation < 60 && found.empty(); operation++)
    found = cut_power_at(operation);
  plant(Bug::none);
  return found;
}

TEST(MetadataDriver, FindsPlantedBugs) {
  EXPECT_NE(find(Bug::metadata_reply_early), "");
  EXPECT_NE(find(Bug::metadata_publishes_tip), "");
  EXPECT_NE(find(Bug::metadata_decides_on_image), "");
}
#endif

}  // namespace
}  // namespace moldau::metadata
