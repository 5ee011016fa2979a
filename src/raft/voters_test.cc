#include "raft/voters.h"

#include <gtest/gtest.h>

#include "raft/control.h"

namespace moldau::raft {
namespace {

Voter voter(int32_t id, uint8_t dir) {
  Voter v;
  v.key = {BrokerId(id), Uuid{{dir}}};
  v.endpoints.push_back({"CONTROLLER", "h" + std::to_string(id), 9093});
  v.max_kraft_version = 1;
  return v;
}

TEST(VoterSet, ComesFromTheSetting) {
  Result<VoterSet> set = VoterSet::parse("2@b:9093, 1@[::1]:9094", "CONTROLLER");
  ASSERT_TRUE(set) << set.error().to_string();
  ASSERT_EQ(set->size(), 2u);
  EXPECT_EQ(set->voters()[0].endpoints[0], (Endpoint{"CONTROLLER", "::1", 9094}));
  EXPECT_EQ(set->majority(), 2u);
  EXPECT_TRUE(set->contains({BrokerId(2), Uuid{{9}}})) << "no directory: any";
  EXPECT_TRUE(VoterSet::parse("", "C")->empty());
}

TEST(VoterSet, RefusesAWrongSetting) {
  for (std::string_view text : {"1", "1@", "1@h", "@h:1", "x@h:1", "-1@h:1", "1@h:x", "1@h:65536",
                                "1@:5", "1@h:1,1@i:2", "1@h:1,,2@h:2", "1h:5@", "1@h:"}) {
    Result<VoterSet> set = VoterSet::parse(text, "C");
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error().code(), Errc::invalid);
  }
}

TEST(VoterSet, TellsDirectoriesApart) {
  VoterSet set({voter(1, 1), voter(2, 2)});
  EXPECT_TRUE(set.contains({BrokerId(1), Uuid{{1}}}));
  EXPECT_FALSE(set.contains({BrokerId(1), Uuid{{3}}}));
  EXPECT_FALSE(set.contains({BrokerId(1), Uuid()}));
}

TEST(VoterSet, ChangesByOne) {
  VoterSet set({voter(1, 1), voter(2, 2)});
  EXPECT_FALSE(set.with(voter(2, 3))) << "the id is there";
  EXPECT_EQ(set.with(voter(3, 3))->size(), 3u);
  EXPECT_FALSE(set.without({BrokerId(2), Uuid{{3}}}));
  EXPECT_EQ(set.without({BrokerId(2), Uuid{{2}}})->size(), 1u);
  EXPECT_FALSE(VoterSet({voter(1, 1)}).without(voter(1, 1).key)) << "nobody would be left";
  Voter moved = voter(2, 2);
  moved.endpoints[0].port = 1;
  EXPECT_EQ(set.updated(moved)->find(BrokerId(2))->endpoints[0].port, 1);
  EXPECT_FALSE(set.updated(voter(2, 9)));
}

TEST(VoterHistory, KnowsTheVotersAtEachOffset) {
  VoterHistory history(VoterSet({voter(1, 1)}), 0);
  EXPECT_FALSE(history.changed_at());
  history.set_kraft_version(Offset(5), 1);
  history.set_voters(Offset(6), VoterSet({voter(1, 1), voter(2, 2)}));
  EXPECT_EQ(history.at(Offset(6)).voters.size(), 1u);
  EXPECT_EQ(history.at(Offset(6)).kraft_version, 1);
  EXPECT_EQ(history.at(Offset(7)).voters.size(), 2u);
  history.truncate_end(Offset(6));
  EXPECT_EQ(history.voters().size(), 1u);
  EXPECT_EQ(history.kraft_version(), 1);
  history.truncate_end(Offset(0));
  EXPECT_EQ(history.kraft_version(), 0);
}

TEST(ControlRecords, ComeBackAsTheyWereWritten) {
  VoterSet set({voter(1, 1), voter(2, 2)});
  EpochStart start{BrokerId(1), set, {voter(1, 1).key}, 1, true};
  std::vector<uint8_t> batch =
      epoch_start_batch(start, LeaderEpoch(3), Offset(10), WallTime{1'700'000'000'000});
  Result<wire::BatchHeader> header = wire::read_batch_header(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->record_count, 3);
  EXPECT_TRUE(header->control());
  Result<std::vector<ControlRecord>> records = read_control_batch(*header, batch);
  ASSERT_TRUE(records) << records.error().to_string();
  ASSERT_EQ(records->size(), 2u);
  EXPECT_EQ((*records)[0].kraft_version, 1);
  EXPECT_EQ((*records)[0].offset, Offset(11));
  EXPECT_EQ((*records)[1].voters, set);
}

// The value of the first record that Apache Kafka 4.3.1 wrote as the only voter, node 1.
TEST(ControlRecords, OfALeaderAreKafkasBytes) {
  EpochStart start{
      BrokerId(1), VoterSet({{{BrokerId(1), {}}, {}, 0, 1}}), {{BrokerId(1), {}}}, 0, false};
  std::vector<uint8_t> batch =
      epoch_start_batch(start, LeaderEpoch(1), Offset(0), WallTime{1'795'878'659'875});
  Result<wire::BatchHeader> header = wire::read_batch_header(batch);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->attributes, 0x20);
  wire::RecordWalk walk(*header, wire::RecordWalk::records_of(batch));
  ASSERT_TRUE(walk.next());
  const std::vector<uint8_t> key{0, 0, 0, 2};
  const std::vector<uint8_t> value{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0};
  EXPECT_TRUE(equal(*walk.record().key, Bytes(key)));
  EXPECT_TRUE(equal(*walk.record().value, Bytes(value)));
}

}  // namespace
}  // namespace moldau::raft
