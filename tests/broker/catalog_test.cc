// What a broker keeps about itself: the catalog of topics and the identity of its directory.
#include "broker/catalog.h"

#include "broker/file_catalog.h"
#include "broker/identity.h"
#include "broker_world.h"
#include "host/scope.h"
#include "host/whole_file.h"

namespace moldau::broker {
namespace {

using host::Task;

struct Kept : testing::Test {
  sim::World world{sim::WorldOptions()};
  sim::Node& node = world.add_node("node");
  host::Env& env = node.env();
  std::unique_ptr<Catalog> catalog;
  std::optional<Error> error;

  void SetUp() override {
    node.set_program([](host::Env&) -> Task<void> { co_return; });
    begin();
  }
  void TearDown() override { end(sim::Crash::process); }
  void begin() {
    node.start();
    run(open());
  }
  void end(sim::Crash kind) {
    node.crash(kind);
    catalog.reset();
  }
  void crash() {
    end(sim::Crash::power);
    begin();
  }
  void run(Task<void> task) {
    node.scope().spawn(std::move(task));
    ASSERT_TRUE(world.run_until([&] { return node.ended(); }, world.now() + seconds(30)));
  }
  Task<void> open() {
    EXPECT_TRUE(co_await env.disk.make_directory("/d"));
    EXPECT_TRUE(co_await env.disk.sync_directory("/"));
    catalog.reset();
    error.reset();
    auto opened = co_await FileCatalog::open(env, "/d/catalog");
    if (opened)
      catalog = std::move(*opened);
    else
      error = opened.error();
  }
  Task<void> write(std::string path, std::string text) {
    EXPECT_TRUE(co_await host::replace_whole_file(env.disk, path, text));
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

TEST_F(Kept, TheCatalogOfAnOlderVersionIsRead) {
  std::string id = Uuid{}.to_string();
  run(write("/d/catalog", "moldau-catalog 1\nproducer-ids 1000\ntopic old " + id + " 2\n"));
  run(open());
  ASSERT_FALSE(error);
  EXPECT_EQ(catalog->topics()->find("old")->partitions, 2);
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
  for (size_t i = 0; i < codes.size(); i++)
    node.scope().spawn(create_task(std::to_string(i % 30), 1, codes[i]));
  ASSERT_TRUE(world.run_until([&] { return node.ended(); }, world.now() + seconds(30)));
  EXPECT_EQ(std::ranges::count(codes, kDone), 30);
  EXPECT_EQ(std::ranges::count(codes, Errc::already_exists), 10);
  crash();
  EXPECT_EQ(catalog->topics()->all().size(), 30u);
}

TEST_F(Kept, AChangeThatCouldNotBeWrittenDidNotHappen) {
  EXPECT_EQ(create("a"), kDone);
  auto trouble = node.disk().add_trouble({.calls = sim::kDiskWrite, .code = Errc::no_space},
                                         world.stream("trouble"));
  EXPECT_EQ(create("b"), Errc::no_space);
  EXPECT_EQ(remove("a"), Errc::no_space);
  EXPECT_EQ(catalog->topics()->all().size(), 1u);
  node.disk().remove_trouble(trouble);
  EXPECT_EQ(create("b"), kDone);
  EXPECT_EQ(catalog->topics()->all().size(), 2u);
}

TEST_F(Kept, ProducerIdsAreNeverGivenTwice) {
  std::vector<int64_t> ids;
  for (int life = 0; life < 3; life++) {
    for (int i = 0; i < 10; i++) node.scope().spawn(id_task(ids));
    ASSERT_TRUE(world.run_until([&] { return node.ended(); }, world.now() + seconds(30)));
    crash();
  }
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
  EXPECT_EQ(ids.size(), 30u);
}

TEST_F(Kept, ADamagedCatalogIsNamedWithItsLine) {
  constexpr const char* kId = "AAAAAAAAAAAAAAAAAAAAAQ";
  std::vector<std::pair<std::string, std::string>> damaged = {
      {"something else 1\n", "line 1"},
      {"moldau-catalog 1\nproducer-ids x\n", "line 2"},
      {"moldau-catalog 1\nproducer-ids 5\ntopic a\n", "line 3"},
      {"moldau-catalog 1\ntopic a/b " + std::string(kId) + " 1\n", "line 2"},
      {"moldau-catalog 1\ntopic a " + std::string(kId) + " 0\n", "line 2"},
      {"moldau-catalog 1\ntopic a " + std::string(kId) + " -1\n", "line 2"},
      {"moldau-catalog 1\ntopic a short 1\n", "line 2"},
      {"moldau-catalog 2\nconfig retention.ms=1\n", "line 2"},
      {"moldau-catalog 2\ntopic a " + std::string(kId) + " 1\nconfig retention.ms=x\n", "line 3"},
      {"moldau-catalog 2\ntopic a " + std::string(kId) + " 1\nconfig retention.ms=%4\n", "line 3"},
      {"moldau-catalog 1\ntopic a " + std::string(kId) + " 1\ntopic a " + std::string(kId) + " 1\n",
       "line 3"},
      {"", "line 1"},
  };
  for (const auto& [text, place] : damaged) {
    run(write("/d/catalog", text));
    run(open());
    ASSERT_TRUE(error) << text;
    EXPECT_NE(error->to_string().find(place), std::string::npos)
        << text << ": " << error->to_string();
    EXPECT_NE(error->to_string().find("/d/catalog"), std::string::npos) << error->to_string();
  }
}

TEST(TopicName, FollowsKafkasRules) {
  for (const char* good : {"a", "A-1_b.c", "...", "-"})
    EXPECT_EQ(topic_name_fault(good), nullptr) << good;
  EXPECT_EQ(topic_name_fault(std::string(249, 'x')), nullptr);
  for (const char* bad : {"", ".", "..", "a b", "a/b", "k\xc3\xa4se", "a\n"})
    EXPECT_NE(topic_name_fault(bad), nullptr) << bad;
  EXPECT_NE(topic_name_fault(std::string(250, 'x')), nullptr);
  EXPECT_EQ(topic_name_message("", topic_name_fault("")),
            "Topic name is invalid: the empty string is not allowed");
  EXPECT_EQ(topic_name_message("..", topic_name_fault("..")),
            "Topic name is invalid: '..' is not allowed");
}

TEST(TopicName, CollidesWhereDotsAndUnderscoresAreTheOnlyDifference) {
  moldau::broker::Topics topics({{.name = "a.b"}, {.name = "plain"}});
  EXPECT_EQ(colliding_topic(topics, "a_b"), &topics.all()[0]);
  EXPECT_EQ(colliding_topic(topics, "a.b"), nullptr) << "it is the same one";
  EXPECT_EQ(colliding_topic(topics, "ab"), nullptr);
  EXPECT_EQ(colliding_topic(topics, "plain"), nullptr);
}

struct IdentityTest : Kept {
  std::optional<Result<Identity>> identity;
  std::vector<std::string> directories{"/d"};
  Task<void> read(int32_t node_id) {
    BrokerId id(node_id);
    identity = co_await open_identity(env, directories, id);
  }
  Result<Identity> of(int32_t node_id) {
    run(read(node_id));
    return *identity;
  }
};

TEST_F(IdentityTest, StaysTheSame) {
  Result<Identity> first = of(1);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->cluster_id.size(), 22u);
  crash();
  Result<Identity> again = of(1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->cluster_id, first->cluster_id);
  EXPECT_EQ(again->directory_ids, first->directory_ids);
}

TEST_F(IdentityTest, OfAnotherNodeIsRefused) {
  ASSERT_TRUE(of(1));
  Result<Identity> other = of(2);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Errc::invalid);
  EXPECT_NE(other.error().text().find("belongs to node 1"), std::string::npos)
      << other.error().text();
}

TEST_F(IdentityTest, OfKafkasOwnToolIsRead) {
  run(write("/d/meta.properties",
            "#\n#Sat Nov 21 12:00:00 UTC "
            "2026\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n"
            "node.id=7\nversion=1\n"));
  Result<Identity> found = of(7);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->cluster_id, "MkU3OEVBNTcwNTJENDM2Qg");
}

TEST_F(IdentityTest, OfAnOldBrokerIsBroughtUpToVersion1) {
  for (const char* text :
       {"version=0\nbroker.id=7\ncluster.id=old\n", "version=1\nnode.id=7\ncluster.id=old\n",
        "broker.id=7\ncluster.id=old\n"}) {
    run(write("/d/meta.properties", text));
    Result<Identity> found = of(7);
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_EQ(found->cluster_id, "old");
    EXPECT_FALSE(of(8)) << "it stays that node's";
    Result<Identity> again = of(7);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->directory_ids, found->directory_ids) << "the new id was stored";
    EXPECT_FALSE(again->directory_ids[0].is_zero());
  }
}

