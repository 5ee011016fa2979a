// Requests of the quorum as bytes, and what is answered to them as bytes.
#include "raft/driver_serve.h"

#include <gtest/gtest.h>

#include "log/log_dir.h"
#include "log/test_world.h"
#include "raft/wire_form.h"
#include "wire/frame.h"
#include "wire/messages/describe_quorum.h"

namespace moldau::raft {
namespace {

using host::Env;
using host::Task;
using wire::ApiKey;

constexpr int32_t kCorrelation = 77;

template <class M>
std::vector<uint8_t> body_of(const M& message, int16_t version) {
  Chain out;
  wire::encode(message, version, out);
  return out.flatten();
}

// The answer's message; fails the test if it is none, or to another request.
template <class M>
M message_of(Result<Chain>& answer, int16_t version, Arena& arena, std::vector<uint8_t>& bytes) {
  if (!answer) {
    ADD_FAILURE() << answer.error().to_string();
    return {};
  }
  bytes = answer->flatten();
  Bytes frame = Bytes(bytes).subspan(4);
  Result<int32_t> id = wire::peek_correlation_id(frame);
  EXPECT_TRUE(id && *id == kCorrelation);
  Result<M> message = wire::decode_response<M>(frame, version, arena);
  if (!message) ADD_FAILURE() << message.error().to_string();
  return message ? *message : M();
}

using Play = Task<void> (*)(Env&, Driver&);

Task<void> with_leader(Env& env, Play play) {
  log::LogDirConfig config;
  auto dir = co_await log::LogDir::open(env, "data", config);
  log::LogDir& directory = **dir;
  Driver::Options options;
  options.config.local = {BrokerId(1), Uuid{{1}}};
  options.config.cluster_id = "one";
  options.voters =
      VoterHistory(VoterSet({{{BrokerId(1), {}}, {{"CONTROLLER", "h", 9093}}, 0, 1}}), 0);
  auto opened = co_await Driver::open(env, directory, std::move(options));
  Driver& driver = **opened;
  host::WaitSet changes(env.loop);
  changes.watch(driver.moved());
  while (!driver.core().leading() || !driver.core().leading()->commits())
    co_await changes.wait_until(kNever);
  co_await play(env, driver);
  Result<void> closed = co_await driver.close();
  EXPECT_TRUE(closed);
  opened->reset();
  (void)co_await directory.close(0);
}

void run(Play play) {
  log::TestDisk disk;
  log::TestWorld world(disk);
  EXPECT_TRUE(world.run(with_leader(world.env, play)));
}

Task<void> fetch_some(Env& env, Driver& driver) {
  constexpr int16_t kVersion = 17;
  Arena arena;
  FetchRequest request{"one", {BrokerId(7), {}}, LeaderEpoch(1), {}, Duration(), 1'000, {}};
  std::vector<uint8_t> body = body_of(to_wire(request, kVersion, arena), kVersion), bytes;
  Asked asked{ApiKey::fetch, kVersion, kCorrelation, body};
  Result<Chain> said = co_await answer(env, driver, asked);
  auto message = message_of<wire::FetchResponse>(said, kVersion, arena, bytes);
  EXPECT_EQ(message.error_code, 0);
  EXPECT_EQ(message.responses.size(), 1U);
  if (message.responses.empty()) co_return;
  const auto& partition = message.responses[0].partitions[0];
  EXPECT_EQ(partition.error_code, 0);
  EXPECT_EQ(partition.high_watermark, 1);
  EXPECT_GT(partition.records.bytes.size(), 61U);
}

TEST(RaftServe, AFetchIsAnsweredWithRecords) { run(fetch_some); }

Task<void> ask_of_another_topic(Env& env, Driver& driver) {
  constexpr int16_t kVersion = 2;
  Arena arena;
  VoteRequest vote{"one", {BrokerId(1), {}}, {BrokerId(7), {}}, LeaderEpoch(1), {}, true};
  wire::VoteRequest request = to_wire(vote, arena);
  wire::VoteRequest::TopicData topic = request.topics[0];
  topic.topic_name = "another";
  request.topics = std::span(&topic, 1);
  std::vector<uint8_t> body = body_of(request, kVersion), bytes;
  Asked asked{ApiKey::vote, kVersion, kCorrelation, body};
  Result<Chain> said = co_await answer(env, driver, asked);
  auto message = message_of<wire::VoteResponse>(said, kVersion, arena, bytes);
  EXPECT_EQ(message.error_code, static_cast<int16_t>(ErrorCode::invalid_request));
}

TEST(RaftServe, AVoteAboutAnotherTopicIsInvalid) { run(ask_of_another_topic); }

Task<void> ask_garbage(Env& env, Driver& driver) {
  for (ApiKey key : quorum_apis()) {
    std::vector<uint8_t> body(3, 0x7f);
    Asked asked{key, 0, kCorrelation, body};
    Result<Chain> said = co_await answer(env, driver, asked);
    EXPECT_FALSE(said) << static_cast<int>(key);
  }
}

TEST(RaftServe, GarbageIsAnErrorOfTheConnection) { run(ask_garbage); }

Task<void> describe(Env& env, Driver& driver) {
  constexpr int16_t kVersion = 2;
  Arena arena;
  wire::DescribeQuorumRequest::PartitionData partition;
  wire::DescribeQuorumRequest::TopicData topic{.topic_name = kMetadataTopic,
                                               .partitions = std::span(&partition, 1)};
  wire::DescribeQuorumRequest request{.topics = std::span(&topic, 1)};
  std::vector<uint8_t> body = body_of(request, kVersion), bytes;
  Asked asked{ApiKey::describe_quorum, kVersion, kCorrelation, body};
  Result<Chain> said = co_await answer(env, driver, asked);
  auto message = message_of<wire::DescribeQuorumResponse>(said, kVersion, arena, bytes);
  EXPECT_EQ(message.topics.size(), 1U);
  if (message.topics.empty()) co_return;
  EXPECT_EQ(message.topics[0].partitions[0].leader_id, 1);
  EXPECT_EQ(message.nodes.size(), 1U);
}

TEST(RaftServe, TheQuorumIsDescribed) { run(describe); }

}  // namespace
}  // namespace moldau::raft
