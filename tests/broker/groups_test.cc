// Groups in a whole broker: what clients are told on the wire, and what is still there after it
// has died.
#include <fmt/format.h>

#include "base/bug.h"
#include "broker_world.h"

namespace moldau::broker {
namespace {

constexpr int16_t kNotCoordinator = 16, kIllegalGeneration = 22, kUnknownMember = 25,
                  kRebalance = 27, kInvalidTopic = 17, kLoading = 14;

struct JoinedGroup {
  int16_t error = -1;
  int32_t generation = -1;
  std::string leader, member;
  int32_t members = 0;
};

// One member on a connection of its own; versions of before flexible messages.
class GroupMember {
 public:
  explicit GroupMember(BrokerWorld& world, std::string group = "g")
      : client(world), group_(std::move(group)) {}

  void start_join() {
    Out out;
    out.text(group_).i32(10'000).i32(30'000).text(member).text("consumer");
    client.send(api::kJoinGroup, 2, out.i32(1).text("range").blob("me").bytes());
  }
  JoinedGroup joined(Duration within = seconds(60)) {
    std::optional<In> in = client.reply(within);
    if (!in) return {};
    in->i32();
    JoinedGroup out{.error = in->i16(), .generation = in->i32()};
    in->text();
    out.leader = in->text().value_or("");
    out.member = in->text().value_or("");
    out.members = in->i32();
    if (out.error == 0) {
      member = out.member;
      generation = out.generation;
    }
    return out;
  }
  JoinedGroup join() {
    start_join();
    return joined();
  }
  // As the leader: each one named gets the text behind the colon.
  std::string sync(const std::vector<std::pair<std::string, std::string>>& parts = {}) {
    Out out;
    out.text(group_).i32(generation).text(member).i32(static_cast<int32_t>(parts.size()));
    for (const auto& [id, part] : parts) out.text(id).blob(part);
    In in = client.call(api::kSyncGroup, 1, out.bytes());
    in.i32();
    int16_t error = in.i16();
    return error != 0 ? fmt::format("error {}", error) : in.blob();
  }
  int16_t heartbeat() {
    Out out;
    In in = client.call(api::kHeartbeat, 1, out.text(group_).i32(generation).text(member).bytes());
    in.i32();
    return in.i16();
  }
  int16_t leave() {
    In in = client.call(api::kLeaveGroup, 1, Out().text(group_).text(member).bytes());
    in.i32();
    return in.i16();
  }
  void start_commit(int64_t offset, std::string_view topic = "t") {
    Out out;
    out.text(group_).i32(generation).text(member).i64(-1).i32(1).text(topic).i32(1);
    client.send(api::kOffsetCommit, 2, out.i32(0).i64(offset).text("").bytes());
  }
  int16_t committed() {
    std::optional<In> in = client.reply();
    if (!in) return -1;
    in->i32();
    in->text();
    in->i32();
    in->i32();
    return in->i16();
  }
  int16_t commit(int64_t offset, std::string_view topic = "t") {
    start_commit(offset, topic);
    return committed();
  }

  Client client;
  std::string member;
  int32_t generation = -1;