TEST_F(IdentityTest, OfSeveralDirectoriesIsOne) {
  ASSERT_TRUE(of(1));
  std::string first = (*identity)->cluster_id;
  for (const char* more : {"/e", "/f"}) {
    auto make = [](host::Env& e, std::string path) -> Task<void> {
      EXPECT_TRUE(co_await e.disk.make_directory(path));
    };
    run(make(env, more));
  }
  directories = {"/e", "/d", "/f"};
  Result<Identity> all = of(1);
  ASSERT_TRUE(all) << all.error().to_string();
  EXPECT_EQ(all->cluster_id, first) << "new ones join the cluster of the old";
  EXPECT_NE(all->directory_ids[0], all->directory_ids[1]);
  EXPECT_NE(all->directory_ids[0], all->directory_ids[2]);
  MetaProperties meta{.cluster_id = first, .node_id = BrokerId(1)};
  meta.directory_id = all->directory_ids[1];
  run(write("/f/meta.properties", meta.print()));
  EXPECT_NE(of(1).error().text().find("a copy"), std::string::npos);
  meta.directory_id = Uuid{{9}};
  meta.cluster_id = "another";
  run(write("/f/meta.properties", meta.print()));
  EXPECT_NE(of(1).error().text().find("belongs to cluster another"), std::string::npos);
}

TEST_F(IdentityTest, WithoutItsFieldsIsRefused) {
  for (const char* text : {"version=2\nnode.id=1\ncluster.id=x\n", "version=1\ncluster.id=x\n",
                           "version=1\nnode.id=1\n", "version=1\nnode.id=a\ncluster.id=x\n",
                           "version=1\nnode.id=1\ncluster.id=x\ndirectory.id=short\n"}) {
    run(write("/d/meta.properties", text));
    EXPECT_FALSE(of(1)) << text;
  }
}

}  // namespace
}  // namespace moldau::broker
