// What happens in a generation and between two: sync, heartbeat, leave, silence; and what a
// coordinator that starts again still knows.
#include <gtest/gtest.h>

#include "coordinator/group/test_table.h"

namespace moldau::coordinator::group {
namespace {

// Two members, a the leader, joined in generation 2 and not synced.
struct Two {
  Table t;
  std::string a, b;
  Two() {
    a = t.lone_member();
    Token joining = t.join({});
    (void)t.join({.member = a});
    b = t.joins[joining].member;
  }
};

TEST(SyncGroup, GivesEverybodyHisPartWhenTheLeaderHasSpoken) {
  Two two;
  Token follower = two.t.sync(two.b, 2);
  EXPECT_FALSE(two.t.synced(follower));
  Token leader = two.t.sync(two.a, 2, {{two.a, "x"}, {two.b, "y"}});
  EXPECT_EQ(two.t.syncs[leader].assignment, "x");
  EXPECT_EQ(two.t.syncs[follower].assignment, "y");
  EXPECT_EQ(two.t.phase(), Phase::stable);
  Token late = two.t.sync(two.b, 2);
  EXPECT_EQ(two.t.syncs[late].assignment, "y") << "also when it asks again";
}

TEST(SyncGroup, RefusesWhoIsNotOfThisGeneration) {
  Two two;
  EXPECT_EQ(two.t.syncs[two.t.sync(two.a, 1)].error, ErrorCode::illegal_generation);
  EXPECT_EQ(two.t.syncs[two.t.sync("nobody", 2)].error, ErrorCode::unknown_member_id);
  EXPECT_EQ(two.t.syncs[two.t.sync("x", 2, {}, "other")].error, ErrorCode::unknown_member_id);
  EXPECT_EQ(two.t.syncs[two.t.sync("x", 2, {}, "")].error, ErrorCode::invalid_group_id);
}

TEST(SyncGroup, IsOverWhenSomebodyJoinsMeanwhile) {
  Two two;
  Token follower = two.t.sync(two.b, 2);
  (void)two.t.join({});
  EXPECT_EQ(two.t.syncs[follower].error, ErrorCode::rebalance_in_progress);
  EXPECT_EQ(two.t.syncs[two.t.sync(two.a, 2)].error, ErrorCode::rebalance_in_progress);
}

TEST(SyncGroup, WaitsForTheLeaderNoLongerThanARebalanceMayTake) {
  Two two;
  Token follower = two.t.sync(two.b, 2);
  for (int i = 0; i < 8; i++) {
    two.t.pass(seconds(8));
    (void)two.t.heartbeat(two.a, 2);
  }
  EXPECT_EQ(two.t.syncs[follower].error, ErrorCode::rebalance_in_progress);
  EXPECT_EQ(two.t.heartbeat(two.a, 2), ErrorCode::unknown_member_id) << "the silent one is out";
}

TEST(SyncGroup, RefusesAnAssignmentLargerThanARecord) {
  GroupConfig config = Table::quick();
  config.max_record_bytes = 1000;
  Table t(config);
  JoinAnswer joined = t.joins[t.join({})];
  Token sync = t.sync(joined.member, 1, {{joined.member, std::string(2000, 'x')}});
  EXPECT_EQ(t.syncs[sync].error, ErrorCode::unknown_server_error);
  EXPECT_EQ(t.phase(), Phase::preparing);
}

TEST(Heartbeat, KeepsAMemberAlive) {
  Table t;
  std::string a = t.lone_member();
  for (int i = 0; i < 5; i++) {
    t.pass(seconds(9));
    EXPECT_EQ(t.heartbeat(a, 1), ErrorCode::none);
  }
  t.pass(seconds(11));
  EXPECT_EQ(t.heartbeat(a, 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(t.phase(), Phase::empty);
}

TEST(Heartbeat, IsNotNeededFromWhoWaitsForUs) {
  Table t;
  std::string a = t.lone_member({.session = seconds(600), .rebalance = seconds(60)});
  Token b = t.join({});
  t.pass(seconds(30));  // b's session would be over three times
  EXPECT_FALSE(t.joined(b));
  (void)t.join({.member = a, .session = seconds(600)});
  EXPECT_EQ(t.joins[b].error, ErrorCode::none);
}

TEST(LeaveGroup, FreesTheOthersAtOnce) {
  Two two;
  (void)two.t.sync(two.b, 2);
  (void)two.t.sync(two.a, 2, {});
  EXPECT_EQ(two.t.leave(two.a), ErrorCode::none);
  EXPECT_EQ(two.t.leave(two.a), ErrorCode::unknown_member_id);
  EXPECT_EQ(two.t.heartbeat(two.b, 2), ErrorCode::rebalance_in_progress);
  JoinAnswer again = two.t.joins[two.t.join({.member = two.b})];
  EXPECT_EQ(again.generation, 3);
  EXPECT_EQ(again.leader, two.b);
}

TEST(LeaveGroup, OfTheLastOneLeavesTheGroupEmpty) {
  Table t;
  std::string a = t.lone_member();
  EXPECT_EQ(t.leave(a), ErrorCode::none);
  EXPECT_EQ(t.phase(), Phase::empty);
  EXPECT_EQ(t.core.group("g")->generation, 2);
  const StoredGroup* stored = t.core.state().stored("g");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->generation, 2);
  EXPECT_EQ(stored->protocol_type, "consumer");
  EXPECT_TRUE(stored->members.empty());
}

TEST(Restart, FindsAGroupAsItsLastSyncLeftIt) {
  Two two;
  Table& t = two.t;
  (void)t.sync(two.b, 2);
  (void)t.sync(two.a, 2, {{two.a, "x"}, {two.b, "y"}});
  EXPECT_EQ(t.commit(two.b, 2, 17), ErrorCode::none);
  DescribedGroup before = t.core.describe("g");
  t.restart();
  DescribedGroup after = t.core.describe("g");
  EXPECT_EQ(after.state, "Stable");
  ASSERT_EQ(after.members.size(), 2u);
  for (size_t i = 0; i < 2; i++) {
    EXPECT_EQ(after.members[i].id, before.members[i].id);
    EXPECT_EQ(after.members[i].assignment, before.members[i].assignment);
    EXPECT_EQ(after.members[i].metadata, before.members[i].metadata);
    EXPECT_EQ(after.members[i].client_host, "/127.0.0.1");
  }
  EXPECT_EQ(t.offset(), 17);
  EXPECT_EQ(t.heartbeat(two.b, 2), ErrorCode::none);
  EXPECT_EQ(t.syncs[t.sync(two.b, 2)].assignment, "y");
  t.pass(seconds(11));
  EXPECT_EQ(t.phase(), Phase::empty) << "who is not heard of again is out";
}

TEST(Restart, ForgetsAGenerationThatWasNotKept) {
  Two two;
  Table& t = two.t;
  size_t before = t.log.size();
  Token follower = t.sync(two.b, 2);
  (void)t.sync(two.a, 2, {});
  EXPECT_TRUE(t.synced(follower));
  t.restart(before);  // the group's record was lost
  EXPECT_EQ(t.core.group("g")->generation, 1);
  EXPECT_EQ(t.heartbeat(two.b, 2), ErrorCode::unknown_member_id);
  EXPECT_EQ(t.heartbeat(two.a, 2), ErrorCode::illegal_generation);
}

TEST(Restart, AnswersWhoeverWaits) {
  Two two;
  Token sync = two.t.sync(two.b, 2);
  Token join = two.t.join({.group = "h"});
  two.t.restart();
  EXPECT_EQ(two.t.syncs[sync].error, ErrorCode::not_coordinator);
  EXPECT_EQ(two.t.joins[join].error, ErrorCode::none) << "this one had been answered";
  EXPECT_EQ(two.t.core.group("h")->generation, 0);
}

}  // namespace
}  // namespace moldau::coordinator::group
