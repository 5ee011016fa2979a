// As Apache Kafka 4.3.1 answered: other partitions are unknown, only the leader describes.
#include "raft/describe.h"

#include <gtest/gtest.h>

#include "raft/wire_form.h"

namespace moldau::raft {
namespace {

struct Asked {
  Arena arena;
  wire::DescribeQuorumRequest request;
  explicit Asked(std::string_view topic, int32_t partition = 0) {
    auto topics = arena.array<wire::DescribeQuorumRequest::TopicData>(1);
    auto partitions = arena.array<wire::DescribeQuorumRequest::PartitionData>(1);
    partitions[0].partition_index = partition;
    topics[0].topic_name = topic;
    topics[0].partitions = partitions;
    request.topics = topics;
  }
};

const Now kNow{Instant{seconds(10).nanos}, WallTime{1'700'000'000'000}};

std::unique_ptr<Core> core_of(int voters) {
  std::vector<Voter> set;
  for (int id = 1; id <= voters; id++)
    set.push_back({{BrokerId(id), {}}, {{"CONTROLLER", "h", 9093}}, 0, 1});
  Config config;
  config.local = {BrokerId(1), Uuid{{1}}};
  auto core = std::make_unique<Core>(
      config, Recovered{std::nullopt, {}, VoterHistory(VoterSet(set), 0)}, 7);
  Effects e = core->start(kNow);
  while (e.persist) {
    uint64_t written = e.writes.empty() ? 0 : e.writes.back().number;
    e = core->persisted(kNow, e.persist->number);
    if (written > 0) core->log_durable(kNow, written);
  }
  return core;
}

TEST(DescribeQuorum, ALeaderSaysHowFarEachReplicaIs) {
  auto core = core_of(1);
  core->request(
      kNow, 1,
      FetchRequest{std::nullopt, {BrokerId(5), Uuid{{5}}}, LeaderEpoch(1), {}, Duration(), 10, {}});
  Asked asked(kMetadataTopic);
  auto out = describe_quorum(*core, kNow, asked.request, 2, asked.arena);
  const auto& partition = out.topics[0].partitions[0];
  EXPECT_EQ(partition.error_code, 0);
  EXPECT_EQ(partition.error_message, "");
  EXPECT_EQ(partition.leader_id, 1);
  EXPECT_EQ(partition.leader_epoch, 1);
  EXPECT_EQ(partition.high_watermark, 1);
  ASSERT_EQ(partition.current_voters.size(), 1u);
  EXPECT_EQ(partition.current_voters[0].log_end_offset, 1);
  EXPECT_EQ(partition.current_voters[0].last_fetch_timestamp, kNow.wall.millis);
  EXPECT_TRUE(partition.current_voters[0].replica_directory_id.is_zero());
  ASSERT_EQ(partition.observers.size(), 1u);
  EXPECT_EQ(partition.observers[0].replica_id, 5);
  EXPECT_EQ(partition.observers[0].log_end_offset, 0);
  ASSERT_EQ(out.nodes.size(), 1u);
  EXPECT_EQ(out.nodes[0].listeners[0].port, 9093);
  EXPECT_TRUE(describe_quorum(*core, kNow, asked.request, 1, asked.arena).nodes.empty());
}

TEST(DescribeQuorum, OthersSendToTheLeader) {
  auto core = core_of(2);
  Asked asked(kMetadataTopic);
  auto out = describe_quorum(*core, kNow, asked.request, 2, asked.arena);
  EXPECT_EQ(out.topics[0].partitions[0].error_code, 6);
}

TEST(DescribeQuorum, KnowsOnePartition) {
  auto core = core_of(1);
  Asked topic("x"), partition(kMetadataTopic, 1);
  auto out = describe_quorum(*core, kNow, topic.request, 2, topic.arena);
  EXPECT_EQ(out.topics[0].partitions[0].error_code, 3);
  out = describe_quorum(*core, kNow, partition.request, 2, partition.arena);
  EXPECT_EQ(out.topics[0].partitions[0].error_code, 3);
}

}  // namespace
}  // namespace moldau::raft
