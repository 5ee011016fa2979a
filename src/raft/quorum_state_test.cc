#include "raft/quorum_state.h"

#include <gtest/gtest.h>

namespace moldau::raft {
namespace {

// Written by Apache Kafka 4.3.1.
constexpr std::string_view kStatic =
    R"({"clusterId":"","leaderId":2,"leaderEpoch":6,"votedId":2,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0})";

TEST(QuorumState, OfAStaticQuorumIsAsKafkaWritesIt) {
  Result<QuorumState> state = decode_quorum_state(kStatic);
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_EQ(state->epoch.value, 6);
  EXPECT_EQ(state->leader.value, 2);
  EXPECT_EQ(state->voted.id.value, 2);
  EXPECT_EQ(encode_quorum_state(*state, 0), kStatic);
}

TEST(QuorumState, OfADynamicQuorumHasTheDirectory) {
  QuorumState state{LeaderEpoch(3), BrokerId(-1), {BrokerId(1), Uuid{{1, 2, 3}}}, {}};
  std::string text = encode_quorum_state(state, 1);
  EXPECT_EQ(
      text,
      R"({"leaderId":-1,"leaderEpoch":3,"votedId":1,"votedDirectoryId":"AQIDAAAAAAAAAAAAAAAAAA","data_version":1})");
  Result<QuorumState> read = decode_quorum_state(text);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, state);
}

TEST(QuorumState, TakesAnyOrderSpaceAndUnknownFields) {
  Result<QuorumState> state = decode_quorum_state(
      "{ \"data_version\": 0, \"new\": null, \"name\": \"a\\\"b\", \"currentVoters\": null,\n"
      "  \"votedId\": -1, \"leaderEpoch\": 1, \"leaderId\": -1 }\n");
  ASSERT_TRUE(state) << state.error().to_string();
  EXPECT_EQ(state->epoch.value, 1);
}

TEST(QuorumState, RefusesWhatIsNotOne) {
  for (std::string_view text :
       {"", "{", "{}", "[]", "{\"data_version\":0}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":3}",
        "{\"leaderId\":1,\"leaderEpoch\":-2,\"votedId\":3,\"data_version\":0}",
        "{\"leaderId\":1,\"leaderEpoch\":99999999999,\"votedId\":3,\"data_version\":0}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":3,\"data_version\":0} x",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":3,\"votedDirectoryId\":\"?\",\"data_"
        "version\":1}",
        "{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":3,\"data_version\":0,\"a\":\"\\"}) {
    Result<QuorumState> state = decode_quorum_state(text);
    ASSERT_FALSE(state) << text;
    EXPECT_EQ(state.error().code(), Errc::corrupt) << text;
  }
  Result<QuorumState> newer =
      decode_quorum_state("{\"leaderId\":1,\"leaderEpoch\":2,\"votedId\":3,\"data_version\":2}");
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code(), Errc::unsupported);
}

TEST(QuorumState, CutAnywhereIsAnError) {
  for (size_t n = 0; n < kStatic.size(); n++)
    EXPECT_FALSE(decode_quorum_state(kStatic.substr(0, n))) << n;
}

}  // namespace
}  // namespace moldau::raft
