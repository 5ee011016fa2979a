// Changes of the voters as one leader sees them. The refusals under kraft.version 0 are those of
// Apache Kafka 4.3.1.
#include <gtest/gtest.h>

#include "raft/core.h"

namespace moldau::raft {
namespace {

ReplicaKey replica(int32_t id, uint8_t dir) { return {BrokerId(id), Uuid{{dir}}}; }
Voter voter(int32_t id, uint8_t dir) {
  return {replica(id, dir), {{"CONTROLLER", fmt::format("h{}", id), 9093}}, 0, 1};
}

// The leader, node 1, of itself and others who are told to be in its log already.
struct LeaderBench {
  Now now{Instant{seconds(10).nanos}, WallTime{1'700'000'000'000}};
  std::unique_ptr<Core> core;
  std::vector<Send> sends;
  std::vector<Answer> answers;

  explicit LeaderBench(int16_t level) {
    Config config;
    config.local = replica(1, 1);
    config.cluster_id = "us";
    core = std::make_unique<Core>(
        config, Recovered{std::nullopt, {}, VoterHistory(VoterSet({voter(1, 1)}), level)}, 7);
    take(core->start(now));
  }
  void take(Effects e) {
    std::ranges::move(e.sends, std::back_inserter(sends));
    std::ranges::move(e.answers, std::back_inserter(answers));
    if (e.persist) take(core->persisted(now, e.persist->number));
    if (!e.writes.empty()) take(core->log_durable(now, e.writes.back().number));
  }
  // The answer's error, or -2 if there is none yet.
  int ask(const Request& request) {
    answers.clear();
    take(core->request(now, 1, request));
    return answered();
  }
  int answered() {
    if (answers.empty()) return -2;
    return std::visit([](const auto& r) { return static_cast<int>(r.top); }, answers[0].response);
  }
  void fetch_to_end(int32_t id, uint8_t dir) {
    std::vector<Answer> kept = answers;
    take(core->request(now, 99,
                       FetchRequest{"us",
                                    replica(id, dir),
                                    core->state().epoch,
                                    core->log().end_id(),
                                    Duration(),
                                    100,
                                    {}}));
    std::erase_if(answers, [](const Answer& a) { return a.token == 99; });
  }
  void add(int32_t id, uint8_t dir) {
    EXPECT_EQ(ask(AddVoterRequest{"us", seconds(5), voter(id, dir)}), -2);
    Send asked = sends.back();
    EXPECT_EQ(asked.to.value, id);
    EXPECT_EQ(asked.endpoints, voter(id, dir).endpoints);
    take(core->response(now, asked.to, asked.id, LevelsResponse{{}, 0, 1}));
  }
  size_t voters() const { return core->voters().voters().size(); }
};

TEST(RaftVoters, DoNotChangeUnderAStaticQuorum) {
  LeaderBench b(0);
  EXPECT_EQ(b.ask(AddVoterRequest{"us", seconds(1), voter(2, 2)}), 35);
  EXPECT_EQ(b.ask(RemoveVoterRequest{"us", replica(1, 1)}), 35);
}

TEST(RaftVoters, TheFirstLeaderWritesThemIntoTheLog) {
  LeaderBench b(1);
  EXPECT_EQ(b.core->log().end(), Offset(3));
  EXPECT_EQ(b.core->voters().changed_at(), Offset(2));
}

TEST(RaftVoters, OneIsAddedWhenItHasCaughtUpAndAnsweredWhenCommitted) {
  LeaderBench b(1);
  b.add(2, 2);
  EXPECT_EQ(b.voters(), 1u) << "it has not fetched";
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.voters(), 2u);
  EXPECT_EQ(b.answered(), -2);
  EXPECT_EQ(b.core->high_watermark(), Offset(3)) << "the new voter counts already";
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.answered(), 0);
  EXPECT_EQ(b.core->high_watermark(), Offset(4));
}

TEST(RaftVoters, OneOfAnotherDiskDoesNotCount) {
  LeaderBench b(1);
  b.add(2, 2);
  b.fetch_to_end(2, 3);
  EXPECT_EQ(b.voters(), 1u);
}

TEST(RaftVoters, OneThatDoesNotKnowTheLevelIsRefused) {
  LeaderBench b(1);
  b.ask(AddVoterRequest{"us", seconds(5), voter(2, 2)});
  Send asked = b.sends.back();
  b.take(b.core->response(b.now, asked.to, asked.id, LevelsResponse{{}, 0, 0}));
  EXPECT_EQ(b.answered(), 42);
}

TEST(RaftVoters, OneThatNeverCatchesUpTimesOut) {
  LeaderBench b(1);
  b.add(2, 2);
  b.now.instant = b.now.instant + seconds(5);
  b.take(b.core->tick(b.now));
  EXPECT_EQ(b.answered(), 7);
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.voters(), 1u);
}

TEST(RaftVoters, ChangeOneAtATime) {
  LeaderBench b(1);
  b.add(2, 2);
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.ask(RemoveVoterRequest{"us", replica(2, 2)}), 7);
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.ask(AddVoterRequest{"us", seconds(1), voter(2, 5)}), 126);
  EXPECT_EQ(b.ask(RemoveVoterRequest{"us", replica(2, 5)}), 127);
  EXPECT_EQ(b.ask(RemoveVoterRequest{"x", replica(2, 2)}), 104);
  EXPECT_EQ(b.ask(RemoveVoterRequest{"us", replica(2, 2)}), 0)
      << "the leader alone is a majority again";
  EXPECT_EQ(b.ask(RemoveVoterRequest{"us", replica(1, 1)}), 127) << "the last one stays";
}

TEST(RaftVoters, ALeaderThatIsRemovedGivesUpWhenThatIsCommitted) {
  LeaderBench b(1);
  b.add(2, 2);
  b.fetch_to_end(2, 2);
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.ask(RemoveVoterRequest{"us", replica(1, 1)}), -2);
  EXPECT_EQ(b.core->role(), RoleName::leader);
  b.fetch_to_end(2, 2);
  EXPECT_EQ(b.answered(), 0);
  EXPECT_EQ(b.core->role(), RoleName::resigned);
}

TEST(RaftVoters, OneThatMovesSaysSo) {
  LeaderBench b(1);
  Voter moved = voter(1, 1);
  moved.endpoints[0].port = 1;
  EXPECT_EQ(b.ask(UpdateVoterRequest{"us", LeaderEpoch(7), moved}), 75);
  EXPECT_EQ(b.ask(UpdateVoterRequest{"us", LeaderEpoch(1), moved}), 0);
  EXPECT_EQ(b.core->voters().voters().find(BrokerId(1))->endpoints[0].port, 1);
}

}  // namespace
}  // namespace moldau::raft
