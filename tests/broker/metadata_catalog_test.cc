// The catalog on the metadata log: topics, their settings and producer ids outlive power losses.
#include "broker/metadata_catalog.h"

#include "broker/format.h"
#include "broker/kraft.h"
#include "broker/membership.h"
#include "broker_world.h"
#include "host/scope.h"
#include "log/log_dir.h"
#include "metadata/features.h"

namespace moldau::broker {
namespace {

using host::Task;

// One process: the directory, the metadata, the broker's membership, the catalog.
struct Life {
  Life(host::Env& e, host::LogConfig& levels, host::LogSink& sink)
      : env(e), logger(host::LogTarget{levels, sink, e.clock, host::LogFormat::text}, "metadata") {}
  Task<Result<void>> open(const BrokerConfig& config);
  host::Env& env;
  host::Logger logger;
  std::unique_ptr<log::LogDir> dir;
  std::unique_ptr<Kraft> kraft;
  std::unique_ptr<Membership> member;
  std::unique_ptr<MetadataCatalog> catalog;
};

Task<Result<void>> Life::open(const BrokerConfig& config) {
  log::LogDirConfig dir_config;
  CO_TRY(opened, log::LogDir::open(env, "/d", dir_config));
  dir = std::move(opened);
  Kraft::Place place{
      .dir = *dir, .directory_id = Uuid{{1}}, .cluster_id = "c", .incarnation = env.entropy.uuid()};
  metadata::RegisterBroker us{.broker = {.id = config.node_id,
                                         .incarnation = place.incarnation,
                                         .features = metadata::supported_features(),
                                         .log_dirs = {place.directory_id}},
                              .cluster_id = "c"};
  CO_TRY(log, Kraft::open(env, config, place, logger));
  kraft = std::move(log);
  member = std::make_unique<Membership>(env, kraft->metadata(), logger);
  MembershipConfig wanted{.registration = std::move(us)};
  CO_TRY_(member->join(std::move(wanted)));
  catalog = std::make_unique<MetadataCatalog>(env, kraft->metadata(), config.node_id, *member);
  co_return Result<void>();
}

struct Kept : testing::Test {
  sim::World world{sim::WorldOptions()};
  sim::Node& node = world.add_node("node");
  host::Env& env = node.env();
  BrokerConfig config;
  host::LogConfig levels{host::LogLevel::error};
  host::MemorySink sink;
  std::unique_ptr<Life> life;
  MetadataCatalog* catalog = nullptr;
  std::optional<Error> error;
  int running = 0;

