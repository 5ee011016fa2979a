// The core simulated: one, three and five voters with observers, a seed each. A failure names its
// seed; more seeds: --gtest_repeat=100 --gtest_shuffle (each repetition has others).
#include <gtest/gtest.h>

#include "base/bug.h"
#include "raft/test_quorum.h"

namespace moldau::raft::test {
namespace {

uint64_t first_seed() {
  if (!GTEST_FLAG_GET(shuffle)) return 1;
  return 1 + static_cast<uint64_t>(testing::UnitTest::GetInstance()->random_seed()) * 1'000;
}

void survive(int voters, int observers, uint64_t seeds, bool dynamic = false) {
  for (uint64_t seed = first_seed(); seed < first_seed() + seeds; seed++) {
    Quorum quorum({.seed = seed, .voters = voters, .observers = observers, .dynamic = dynamic});
    std::string found = quorum.run();
    ASSERT_EQ(found, "");
  }
}

TEST(QuorumSim, OneVoterElectsItselfAndCommits) { survive(1, 0, 10); }
TEST(QuorumSim, OneVoterIsFollowedByObservers) { survive(1, 2, 5); }
TEST(QuorumSim, ThreeVotersSurviveFaults) { survive(3, 0, 5); }
TEST(QuorumSim, ThreeVotersAndObserversSurviveFaults) { survive(3, 2, 4); }
TEST(QuorumSim, AnEvenNumberOfVotersSurvivesFaults) { survive(4, 0, 4); }
TEST(QuorumSim, FiveVotersSurviveFaults) { survive(5, 0, 3); }

TEST(QuorumSim, VotersComeAndGo) { survive(3, 2, 5, true); }
TEST(QuorumSim, VotersComeToOne) { survive(1, 3, 5, true); }

#ifdef MOLDAU_PLANTED_BUGS
// With the mistake planted some seed must find it; the first that does says how soon.
void find(Bug bug, uint64_t seeds, int voters, int observers, uint64_t first = 1) {
  std::string found;
  plant(bug);
  for (uint64_t seed = 0; seed < seeds && found.empty(); seed++) {
    Quorum quorum({.seed = first + seed,
                   .voters = voters,
                   .observers = observers,

                   .dynamic = bug == Bug::raft_change_on_change,
                   .single_batches = bug == Bug::raft_counts_old_epoch});
    found = quorum.run();
  }
  plant(Bug::none);
  EXPECT_NE(found, "") << bug_name(bug) << " was not found in " << seeds << " seeds";
  testing::Test::RecordProperty("found", found);
  if (testing::Test::HasFailure()) return;
  fmt::print("{}: {}\n", bug_name(bug), found);
}

TEST(QuorumSimPlanted, VoteUnpersisted) { find(Bug::raft_vote_unpersisted, 20, 3, 0); }
TEST(QuorumSimPlanted, VotesTwice) { find(Bug::raft_votes_twice, 200, 5, 0); }
TEST(QuorumSimPlanted, GrantsStale) { find(Bug::raft_grants_stale, 50, 3, 0); }
// Needs three leaders in a row who each reach others: the seeds before do not show it.
TEST(QuorumSimPlanted, CountsOldEpoch) { find(Bug::raft_counts_old_epoch, 2'000, 5, 0, 580); }
TEST(QuorumSimPlanted, CountsUnsynced) { find(Bug::raft_counts_unsynced, 20, 3, 0); }
TEST(QuorumSimPlanted, AsksUnsynced) { find(Bug::raft_asks_unsynced, 20, 3, 0); }
TEST(QuorumSimPlanted, ObserverCounts) { find(Bug::raft_observer_counts, 50, 3, 2); }
TEST(QuorumSimPlanted, CutsCommitted) { find(Bug::raft_cuts_committed, 200, 3, 0); }
TEST(QuorumSimPlanted, ChangeOnChange) { find(Bug::raft_change_on_change, 50, 3, 2); }
#endif

}  // namespace
}  // namespace moldau::raft::test
