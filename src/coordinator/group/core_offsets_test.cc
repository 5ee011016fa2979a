// Committed offsets: who may commit, and when offsets and groups go.
#include <gtest/gtest.h>

#include "coordinator/group/test_table.h"

namespace moldau::coordinator::group {
namespace {

TEST(OffsetCommit, IsForMembersOfThisGeneration) {
  Table t;
  std::string a = t.lone_member();
  EXPECT_EQ(t.commit(a, 1, 5), ErrorCode::none);
  EXPECT_EQ(t.commit(a, 0, 6), ErrorCode::illegal_generation);
  EXPECT_EQ(t.commit("nobody", 1, 6), ErrorCode::unknown_member_id);
  EXPECT_EQ(t.commit("", -1, 6), ErrorCode::unknown_member_id) << "not while it has members";
  EXPECT_EQ(t.offset(), 5);
}

TEST(OffsetCommit, IsFineWhileOthersJoinButNotWhileAnAssignmentIsAwaited) {
  Table t;
  std::string a = t.lone_member();
  (void)t.join({});
  EXPECT_EQ(t.commit(a, 1, 7), ErrorCode::none);
  (void)t.join({.member = a});
  EXPECT_EQ(t.commit(a, 2, 8), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(t.offset(), 7);
}

TEST(OffsetCommit, WithoutAGroupNeedsNoMember) {
  Table t;
  EXPECT_EQ(t.commit("", -1, 3, "simple"), ErrorCode::none);
  EXPECT_EQ(t.offset("simple"), 3);
  EXPECT_EQ(t.commit("", 1, 4, "other"), ErrorCode::illegal_generation);
  EXPECT_EQ(t.core.list().size(), 1u);
  EXPECT_EQ(t.core.describe("simple").state, "Empty");
  EXPECT_EQ(t.core.describe("other").error, ErrorCode::group_id_not_found);
}

TEST(OffsetCommit, TakesNoMetadataBeyondTheLimit) {
  Table t;
  CommitRequest request{.who = {"g", "", std::nullopt, -1},
                        .new_protocol_version = false,
                        .retention_millis = std::nullopt,
                        .offsets = {}};
  CommittedOffset one{.topic = "t",
                      .topic_id = {},
                      .partition = 0,
                      .offset = 1,
                      .leader_epoch = -1,
                      .metadata = std::string(4096, 'm'),
                      .commit_millis = std::nullopt};
  request.offsets.push_back(one);
  one.partition = 1;
  one.metadata += 'm';
  request.offsets.push_back(one);
  EXPECT_EQ(t.core.commit(request, t.moment),
            (std::vector{ErrorCode::none, ErrorCode::offset_metadata_too_large}));
}

TEST(OffsetDelete, SparesWhatIsRead) {
  Table t;
  std::string a = t.lone_member({.protocols = {{"range", subscription({"t"})}}});
  EXPECT_EQ(t.commit(a, 1, 5), ErrorCode::none);
  EXPECT_EQ(t.commit(a, 1, 6, "g", "u"), ErrorCode::none);
  DeleteOffsetsAnswer answer = t.core.delete_offsets("g", {{"t", 0}, {"u", 0}, {"v", 0}});
  EXPECT_EQ(answer.places,
            (std::vector{ErrorCode::group_subscribed_to_topic, ErrorCode::none, ErrorCode::none}));
  EXPECT_EQ(t.offset("g", "t"), 5);
  EXPECT_EQ(t.offset("g", "u"), -1);
  EXPECT_EQ(t.core.delete_offsets("x", {}).error, ErrorCode::group_id_not_found);
}

TEST(OffsetDelete, NeedsAnEmptyGroupIfItsMembersAreNoConsumers) {
  Table t;
  (void)t.lone_member({.type = "connect"});
  EXPECT_EQ(t.core.delete_offsets("g", {{"t", 0}}).error, ErrorCode::non_empty_group);
}

TEST(DeleteGroups, TakesOffsetsWithIt) {
  Table t;
  std::string a = t.lone_member();
  EXPECT_EQ(t.commit(a, 1, 5), ErrorCode::none);
  EXPECT_EQ(t.core.delete_group("g"), ErrorCode::non_empty_group);
  EXPECT_EQ(t.leave(a), ErrorCode::none);
  EXPECT_EQ(t.core.delete_group("g"), ErrorCode::none);
  EXPECT_EQ(t.core.delete_group("g"), ErrorCode::group_id_not_found);
  t.take();
  EXPECT_TRUE(t.core.state().groups().empty());
  t.restart();
  EXPECT_TRUE(t.core.list().empty());
}

// --- Expiry ---

constexpr int64_t kDay = 24 * 3600 * 1000;

void days(Table& t, int64_t n) {
  t.pass(milliseconds(n * kDay));
  t.core.expire_offsets(t.moment.wall);
  t.take();
}

TEST(Expiry, CountsFromWhenTheGroupBecameEmpty) {
  Table t;
  std::string a = t.lone_member({.session = seconds(1800)});
  EXPECT_EQ(t.commit(a, 1, 5), ErrorCode::none);
  for (int i = 0; i < 20 * 49; i++) {
    t.pass(seconds(1799));
    ASSERT_EQ(t.heartbeat(a, 1), ErrorCode::none);
  }
  days(t, 0);
  EXPECT_EQ(t.offset(), 5) << "twenty days old, but the group lives";
  EXPECT_EQ(t.leave(a), ErrorCode::none);
  days(t, 6);
  EXPECT_EQ(t.offset(), 5);
  days(t, 1);
  EXPECT_EQ(t.offset(), -1);
  EXPECT_TRUE(t.core.list().empty());
}

TEST(Expiry, CountsFromTheCommitWithoutAGroup) {
  Table t;
  EXPECT_EQ(t.commit("", -1, 5), ErrorCode::none);
  days(t, 4);
  EXPECT_EQ(t.commit("", -1, 6, "g", "u"), ErrorCode::none);
  days(t, 3);
  EXPECT_EQ(t.offset("g", "t"), -1);
  EXPECT_EQ(t.offset("g", "u"), 6);
  t.restart();
  days(t, 4);
  EXPECT_TRUE(t.core.list().empty());
}

TEST(Expiry, TakesFromAGroupThatLivesWhatItNoLongerReads) {
  Table t;
  std::string a =
      t.lone_member({.protocols = {{"range", subscription({"t"})}}, .session = seconds(1800)});
  EXPECT_EQ(t.commit(a, 1, 5), ErrorCode::none);
  EXPECT_EQ(t.commit(a, 1, 6, "g", "u"), ErrorCode::none);
  t.moment.wall.millis += 8 * kDay;
  days(t, 0);
  EXPECT_EQ(t.offset("g", "t"), 5);
  EXPECT_EQ(t.offset("g", "u"), -1);
}

TEST(Expiry, SparesWhatATransactionHasNotDecided) {
  Table t;
  EXPECT_EQ(t.commit("", -1, 5), ErrorCode::none);
  StoredOffset newer{.offset = 9, .metadata = {}, .expire_millis = std::nullopt, .topic_id = {}};
  t.core.load(OffsetRecord{"g", "t", 0, newer}, 77);
  days(t, 8);
  EXPECT_EQ(t.offset(), 5);
  EXPECT_TRUE(t.core.state().pending("g", "t", 0));
  t.core.load_marker(77, true);
  EXPECT_EQ(t.offset(), 9);
  EXPECT_FALSE(t.core.state().pending("g", "t", 0));
}

TEST(DeletedTopic, TakesItsOffsetsWithIt) {
  Table t;
  EXPECT_EQ(t.commit("", -1, 5), ErrorCode::none);
  EXPECT_EQ(t.commit("", -1, 6, "g", "u"), ErrorCode::none);
  EXPECT_EQ(t.commit("", -1, 7, "h"), ErrorCode::none);
  t.core.forget_topic("t");
  t.take();
  EXPECT_EQ(t.offset("g", "t"), -1);
  EXPECT_EQ(t.offset("g", "u"), 6);
  EXPECT_EQ(t.core.list().size(), 1u);
}

}  // namespace
}  // namespace moldau::coordinator::group
