#include "raft/wire_form.h"

#include <gtest/gtest.h>

#include "raft/test_wire.h"

namespace moldau::raft {
namespace {

const ReplicaKey kOne{BrokerId(1), Uuid{{1, 2}}}, kTwo{BrokerId(2), Uuid{{3, 4}}};

TEST(RaftWireForm, AVoteKeepsAllItSays) {
  VoteRequest vote{"cluster", kOne, kTwo, LeaderEpoch(7), {Offset(9), LeaderEpoch(6)}, true};
  auto back = std::get<VoteRequest>(test::over_wire(vote, 2));
  EXPECT_EQ(back.cluster, "cluster");
  EXPECT_EQ(back.voter, kOne);
  EXPECT_EQ(back.replica, kTwo);
  EXPECT_EQ(back.epoch, LeaderEpoch(7));
  EXPECT_EQ(back.end, vote.end);
  EXPECT_TRUE(back.pre_vote);
  EXPECT_FALSE(fits(vote, 1)) << "it would be a vote";
}

TEST(RaftWireForm, AFetchKeepsAllItSays) {
  FetchRequest fetch{std::nullopt,      kTwo,  LeaderEpoch(7), {Offset(9), LeaderEpoch(6)},
                     milliseconds(500), 1'000, Offset(8)};
  for (int16_t version = 12; version <= 18; version++) {
    auto back = std::get<FetchRequest>(test::over_wire(fetch, version));
    EXPECT_FALSE(back.cluster);
    EXPECT_EQ(back.replica.id, kTwo.id);
    EXPECT_EQ(back.replica.directory, version >= 17 ? kTwo.directory : Uuid());
    EXPECT_EQ(back.end, fetch.end);
    EXPECT_EQ(back.max_wait, fetch.max_wait);
    EXPECT_EQ(back.high_watermark, version >= 18 ? fetch.high_watermark : std::nullopt);
  }
}

TEST(RaftWireForm, AFetchAnswerKeepsAllItSays) {
  FetchResponse answer;
  answer.leader = {BrokerId(1), LeaderEpoch(7)};
  answer.leader_endpoints = {{"", "h", 9093}};
  answer.high_watermark = Offset(5);
  answer.log_start = Offset(2);
  answer.diverging = OffsetAndEpoch{Offset(0), LeaderEpoch(0)};
  answer.records = {1, 2, 3};
  auto back = std::get<FetchResponse>(test::over_wire(answer, 18));
  EXPECT_EQ(back.leader, answer.leader);
  EXPECT_EQ(back.leader_endpoints, answer.leader_endpoints);
  EXPECT_EQ(back.diverging, answer.diverging);
  EXPECT_FALSE(back.snapshot);
  EXPECT_EQ(back.records, answer.records);
  EXPECT_EQ(back.log_start, Offset(2));
}

TEST(RaftWireForm, ASnapshotsPieceKeepsAllItSays) {
  FetchSnapshotResponse piece;
  piece.leader = {BrokerId(1), LeaderEpoch(7)};
  piece.snapshot = {Offset(40), LeaderEpoch(3)};
  piece.size = 10;
  piece.position = 4;
  piece.bytes = {9, 8};
  auto back = std::get<FetchSnapshotResponse>(test::over_wire(piece, 1));
  EXPECT_EQ(back.snapshot, piece.snapshot);
  EXPECT_EQ(back.size, 10);
  EXPECT_EQ(back.position, 4);
  EXPECT_EQ(back.bytes, piece.bytes);
}

TEST(RaftWireForm, ASuccessorOfAnOldVersionHasNoDirectory) {
  EndQuorumRequest end{"c", {BrokerId(1), LeaderEpoch(3)}, {kTwo}, {{"L", "h", 1}}};
  auto old = std::get<EndQuorumRequest>(test::over_wire(end, 0));
  ASSERT_EQ(old.candidates.size(), 1u);
  EXPECT_EQ(old.candidates[0], (ReplicaKey{BrokerId(2), {}}));
  auto now = std::get<EndQuorumRequest>(test::over_wire(end, 1));
  EXPECT_EQ(now.candidates, end.candidates);
  EXPECT_EQ(now.endpoints, end.endpoints);
}

TEST(RaftWireForm, AnErrorOfTheWholeHasNoPartition) {
  VoteResponse refused;
  refused.top = ErrorCode::inconsistent_cluster_id;
  Arena arena;
  EXPECT_TRUE(to_wire(refused, arena).topics.empty());
  EXPECT_EQ(std::get<VoteResponse>(test::over_wire(refused, 2)).top, refused.top);
}

TEST(RaftWireForm, OtherTopicsAndPartitionsAreNoneOfOurs) {
  Arena arena;
  wire::VoteRequest vote = to_wire(VoteRequest{}, arena);
  auto topics = arena.array<wire::VoteRequest::TopicData>(2);
  topics[0] = topics[1] = vote.topics[0];
  vote.topics = topics;
  EXPECT_FALSE(from_wire(vote)) << "two";
  vote.topics = topics.first(1);
  EXPECT_TRUE(from_wire(vote));
  topics[0].topic_name = "x";
  EXPECT_FALSE(from_wire(vote));
  vote.topics = {};
  EXPECT_FALSE(from_wire(vote));
  EXPECT_FALSE(from_wire(wire::FetchRequest()));
  EXPECT_FALSE(from_wire(wire::FetchSnapshotRequest()));
  EXPECT_FALSE(from_wire(wire::VoteResponse()));
}

TEST(RaftWireForm, AVoterToBeAddedHasItsListeners) {
  AddVoterRequest add{"c", milliseconds(1'500), {kTwo, {{"L", "h", 9093}}, 0, 0}, false};
  auto back = std::get<AddVoterRequest>(test::over_wire(add, 1));
  EXPECT_EQ(back.voter, add.voter);
  EXPECT_EQ(back.timeout, add.timeout);
  EXPECT_FALSE(back.ack_when_committed);
  EXPECT_TRUE(std::get<AddVoterRequest>(test::over_wire(add, 0)).ack_when_committed);
}

}  // namespace
}  // namespace moldau::raft