  void SetUp() override {
    raft::Voter self{{config.node_id, {}}, {}, 0, 1};
    config.kraft.static_voters = raft::VoterSet({self});
    node.set_program([](host::Env&) -> Task<void> { co_return; });
    begin();
  }
  void TearDown() override { end(sim::Crash::process); }
  void begin() {
    node.start();
    run(open());
  }
  void end(sim::Crash kind) {
    catalog = nullptr;
    life.reset();
    node.crash(kind);
  }
  void crash() {
    end(sim::Crash::power);
    begin();
  }
  // The metadata has tasks that never end: only those of the test are waited for.
  void spawn(Task<void> task) {
    running++;
    node.scope().spawn(counted(std::move(task)));
  }
  Task<void> counted(Task<void> task) {
    co_await std::move(task);
    running--;
  }
  void wait() {
    ASSERT_TRUE(world.run_until([&] { return running == 0; }, world.now() + seconds(30)));
  }
  void run(Task<void> task) {
    spawn(std::move(task));
    wait();
  }
  Task<void> open() {
    life = std::make_unique<Life>(env, levels, sink);
    Result<void> opened = co_await life->open(config);
    EXPECT_TRUE(opened) << opened.error().to_string();
    catalog = life->catalog.get();
  }
  Task<void> replace_task(Topic topic, Errc& code) {
    auto done = co_await catalog->replace(topic);
    code = done ? Errc{} : done.error().code();
  }
  Task<void> create_task(std::string name, int32_t partitions, Errc& code) {
    Topic topic{.name = name, .id = env.entropy.uuid(), .partitions = partitions};
    auto made = co_await catalog->create(topic);
    code = made ? Errc{} : made.error().code();
    if (!made) error = made.error();
  }
  Task<void> remove_task(std::string name, Errc& code) {
    auto gone = co_await catalog->remove(name);
    code = gone ? Errc{} : gone.error().code();
  }
  Task<void> id_task(std::vector<int64_t>& out) {
    auto id = co_await catalog->next_producer_id();
    if (id)
      out.push_back(id->value);
    else
      error = id.error();
  }
  Errc create(const std::string& name, int32_t partitions = 1) {
    Errc code{};
    run(create_task(name, partitions, code));
    return code;
  }
  Errc remove(const std::string& name) {
    Errc code{};
    run(remove_task(name, code));
    return code;
  }
};
constexpr Errc kDone{};

TEST_F(Kept, TopicsAreThereAfterPowerLoss) {
  EXPECT_EQ(create("b", 3), kDone);
  EXPECT_EQ(create("a"), kDone);
  EXPECT_EQ(create("a"), Errc::already_exists);
  EXPECT_EQ(create("gone"), kDone);
  EXPECT_EQ(remove("gone"), kDone);
  EXPECT_EQ(remove("gone"), Errc::not_found);
  std::vector<Topic> before = catalog->topics()->all();
  crash();
  EXPECT_EQ(catalog->topics()->all(), before);
  ASSERT_EQ(before.size(), 2u);
  EXPECT_EQ(before[0].name, "a");
  EXPECT_EQ(before[1].partitions, 3);
  EXPECT_NE(before[0].id, before[1].id);
  EXPECT_EQ(catalog->topics()->find(before[1].id)->name, "b");
  EXPECT_EQ(catalog->topics()->find("c"), nullptr);
}

TEST_F(Kept, SettingsOfTopicsAreThereAfterPowerLoss) {
  EXPECT_EQ(create("a"), kDone);
  EXPECT_EQ(create("b"), kDone);
  Topic topic = *catalog->topics()->find("a");
  topic.configs = {{"retention.ms", " 5 "}, {"cleanup.policy", ""}};
  topic.partitions = 4;
  Errc code = Errc::busy;
  run(replace_task(topic, code));
  EXPECT_EQ(code, kDone);
  crash();
  EXPECT_EQ(*catalog->topics()->find("a"), topic);
  EXPECT_TRUE(catalog->topics()->find("b")->configs.empty());
  EXPECT_EQ(remove("a"), kDone);
  run(replace_task(topic, code));
  EXPECT_EQ(code, Errc::not_found);
}

TEST_F(Kept, ASnapshotStaysAsItIs) {
  EXPECT_EQ(create("a"), kDone);
  std::shared_ptr<const moldau::broker::Topics> then = catalog->topics();
  EXPECT_EQ(remove("a"), kDone);
  EXPECT_NE(then->find("a"), nullptr);
  EXPECT_EQ(catalog->topics()->find("a"), nullptr);
}

TEST_F(Kept, ManyChangesAtOnceAllHappen) {
  std::vector<Errc> codes(40, Errc::busy);
  for (size_t i = 0; i < codes.size(); i++) spawn(create_task(std::to_string(i % 30), 1, codes[i]));
  wait();
  EXPECT_EQ(std::ranges::count(codes, kDone), 30);
  EXPECT_EQ(std::ranges::count(codes, Errc::already_exists), 10);
  crash();
  EXPECT_EQ(catalog->topics()->all().size(), 30u);
}

TEST_F(Kept, ProducerIdsAreNeverGivenTwice) {
  std::vector<int64_t> ids;
  for (int life = 0; life < 3; life++) {
    for (int i = 0; i < 10; i++) spawn(id_task(ids));
    wait();
    crash();
  }
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
  EXPECT_EQ(ids.size(), 30u);
}

}  // namespace
}  // namespace moldau::broker
