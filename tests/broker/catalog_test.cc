// What a broker keeps about itself: the names of topics, and the identity of its directories.
#include "broker/catalog.h"

#include "broker/identity.h"
#include "broker_world.h"
#include "host/scope.h"
#include "host/whole_file.h"

namespace moldau::broker {
namespace {

using host::Task;

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

struct IdentityTest : testing::Test {
  sim::World world{sim::WorldOptions()};
  sim::Node& node = world.add_node("node");
  host::Env& env = node.env();

  void SetUp() override {
    node.set_program([](host::Env&) -> Task<void> { co_return; });
    node.start();
    run(make("/d"));
  }
  void TearDown() override { node.crash(sim::Crash::process); }
  void crash() {
    node.crash(sim::Crash::power);
    node.start();
  }
  void run(Task<void> task) {
    node.scope().spawn(std::move(task));
    ASSERT_TRUE(world.run_until([&] { return node.ended(); }, world.now() + seconds(30)));
  }
  Task<void> make(std::string path) {
    EXPECT_TRUE(co_await env.disk.make_directory(path));
    EXPECT_TRUE(co_await env.disk.sync_directory("/"));
  }
  Task<void> write(std::string path, std::string text) {
    EXPECT_TRUE(co_await host::replace_whole_file(env.disk, path, text));
  }
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
  for (const char* more : {"/e", "/f"}) run(make(more));
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