 private:
  std::string group_;
};

struct GroupsTest : testing::Test {
  BrokerWorld world;
  void SetUp() override {
    world.config.groups.group.initial_rebalance_delay = Duration();
    world.config.offsets_topic.partitions = 3;
    world.start();
    Client client(world);
    client.create("t");
    EXPECT_EQ(find(client), 0);
  }
  static int16_t find(Client& client) {
    In in = client.call(api::kFindCoordinator, 0, Out().text("g").bytes());
    int16_t error = in.i16();
    EXPECT_EQ(in.i32(), error == 0 ? 1 : -1);
    return error;
  }
  // -2: an error.
  static int64_t fetch(Client& client, std::string_view group = "g", std::string_view topic = "t") {
    Out out;
    for (;;) {
      In in = client.call(api::kOffsetFetch, 1,
                          Out().text(group).i32(1).text(topic).i32(1).i32(0).bytes());
      in.i32();
      in.text();
      in.i32();
      in.i32();
      int64_t offset = in.i64();
      in.text();
      int16_t error = in.i16();
      if (error != kLoading) return error == 0 ? offset : -2;
    }
  }
};

TEST_F(GroupsTest, LetTwoMembersShareAndOneGoOnAlone) {
  GroupMember a(world), b(world);
  JoinedGroup first = a.join();
  EXPECT_EQ(first.leader, first.member);
  EXPECT_EQ(a.sync({{a.member, "all"}}), "all");
  b.start_join();
  world.run_for(milliseconds(100));
  EXPECT_EQ(a.heartbeat(), kRebalance);
  JoinedGroup again = a.join();
  JoinedGroup second = b.joined();
  EXPECT_EQ(again.generation, 2);
  EXPECT_EQ(second.generation, 2);
  EXPECT_EQ(again.members + second.members, 2);
  GroupMember& leader = again.members == 2 ? a : b;
  EXPECT_EQ(leader.sync({{a.member, "one"}, {b.member, "two"}}), &leader == &a ? "one" : "two");
  EXPECT_EQ(a.sync(), "one");
  EXPECT_EQ(b.sync(), "two");
  EXPECT_EQ(b.leave(), 0);
  EXPECT_EQ(a.heartbeat(), kRebalance);
  EXPECT_EQ(a.join().generation, 3);
  EXPECT_EQ(b.heartbeat(), kUnknownMember);
}

TEST_F(GroupsTest, AreThereAfterPowerLossWithAllThatWasAcknowledged) {
  std::string member;
  {
    GroupMember a(world);
    (void)a.join();
    EXPECT_EQ(a.sync({{a.member, "part"}}), "part");
    for (int64_t offset = 1; offset <= 20; offset++) EXPECT_EQ(a.commit(offset), 0);
    member = a.member;
  }
  world.crash(sim::Crash::power);
  world.start();
  GroupMember a(world);
  EXPECT_EQ(fetch(a.client), 20);
  a.member = member;
  a.generation = 1;
  EXPECT_EQ(a.heartbeat(), 0);
  EXPECT_EQ(a.sync(), "part") << "nobody has to join again";
  EXPECT_EQ(a.commit(21), 0);
  a.generation = 0;
  EXPECT_EQ(a.commit(22), kIllegalGeneration);
  EXPECT_EQ(fetch(a.client), 21);
}

// Commits without a pause, and the power goes at any moment: what is the last acknowledged one, and
// what is there then?
std::string commit_until_power_goes(uint64_t seed) {
  BrokerWorld world(seed);
  world.config.offsets_topic.partitions = 1;
  world.start();
  int64_t acknowledged = -1;
  {
    GroupMember simple(world);
    simple.client.create("t");
    (void)GroupsTest::find(simple.client);
    for (int64_t offset = 0; offset < 10; offset++) {
      simple.start_commit(offset);
      if (offset + 1 == static_cast<int64_t>(seed % 10)) break;
      if (simple.committed() == 0) acknowledged = offset;
    }
    world.run_until([&] { return simple.client.has_reply(); },
                    microseconds(static_cast<int64_t>(seed * 37 % 400)));
    if (simple.client.has_reply() && simple.committed() == 0) acknowledged++;
    world.crash(sim::Crash::power);
  }
  world.start();
  Client client(world);
  int64_t there = GroupsTest::fetch(client);
  if (there >= acknowledged) return {};
  return fmt::format("{} was acknowledged, {} is there", acknowledged, there);
}

TEST(GroupsUnderPowerLoss, KeepWhatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 20; seed++) EXPECT_EQ(commit_until_power_goes(seed), "") << seed;
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(GroupsUnderPowerLoss, PlantedBugIsFound) {
  plant(Bug::group_answers_early);
  bool found = false;
  for (uint64_t seed = 1; seed <= 60 && !found; seed++)
    found = !commit_until_power_goes(seed).empty();
  plant(Bug::none);
  EXPECT_TRUE(found);
}
#endif

// A heartbeat of the consumer protocol, version 0: joining with epoch 0, then in an epoch.
struct Told {
  int16_t error = -1;
  int32_t epoch = -1;
  size_t topics = 0;  // with partitions that are assigned; 0 also where nothing is said
};
Told beat(Client& client, int32_t epoch) {
  constexpr int16_t kConsumerGroupHeartbeat = 68;
  bool joins = epoch == 0;
  Out out;
  out.compact("g").compact("m").i32(epoch).count(0).count(0).i32(joins ? 10'000 : -1);
  if (joins)
    out.count(2).compact("t").count(0).count(1).count(0);
  else
    out.count(0).count(0).count(0).count(0);
  In in = client.call(kConsumerGroupHeartbeat, 0, out.bytes(), true);
  in.i32();
  Told told{.error = in.i16()};
  in.compact();
  in.compact();
  told.epoch = in.i32();
  in.i32();
  if (in.i8() == 1) told.topics = in.count() - 1;
  return told;
}

TEST_F(GroupsTest, OfTheConsumerProtocolAreThereAfterPowerLoss) {
  {
    Client client(world);
    Told told = beat(client, 0);
    EXPECT_EQ(told.error, 0);
    EXPECT_EQ(told.epoch, 2);
    EXPECT_EQ(told.topics, 1u);
  }
  world.crash(sim::Crash::power);
  world.start();
  Client client(world);
  Told told;
  EXPECT_TRUE(world.run_until([&] {
    told = beat(client, 2);
    return told.error != kLoading;
  }));
  EXPECT_EQ(told.error, 0) << "nobody has to join again";
  EXPECT_EQ(told.epoch, 2);
  constexpr int16_t kFencedMemberEpoch = 110;
  EXPECT_EQ(beat(client, 7).error, kFencedMemberEpoch);
}

TEST_F(GroupsTest, StopAtOnceWhileMembersWait) {
  GroupMember a(world), b(world);
  (void)a.join();
  EXPECT_EQ(a.sync({{a.member, "all"}}), "all");
  b.start_join();
  world.run_for(milliseconds(100));
  EXPECT_TRUE(world.stop(seconds(1)));
  ASSERT_TRUE(world.stop_result && *world.stop_result);
}

TEST_F(GroupsTest, LoseTheOffsetsOfATopicThatIsDeleted) {
  GroupMember simple(world);
  simple.client.create("u");
  EXPECT_EQ(simple.commit(5), 0);
  EXPECT_EQ(simple.commit(6, "u"), 0);
  EXPECT_EQ(simple.client.remove("t").error, 0);
  simple.client.create("t");
  EXPECT_EQ(fetch(simple.client), -1);
  EXPECT_EQ(fetch(simple.client, "g", "u"), 6);
  world.restart();
  Client client(world);
  EXPECT_EQ(fetch(client), -1);
  EXPECT_EQ(fetch(client, "g", "u"), 6);
}

TEST_F(GroupsTest, KeepTheirTopicForThemselves) {
  Client client(world);
  EXPECT_EQ(client.produce("__consumer_offsets").error, kInvalidTopic);
  auto deleted = read_records_deleted(
      client.call(api::kDeleteRecords, 0, delete_records_request("__consumer_offsets", {{0, 0}})));
  ASSERT_EQ(deleted.size(), 1u);
  EXPECT_EQ(deleted[0].error, kInvalidTopic);
  EXPECT_EQ(client.metadata("__consumer_offsets").leaders.size(), 3u);
}

TEST_F(GroupsTest, AreGoneWithTheirTopicAndBeginAnew) {
  GroupMember simple(world);
  EXPECT_EQ(simple.commit(5), 0);
  EXPECT_EQ(simple.client.remove("__consumer_offsets").error, 0);
  EXPECT_EQ(simple.commit(6), kNotCoordinator);
  EXPECT_EQ(find(simple.client), 0);
  EXPECT_TRUE(world.run_until([&] { return simple.commit(7) == 0; }));
  EXPECT_EQ(fetch(simple.client), 7);
}

TEST_F(GroupsTest, AreKeptInCompressedBatchesWhereTheOperatorWants) {
  for (wire::Codec codec :
       {wire::Codec::gzip, wire::Codec::snappy, wire::Codec::lz4, wire::Codec::zstd}) {
    ASSERT_TRUE(world.stop());
    world.config.groups.codec = codec;
    world.start();
    GroupMember simple(world);
    auto offset = static_cast<int64_t>(codec) * 10;
    EXPECT_TRUE(world.run_until([&] { return simple.commit(offset) == 0; }));
    world.restart();
    Client client(world);
    EXPECT_EQ(fetch(client), offset);
  }
}

TEST_F(GroupsTest, SurviveAFullDisk) {
  GroupMember simple(world);
  EXPECT_EQ(simple.commit(5), 0);
  auto trouble = world.node.disk().add_trouble({.calls = sim::kDiskWrite, .code = Errc::no_space},
                                               world.world.stream("trouble"));
  EXPECT_EQ(simple.commit(6), kNotCoordinator);
  world.node.disk().remove_trouble(trouble);
  EXPECT_EQ(fetch(simple.client) == 5 || fetch(simple.client) == -2, true);
  EXPECT_TRUE(world.run_until([&] { return simple.commit(7) == 0; }));
  EXPECT_EQ(fetch(simple.client), 7);
}

}  // namespace
}  // namespace moldau::broker
