// One core alone, asked and told things: what each role does. What it answers to requests of all
// kinds is compared with Apache Kafka's answers in tests/raft/answers_test.cc.
#include "raft/core.h"

#include "raft/test_bench.h"
#include "wire/record_batch_builder.h"

namespace moldau::raft {
namespace {

using test::Bench;
using test::brief;
using test::end_at;
using test::replica;
using test::vote;

std::vector<uint8_t> batch_at(int64_t offset, int32_t epoch, int records = 1) {
  wire::RecordBatchBuilder builder(
      {.base_offset = Offset(offset), .leader_epoch = LeaderEpoch(epoch)});
  for (int i = 0; i < records; i++) builder.add(1, std::nullopt, Bytes());
  return builder.finish();
}

// Apache Kafka 4.3.1 stops with a fatal error here: a peer must not be able to do that.
TEST(RaftAnswers, ASecondLeaderOfTheEpochIsRefused) {
  Bench b(1);
  EXPECT_EQ(brief(b.ask(BeginQuorumRequest{"us", replica(1), {BrokerId(2), LeaderEpoch(1)}, {}})),
            "42 1 1");
  EXPECT_EQ(b.core->role(), RoleName::leader);
}

TEST(RaftElection, OneVoterLeadsAtOnceAndCommitsWhenDurable) {
  Bench b(1);
  EXPECT_EQ(b.core->role(), RoleName::leader);
  EXPECT_EQ(b.core->leader(), (LeaderAndEpoch{BrokerId(1), LeaderEpoch(1)}));
  EXPECT_EQ(b.core->high_watermark(), Offset(1)) << "its LeaderChange record";
  b.instant_disk = false;
  Offset base;
  b.take(b.core->append(b.now, batch_at(0, -1, 2), &base));
  EXPECT_EQ(base, Offset(1));
  EXPECT_EQ(b.core->high_watermark(), Offset(1));
  b.take(b.core->log_durable(b.now, b.writes.back().number));
  EXPECT_EQ(b.core->high_watermark(), Offset(3));
}

TEST(RaftElection, ARestartedLeaderOfOneTakesTheNextEpoch) {
  Bench b(1, QuorumState{LeaderEpoch(4), BrokerId(1), replica(1, 11), {}});
  EXPECT_EQ(b.core->role(), RoleName::leader);
  EXPECT_EQ(b.core->state().epoch.value, 5);
}

TEST(RaftElection, ARestartedLeaderDoesNotLeadItsEpochAgain) {
  Bench b(3, QuorumState{LeaderEpoch(4), BrokerId(1), replica(1, 11), {}});
  EXPECT_EQ(b.core->role(), RoleName::resigned);
  ASSERT_EQ(b.sends.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<EndQuorumRequest>(b.sends[0].request));
  EXPECT_EQ(brief(b.ask(vote(4, 2, 77))), "0 1 4 no");
  b.pass(seconds(2));
  EXPECT_EQ(b.core->role(), RoleName::unattached);
  EXPECT_EQ(b.core->state().epoch.value, 5);
}

TEST(RaftElection, ALogThatIsAheadOfTheStateFileRaisesTheEpoch) {
  log::Epochs epochs;
  epochs.assign(LeaderEpoch(7), Offset(0));
  Bench b(3, std::nullopt, {{}, Offset(5), epochs, {}});
  EXPECT_EQ(b.core->state().epoch.value, 7);
}

TEST(RaftElection, APreVoteDoesNotRaiseTheEpoch) {
  Bench b(3);
  b.pass(seconds(2));
  EXPECT_EQ(b.core->role(), RoleName::prospective);
  EXPECT_EQ(b.core->state().epoch.value, 0);
  Send send = b.sends.back();
  EXPECT_TRUE(std::get<VoteRequest>(send.request).pre_vote);
  VoteResponse yes;
  yes.granted = true;
  b.answer_last(yes);
  EXPECT_EQ(b.core->role(), RoleName::candidate);
  EXPECT_EQ(b.core->state().epoch.value, 1);
  EXPECT_EQ(b.core->state().voted, replica(1, 11));
}

TEST(RaftElection, NothingIsSaidBeforeTheVoteIsOnStableStorage) {
  Bench b(3);
  b.instant_disk = false;
  b.answers.clear();
  Effects e = b.core->request(b.now, 5, vote(3, 2, 77));
  ASSERT_TRUE(e.persist);
  uint64_t number = e.persist->number;
  EXPECT_EQ(e.persist->state.voted, replica(2, 77));
  EXPECT_TRUE(e.answers.empty());
  e = b.core->request(b.now, 6, vote(3, 3, 77));
  EXPECT_TRUE(e.answers.empty()) << "answers keep their order";
  e = b.core->persisted(b.now, number);
  ASSERT_EQ(e.answers.size(), 2u);
  EXPECT_TRUE(std::get<VoteResponse>(e.answers[0].response).granted);
  EXPECT_FALSE(std::get<VoteResponse>(e.answers[1].response).granted);
}

TEST(RaftElection, TheFirstSuccessorStandsUpAtOnce) {
  Bench b(3);
  b.become_follower_of(2, 3);
  b.ask(EndQuorumRequest{"us", {BrokerId(2), LeaderEpoch(3)}, {replica(1), replica(3)}, {}});
  EXPECT_EQ(b.core->role(), RoleName::prospective);
}

TEST(RaftLeader, ResignsWhenAMajorityDoesNotAsk) {
  Bench b(3);
  b.pass(seconds(2));
  VoteResponse yes;
  yes.granted = true;
  b.answer_last(yes);
  yes.leader.epoch = LeaderEpoch(1);
  // The other voter was asked for its pre-vote and has not answered; the first one is asked again.
  while (b.core->role() == RoleName::candidate) b.answer_last(yes);
  ASSERT_EQ(b.core->role(), RoleName::leader);
  b.pass(milliseconds(2'000));
  b.ask(FetchRequest{"us", replica(2), LeaderEpoch(1), {}, Duration(), 1'000, {}});
  b.pass(milliseconds(2'900));
  EXPECT_EQ(b.core->role(), RoleName::leader);
  b.pass(milliseconds(200));
  EXPECT_EQ(b.core->role(), RoleName::resigned);
}

TEST(RaftLeader, AWaitingFetchIsAnsweredWhenRecordsCome) {
  Bench b(1);
  b.answers.clear();
  FetchRequest fetch{"us",  replica(2), LeaderEpoch(1), end_at(1, 1), milliseconds(500),
                     1'000, Offset(1)};
  b.take(b.core->request(b.now, 9, fetch));
  EXPECT_TRUE(b.answers.empty());
  Offset base;
  b.take(b.core->append(b.now, batch_at(0, -1), &base));
  ASSERT_EQ(b.answers.size(), 1u);
  EXPECT_EQ(std::get<FetchResponse>(b.answers[0].response).read_at, Offset(1));
}

TEST(RaftLeader, AWaitingFetchIsAnsweredWhenItsTimeIsUp) {
  Bench b(1);
  b.answers.clear();
  b.take(b.core->request(b.now, 9,
                         FetchRequest{"us", replica(2), LeaderEpoch(1), end_at(1, 1),
                                      milliseconds(500), 1'000, Offset(1)}));
  b.pass(milliseconds(499));
  EXPECT_TRUE(b.answers.empty());
  b.pass(milliseconds(1));
  EXPECT_EQ(b.answers.size(), 1u);
}

TEST(RaftFollower, AppendsWhatItsLeaderHasAndAsksOnWhenItIsDurable) {
  Bench b(3);
  b.become_follower_of(2, 3);
  b.instant_disk = false;
  FetchResponse response;
  response.leader = {BrokerId(2), LeaderEpoch(3)};
  response.records = batch_at(0, 3, 4);
  response.high_watermark = Offset(2);
  uint64_t first = b.fetch().id;
  b.answer_last(response);
  EXPECT_EQ(b.core->log().end(), Offset(4));
  EXPECT_EQ(b.core->high_watermark(), Offset(2));
  EXPECT_EQ(b.fetch().id, first);
  b.take(b.core->log_durable(b.now, b.writes.back().number));
  EXPECT_GT(b.fetch().id, first);
  EXPECT_EQ(std::get<FetchRequest>(b.fetch().request).end, end_at(4, 3));
}

TEST(RaftFollower, RefusesRecordsThatDoNotFit) {
  for (auto& records : {batch_at(1, 3), batch_at(0, 4), std::vector<uint8_t>(70, 0)}) {
    Bench b(3);
    b.become_follower_of(2, 3);
    FetchResponse response;
    response.leader = {BrokerId(2), LeaderEpoch(3)};
    response.records = records;
    b.answer_last(response);
    EXPECT_EQ(b.core->log().end(), Offset(0));
    EXPECT_EQ(b.core->role(), RoleName::follower);
  }
}

LogState::Opened six_records() {
  log::Epochs epochs;
  epochs.assign(LeaderEpoch(1), Offset(0));
  epochs.assign(LeaderEpoch(2), Offset(4));
  return {{}, Offset(6), epochs, {}};
}

TEST(RaftFollower, CutsWhatDiffers) {
  Bench b(3, std::nullopt, six_records());
  b.become_follower_of(2, 3);
  FetchResponse response;
  response.leader = {BrokerId(2), LeaderEpoch(3)};
  response.diverging = end_at(3, 1);
  b.answer_last(response);
  EXPECT_EQ(b.core->log().end_id(), end_at(3, 1));
  EXPECT_TRUE(b.writes.back().truncates());
}

TEST(RaftFollower, HaltsRatherThanCutCommittedRecords) {
  Bench b(3, std::nullopt, six_records());
  b.become_follower_of(2, 3);
  FetchResponse response;
  response.leader = {BrokerId(2), LeaderEpoch(3)};
  response.high_watermark = Offset(5);
  b.answer_last(response);
  EXPECT_EQ(b.core->high_watermark(), Offset(5));
  response.diverging = end_at(3, 1);
  b.answer_last(response);
  ASSERT_TRUE(b.halt);
  EXPECT_NE(b.halt->find("as committed"), std::string::npos) << *b.halt;
  EXPECT_EQ(b.core->log().end(), Offset(6));
}

TEST(RaftFollower, LoadsASnapshotPieceByPiece) {
  Bench b(3);
  b.become_follower_of(2, 3);
  FetchResponse offer;
  offer.leader = {BrokerId(2), LeaderEpoch(3)};
  offer.snapshot = end_at(40, 2);
  b.answer_last(offer);
  FetchSnapshotResponse piece;
  piece.leader = offer.leader;
  piece.snapshot = end_at(40, 2);
  piece.size = 5;
  piece.bytes = {1, 2, 3};
  b.answer_last(piece);
  EXPECT_EQ(std::get<FetchSnapshotRequest>(b.sends.back().request).position, 3);
  piece.position = 3;
  piece.bytes = {4, 5};
  b.answer_last(piece);
  ASSERT_EQ(b.steps.size(), 4u);
  EXPECT_EQ(b.steps[3].kind, SnapshotStep::finish);
  b.take(b.core->snapshot_loaded(b.now, {end_at(40, 2), 5}, b.core->voters()));
  EXPECT_EQ(b.core->high_watermark(), Offset(40));
  EXPECT_EQ(std::get<FetchRequest>(b.fetch().request).end, end_at(40, 2));
}

// Apache Kafka 4.3.1 cannot encode its own refusals of FetchSnapshot and answers with -1 as a
// whole.
TEST(RaftFollower, GivesUpASnapshotThatIsRefused) {
  Bench b(3);
  b.become_follower_of(2, 3);
  FetchResponse offer;
  offer.leader = {BrokerId(2), LeaderEpoch(3)};
  offer.snapshot = end_at(40, 2);
  b.answer_last(offer);
  FetchSnapshotResponse refused;
  refused.top = ErrorCode::unknown_server_error;
  b.answer_last(refused);
  EXPECT_EQ(b.steps.back().kind, SnapshotStep::abandon);
  b.pass(milliseconds(20));
  EXPECT_EQ(std::get<FetchRequest>(b.fetch().request).end, OffsetAndEpoch());
}

TEST(RaftObserver, FollowsAndNeverStandsForElection) {
  Bench b(0);
  EXPECT_EQ(b.core->role(), RoleName::unattached);
  b.become_follower_of(2, 3);
  EXPECT_EQ(b.core->role(), RoleName::follower);
  b.pass(seconds(60));
  EXPECT_EQ(b.core->role(), RoleName::follower);
}

TEST(RaftShutdown, ALeaderSaysGoodbyeFirst) {
  Bench b(3, QuorumState{LeaderEpoch(4), BrokerId(1), replica(1, 11), {}});
  b.take(b.core->shutdown(b.now));
  EXPECT_FALSE(b.stopped);
  for (const Send& send : std::vector<Send>(b.sends)) {
    EndQuorumResponse heard;
    heard.leader = {BrokerId(1), LeaderEpoch(4)};
    b.take(b.core->response(b.now, send.to, send.id, heard));
  }
  EXPECT_TRUE(b.stopped);
}

}  // namespace
}  // namespace moldau::raft
