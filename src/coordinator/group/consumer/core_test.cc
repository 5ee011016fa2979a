// Groups of the consumer protocol, one decision at a time, as Apache Kafka 4.3.1 takes it.
#include "coordinator/group/consumer/core.h"

#include <gtest/gtest.h>

#include "coordinator/group/consumer/protocol_bytes.h"
#include "coordinator/group/test_table.h"

namespace moldau::coordinator::group {
namespace {

struct ConsumersTest : testing::Test {
  ConsumersTest() { table.set_topics({{"t", 3}, {"u", 2}}); }
  const ConsumerGroup& group() const { return *table.core.state().consumer("g"); }
  Parts parts(std::string_view topic, std::set<int32_t> partitions) const {
    return {{table.topic(topic), std::move(partitions)}};
  }
  // Two members that share t: one has 0 and 1, the other 2, both in epoch 3.
  void two_members() {
    table.beat(joining("m1"));
    table.beat(joining("m2"));
    table.pass(seconds(2));
    table.beat(beating("m1", 2));
    table.beat(beating("m1", 2, parts("t", {0, 1})));
    table.beat(beating("m2", 2));
  }
  Table table;
};

TEST_F(ConsumersTest, GiveEverythingToTheFirstMemberAtOnce) {
  ConsumerAnswer answer = table.beat(joining("m1"));
  EXPECT_EQ(answer.refusal.error, ErrorCode::none);
  EXPECT_EQ(answer.epoch, 2);
  EXPECT_EQ(answer.interval_millis, 5000);
  EXPECT_EQ(answer.assignment, parts("t", {0, 1, 2}));
  EXPECT_EQ(table.beat(beating("m1", 2)).assignment, std::nullopt) << "nothing has changed";
  EXPECT_EQ(group().state_name(), "Stable");
}

TEST_F(ConsumersTest, LetTheOldOwnerGiveUpBeforeTheNewOneGets) {
  table.beat(joining("m1"));
  ConsumerAnswer second = table.beat(joining("m2"));
  EXPECT_EQ(second.epoch, 2) << "a target is made once a second";
  EXPECT_EQ(second.assignment, Parts());
  EXPECT_EQ(group().state_name(), "Assigning");
  table.pass(seconds(1));
  ConsumerAnswer first = table.beat(beating("m1", 2));
  EXPECT_EQ(first.epoch, 2) << "it stays until it has given up";
  EXPECT_EQ(first.assignment, parts("t", {0, 1}));
  ConsumerAnswer waiting = table.beat(beating("m2", 2));
  EXPECT_EQ(waiting.epoch, 3);
  EXPECT_EQ(waiting.assignment, std::nullopt);
  EXPECT_EQ(group().state_name(), "Reconciling");
  EXPECT_EQ(table.beat(beating("m1", 2, parts("t", {0, 1, 2}))).epoch, 2) << "not yet";
  EXPECT_EQ(table.beat(beating("m1", 2, parts("t", {0, 1}))).epoch, 3);
  EXPECT_EQ(table.beat(beating("m2", 3)).assignment, parts("t", {2}));
  EXPECT_EQ(group().state_name(), "Stable");
}

TEST_F(ConsumersTest, FenceWhoSpeaksInAnotherEpoch) {
  two_members();
  EXPECT_EQ(table.beat(beating("m1", 4)).refusal.error, ErrorCode::fenced_member_epoch);
  EXPECT_EQ(table.beat(beating("m1", 1)).refusal.error, ErrorCode::fenced_member_epoch);
  EXPECT_EQ(table.beat(beating("m1", 2)).refusal.error, ErrorCode::fenced_member_epoch);
  EXPECT_EQ(table.beat(beating("m1", 2, parts("t", {2}))).refusal.error,
            ErrorCode::fenced_member_epoch);
  EXPECT_EQ(table.beat(beating("m1", 2, parts("t", {0}))).epoch, 3) << "an answer was lost";
  EXPECT_EQ(table.beat(joining("m1")).epoch, 3) << "it may join again";
  EXPECT_EQ(table.beat(beating("nobody", 1)).refusal.error, ErrorCode::unknown_member_id);
}

TEST_F(ConsumersTest, LoseWhoIsSilentOrDoesNotGiveUp) {
  two_members();
  for (int i = 0; i < 5; i++) {
    table.pass(seconds(10));
    table.beat(beating("m1", group().current("m1").epoch));
  }
  EXPECT_FALSE(group().find("m2"));
  EXPECT_EQ(group().current("m1").assigned.begin()->second.size(), 3u);
  table.beat(joining("m3"));
  table.pass(seconds(2));
  table.beat(beating("m1", group().current("m1").epoch));
  EXPECT_EQ(group().current("m1").state, MemberState::unrevoked);
  table.pass(seconds(9));
  EXPECT_TRUE(group().find("m1"));
  table.pass(seconds(1));
  EXPECT_FALSE(group().find("m1")) << "its rebalance timeout is over";
  EXPECT_TRUE(group().find("m3"));
}

TEST_F(ConsumersTest, KeepThePartOfAStaticMemberThatIsAwayForAWhile) {
  ConsumerHeartbeat first = joining("a");
  first.instance = "i";
  table.beat(first);
  first.member = "b";
  EXPECT_EQ(table.beat(first).refusal.error, ErrorCode::unreleased_instance_id);
  ConsumerHeartbeat away = beating("a", kLeavingForAWhile);
  away.instance = "i";
  EXPECT_EQ(table.beat(away).epoch, kLeavingForAWhile);
  ConsumerAnswer back = table.beat(first);
  EXPECT_EQ(back.epoch, 2) << "nothing has changed for the group";
  EXPECT_EQ(back.assignment, parts("t", {0, 1, 2}));
  ConsumerHeartbeat old = beating("a", 2);
  old.instance = "i";
  EXPECT_EQ(table.beat(old).refusal.error, ErrorCode::fenced_instance_id);
  EXPECT_EQ(group().members.size(), 1u);
}

TEST_F(ConsumersTest, FollowTopicsThatComeGrowAndGo) {
  table.beat(joining("m1", {"t", "later"}));
  table.set_topics({{"t", 4}, {"u", 2}, {"later", 1}});
  table.pass(seconds(2));
  ConsumerAnswer grown = table.beat(beating("m1", 2));
  EXPECT_EQ(grown.epoch, 3);
  ASSERT_TRUE(grown.assignment);
  EXPECT_EQ(count(*grown.assignment), 5u);
  table.set_topics({{"u", 2}, {"later", 1}});
  table.pass(seconds(2));
  EXPECT_EQ(table.beat(beating("m1", 3)).assignment, parts("later", {0}));
}

TEST_F(ConsumersTest, SubscribeByExpressionAndSeeNewTopics) {
  ConsumerHeartbeat first = joining("m1");
  first.topics.reset();
  first.regex = "(t|v).*";
  EXPECT_EQ(table.beat(first).assignment, parts("t", {0, 1, 2}));
  table.set_topics({{"t", 3}, {"u", 2}, {"vvv", 1}});
  table.pass(seconds(5));
  EXPECT_EQ(table.beat(beating("m1", 2)).epoch, 2) << "not at every new topic";
  table.pass(seconds(5));
  ConsumerAnswer more = table.beat(beating("m1", 2));
  ASSERT_TRUE(more.assignment);
  EXPECT_EQ(count(*more.assignment), 4u);
  ConsumerHeartbeat bad = beating("m1", 3);
  bad.regex = "((";
  EXPECT_EQ(table.beat(bad).refusal.message,
            "SubscribedTopicRegex `((` is not a valid regular expression: missing closing ).");
  ConsumerHeartbeat none = beating("m1", 3);
  none.regex = "";
  EXPECT_EQ(table.beat(none).assignment, Parts()) << "taken away at once";
  EXPECT_TRUE(group().regexes.empty());
}

TEST_F(ConsumersTest, TakeCommitsOfTheEpochInWhichAPartitionCameOrLater) {
  two_members();
  auto commit = [&](const std::string& member, int32_t epoch, int32_t partition) {
    CommitRequest request{.who = {"g", member, std::nullopt, epoch},
                          .new_protocol_version = true,
                          .retention_millis = std::nullopt,
                          .offsets = {{.topic = "t",
                                       .topic_id = table.topic("t"),
                                       .partition = partition,
                                       .offset = 1,
                                       .leader_epoch = -1,
                                       .metadata = {},
                                       .commit_millis = std::nullopt}}};
    return table.core.commit(request, table.moment)[0];
  };
  EXPECT_EQ(commit("m1", 3, 0), ErrorCode::none);
  EXPECT_EQ(commit("m1", 2, 0), ErrorCode::none) << "it had it in epoch 2 already";
  EXPECT_EQ(commit("m1", 2, 2), ErrorCode::stale_member_epoch);
  EXPECT_EQ(commit("m2", 2, 2), ErrorCode::stale_member_epoch);
  EXPECT_EQ(commit("m1", 1, 0), ErrorCode::stale_member_epoch);
  EXPECT_EQ(commit("m1", 4, 0), ErrorCode::stale_member_epoch);
  EXPECT_EQ(commit("", -1, 0), ErrorCode::unknown_member_id);
}

TEST_F(ConsumersTest, AreThereAfterARestartAlsoFromACompactedLog) {
  two_members();
  ConsumerGroup before = group();
  table.restart();
  EXPECT_EQ(group(), before);
  table.compact();
  table.restart();
  EXPECT_EQ(group(), before);
  EXPECT_EQ(table.beat(beating("m1", 3)).epoch, 3) << "nobody has to join again";
  table.pass(seconds(46));
  EXPECT_TRUE(group().members.empty()) << "but everybody has to be heard of";
  EXPECT_EQ(table.core.delete_group("g"), ErrorCode::none);
  table.take();
  EXPECT_FALSE(table.core.state().find("g"));
  table.restart();
  EXPECT_FALSE(table.core.state().find("g"));
}

struct MigrationTest : ConsumersTest {
  Joiner consumer(std::string member = {}) const {
    return {.member = std::move(member), .protocols = {{"range", subscription({"t"})}}};
  }
  std::string part(const std::string& topic, std::set<int32_t> partitions) {
    return write_assignment(parts(topic, std::move(partitions)), 1, *table.topics);
  }
};

TEST_F(MigrationTest, AClassicGroupGoesOverWhenAConsumerJoinsAndBackWhenItLeaves) {
  JoinAnswer classic = table.joins[table.join(consumer())];
  table.sync(classic.member, 1, {{classic.member, part("t", {0, 1, 2})}});
  ConsumerAnswer first = table.beat(joining("m1"));
  EXPECT_EQ(first.epoch, 2);
  EXPECT_EQ(first.assignment, Parts()) << "the classic member has everything still";
  EXPECT_EQ(table.heartbeat(classic.member, 1), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(table.joins[table.join(consumer(classic.member))].generation, 2);
  Token synced = table.sync(classic.member, 2);
  EXPECT_EQ(count(read_assignment(table.syncs[synced].assignment, *table.topics)), 2u);
  EXPECT_EQ(table.heartbeat(classic.member, 2), ErrorCode::none);
  EXPECT_EQ(count(*table.beat(beating("m1", 2)).assignment), 1u);
  EXPECT_EQ(group().state_name(), "Stable");
  table.beat(beating("m1", kLeaving));
  EXPECT_FALSE(table.core.state().consumer("g"));
  ASSERT_TRUE(table.core.group("g"));
  EXPECT_EQ(table.phase(), Phase::preparing);
  EXPECT_EQ(table.joins[table.join(consumer(classic.member))].members.size(), 1u);
}

TEST_F(MigrationTest, IsRefusedWhereThePolicySaysSo) {
  GroupConfig config = Table::quick();
  config.consumer.migration = MigrationPolicy::downgrade;
  Table other(config);
  other.set_topics({{"t", 3}});
  (void)other.lone_member(consumer());
  ConsumerAnswer answer = other.beat(joining("m1"));
  EXPECT_EQ(answer.refusal.error, ErrorCode::group_id_not_found);
  EXPECT_EQ(answer.refusal.message,
            "Cannot upgrade classic group g to consumer group because online upgrade is disabled.");
}

}  // namespace
}  // namespace moldau::coordinator::group
