// Who may join, and what members are told when.
#include <gtest/gtest.h>

#include "coordinator/group/test_table.h"

namespace moldau::coordinator::group {
namespace {

TEST(JoinGroup, GivesALoneMemberTheLead) {
  Table t;
  JoinAnswer a = t.joins[t.join({})];
  EXPECT_EQ(a.error, ErrorCode::none);
  EXPECT_EQ(a.generation, 1);
  EXPECT_EQ(a.leader, a.member);
  EXPECT_EQ(a.protocol, "range");
  EXPECT_EQ(a.protocol_type, "consumer");
  ASSERT_EQ(a.members.size(), 1u);
  EXPECT_EQ(a.members[0].metadata, "m");
  EXPECT_EQ(a.member, "client-00000000-0000-0000-0000-000000000001");
}

TEST(JoinGroup, RefusesWhatIsNoRequest) {
  Table t;
  EXPECT_EQ(t.joins[t.join({.group = ""})].error, ErrorCode::invalid_group_id);
  EXPECT_EQ(t.joins[t.join({.session = seconds(5)})].error, ErrorCode::invalid_session_timeout);
  EXPECT_EQ(t.joins[t.join({.session = seconds(1801)})].error, ErrorCode::invalid_session_timeout);
  EXPECT_EQ(t.joins[t.join({.member = "nobody"})].error, ErrorCode::unknown_member_id);
  EXPECT_EQ(t.joins[t.join({.protocols = {}})].error, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(t.joins[t.join({.type = ""})].error, ErrorCode::inconsistent_group_protocol);
}

TEST(JoinGroup, GivesAnIdFirstFromVersion4On) {
  Table t;
  JoinAnswer first = t.joins[t.join({.two_steps = true})];
  EXPECT_EQ(first.error, ErrorCode::member_id_required);
  EXPECT_TRUE(t.core.group("g")->members.empty());
  JoinAnswer second = t.joins[t.join({.member = first.member, .two_steps = true})];
  EXPECT_EQ(second.error, ErrorCode::none);
  EXPECT_EQ(second.member, first.member);
}

TEST(JoinGroup, ForgetsAnIdThatIsNotUsed) {
  Table t;
  JoinAnswer first = t.joins[t.join({.two_steps = true})];
  t.pass(seconds(11));
  EXPECT_EQ(t.joins[t.join({.member = first.member})].error, ErrorCode::unknown_member_id);
}

TEST(JoinGroup, WaitsForTheOthersOfAGroupThatBegins) {
  GroupConfig config;
  config.initial_rebalance_delay = seconds(3);
  Table t(config);
  Token a = t.join({});
  t.pass(seconds(2));
  Token b = t.join({});
  t.pass(seconds(2));
  EXPECT_FALSE(t.joined(a)) << "the second one's coming makes it wait again";
  t.pass(seconds(2));
  ASSERT_TRUE(t.joined(a) && t.joined(b));
  EXPECT_EQ(t.joins[a].generation, 1);
  EXPECT_EQ(t.joins[b].generation, 1);
  EXPECT_EQ(t.joins[b].leader, t.joins[a].member);
  EXPECT_EQ(t.joins[a].members.size(), 2u);
  EXPECT_TRUE(t.joins[b].members.empty());
}

TEST(JoinGroup, DoesNotWaitForOthersLongerThanTheRebalanceTimeout) {
  GroupConfig config;
  config.initial_rebalance_delay = seconds(3);
  Table t(config);
  std::vector<Token> tokens;
  for (int i = 0; i < 5; i++) {
    tokens.push_back(t.join({.rebalance = seconds(7)}));
    t.pass(seconds(2));
  }
  EXPECT_TRUE(t.joined(tokens[0]));
}

TEST(JoinGroup, MakesTheOthersJoinAgain) {
  Table t;
  std::string a = t.lone_member();
  Token joining = t.join({});
  EXPECT_FALSE(t.joined(joining));
  EXPECT_EQ(t.heartbeat(a, 1), ErrorCode::rebalance_in_progress);
  Token again = t.join({.member = a});
  ASSERT_TRUE(t.joined(joining) && t.joined(again));
  EXPECT_EQ(t.joins[again].generation, 2);
  EXPECT_EQ(t.joins[again].members.size(), 2u);
  EXPECT_EQ(t.heartbeat(a, 1), ErrorCode::illegal_generation);
}

TEST(JoinGroup, LeavesBehindWhoDoesNotComeInTime) {
  Table t;
  std::string a = t.lone_member({.session = seconds(300), .rebalance = seconds(20)});
  Token joining = t.join({.rebalance = seconds(20)});
  t.pass(seconds(19));
  EXPECT_FALSE(t.joined(joining));
  t.pass(seconds(2));
  ASSERT_TRUE(t.joined(joining));
  EXPECT_EQ(t.joins[joining].leader, t.joins[joining].member);
  EXPECT_EQ(t.heartbeat(a, 1), ErrorCode::unknown_member_id);
}

TEST(JoinGroup, ChoosesWhatAllHaveAndMostLike) {
  Table t;
  std::string a = t.lone_member({.protocols = {{"x", ""}, {"both", ""}, {"also", ""}}});
  Token b = t.join({.protocols = {{"also", ""}, {"both", ""}}});
  (void)t.join({.member = a, .protocols = {{"x", ""}, {"both", ""}, {"also", ""}}});
  ASSERT_TRUE(t.joined(b));
  EXPECT_TRUE(t.joins[b].protocol == "both" || t.joins[b].protocol == "also");
  EXPECT_EQ(t.joins[t.join({.protocols = {{"x", ""}}})].error,
            ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(t.joins[t.join({.protocols = {{"both", ""}}, .type = "connect"})].error,
            ErrorCode::inconsistent_group_protocol);
}

TEST(JoinGroup, TellsAFollowerAgainWhatItHasMissed) {
  Table t;
  Token a = t.join({});
  std::string leader = t.joins[a].member;
  JoinAnswer again = t.joins[t.join({.member = leader})];
  EXPECT_EQ(again.generation, 1) << "the assignment is still awaited: its answer was lost";
  EXPECT_EQ(again.members.size(), 1u);
  (void)t.sync(leader, 1, {{leader, "all"}});
  Token once_more = t.join({.member = leader});
  EXPECT_EQ(t.joins[once_more].generation, 2) << "a leader of a stable group forces a rebalance";
}

TEST(JoinGroup, RefusesMoreThanTheGroupMayHave) {
  GroupConfig config = Table::quick();
  config.max_size = 1;
  Table t(config);
  (void)t.lone_member();
  JoinAnswer refused = t.joins[t.join({})];
  EXPECT_EQ(refused.error, ErrorCode::group_max_size_reached);
  EXPECT_EQ(refused.member, "");
}

// --- Static members ---

TEST(StaticMember, ComesBackWithoutARebalance) {
  Table t;
  std::string first = t.lone_member({.instance = "one"});
  JoinAnswer back = t.joins[t.join({.instance = "one", .may_skip = true})];
  EXPECT_EQ(back.error, ErrorCode::none);
  EXPECT_EQ(back.generation, 1);
  EXPECT_NE(back.member, first);
  EXPECT_EQ(back.leader, back.member);
  EXPECT_TRUE(back.skip_assignment);
  EXPECT_EQ(t.syncs[t.sync(back.member, 1)].assignment, "all");
  EXPECT_EQ(t.heartbeat(first, 1, "one"), ErrorCode::fenced_instance_id);
}

TEST(StaticMember, OfAnOlderVersionHearsOfItsOlderSelfAsTheLeader) {
  Table t;
  std::string first = t.lone_member({.instance = "one"});
  JoinAnswer back = t.joins[t.join({.instance = "one"})];
  EXPECT_EQ(back.leader, first);
  EXPECT_FALSE(back.skip_assignment);
  EXPECT_TRUE(back.members.empty());
}

TEST(StaticMember, IsFencedWhileItWaits) {
  Table t;
  std::string a = t.lone_member({.instance = "a"});
  Token waiting = t.join({.instance = "b"});
  EXPECT_FALSE(t.joined(waiting));
  Token newer = t.join({.instance = "b"});
  EXPECT_EQ(t.joins[waiting].error, ErrorCode::fenced_instance_id);
  EXPECT_FALSE(t.joined(newer));
  EXPECT_EQ(t.core.group("g")->members.size(), 2u);
}

TEST(StaticMember, IsNotLeftBehindByARebalance) {
  Table t;
  std::string a =
      t.lone_member({.instance = "a", .session = seconds(600), .rebalance = seconds(20)});
  Token b = t.join({.instance = "b", .rebalance = seconds(20)});
  t.pass(seconds(21));
  ASSERT_TRUE(t.joined(b));
  EXPECT_EQ(t.joins[b].members.size(), 2u) << "it is away, and still one of them";
}

TEST(StaticMember, CanBeTakenOutByItsName) {
  Table t;
  std::string a = t.lone_member({.instance = "a"});
  LeaveAnswer left = t.core.leave("g", {{"", "a"}, {"", "b"}, {a, std::nullopt}}, t.moment);
  EXPECT_EQ(left.members, (std::vector{ErrorCode::none, ErrorCode::unknown_member_id,
                                       ErrorCode::unknown_member_id}));
  t.take();
  EXPECT_EQ(t.phase(), Phase::empty);
}

}  // namespace
}  // namespace moldau::coordinator::group
