// Loading what a running Kafka wrote, whole and in pieces, and what is damaged.
#include "coordinator/driver_load.h"

#include <gtest/gtest.h>

#include "coordinator/kafka_log_cases.h"

namespace moldau::coordinator {
namespace {

std::vector<uint8_t> kafka_wrote() {
  std::vector<uint8_t> out;
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i < kKafkaWrote.size(); i += 2)
    out.push_back(static_cast<uint8_t>(digit(kKafkaWrote[i]) * 16 + digit(kKafkaWrote[i + 1])));
  return out;
}

void check_what_kafka_meant(group::GroupCore& core) {
  core.loaded({Instant{1}, WallTime{1}});
  const group::State& state = core.state();
  const group::Group* classic = core.group("classic");
  ASSERT_TRUE(classic);
  EXPECT_EQ(classic->phase, group::Phase::stable);
  EXPECT_EQ(classic->generation, 1);
  ASSERT_EQ(classic->members.size(), 1u);
  const group::Member& member = classic->members.begin()->second;
  EXPECT_EQ(member.id, "one-ae0dc8a1-0c42-4348-b769-6918e2926e6b");
  EXPECT_EQ(member.instance, "one");
  EXPECT_EQ(member.client_host, "/127.0.0.1");
  EXPECT_EQ(member.session_timeout, seconds(30));
  EXPECT_EQ(member.rebalance_timeout, seconds(60));
  EXPECT_TRUE(classic->is_leader(member.id));
  EXPECT_EQ(classic->topics, (std::set<std::string, std::less<>>{"t"}));
  EXPECT_EQ(core.describe("classic").members[0].assignment, "assigned");
  EXPECT_EQ(state.offset("classic", "t", 0)->metadata, "five");
  EXPECT_EQ(state.offset("classic", "t", 1)->offset, 6);
  EXPECT_EQ(state.offset("classic", "t", 1)->topic_id.to_string(), "YvunNdMfS6Kqr4IBfHbdtA");
  const group::StoredOffset* simple = state.offset("simple", "t", 0);
  ASSERT_TRUE(simple);
  EXPECT_EQ(*simple->expire_millis - simple->commit_millis, 86'400'000);
  EXPECT_FALSE(core.group("gone"));
  EXPECT_FALSE(core.group("modern")) << "not a classic one";
  const group::ConsumerGroup* modern = state.consumer("modern");
  ASSERT_TRUE(modern);
  EXPECT_EQ(modern->state_name(), "Stable");
  ASSERT_EQ(modern->members.size(), 1u);
  const auto& [id, consumer] = *modern->members.begin();
  EXPECT_EQ(consumer.client_host, "/127.0.0.1");
  EXPECT_EQ(modern->current(id).epoch, modern->target_epoch());
  EXPECT_EQ(group::without_epochs(modern->current(id).assigned), modern->target(id));
  EXPECT_EQ(state.offset("txn", "t", 0)->offset, 110);
  EXPECT_FALSE(state.offset("txn", "t", 1)) << "aborted";
  EXPECT_FALSE(state.offset("txn", "t", 2)) << "not decided";
  EXPECT_FALSE(state.pending("txn", "t", 1));
  EXPECT_TRUE(state.pending("txn", "t", 2));
}

TEST(LoadBatches, UnderstandsWhatKafkaWrote) {
  group::GroupCore core{group::GroupConfig()};
  Loading loading;
  std::vector<uint8_t> bytes = kafka_wrote();
  Result<bool> loaded = load_batches(core, bytes, loading);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ(loading.next, Offset(18));
  EXPECT_EQ(loading.unreadable, 0) << loading.last_error;
  check_what_kafka_meant(core);
}

TEST(LoadBatches, TakesPiecesThatEndAnywhere) {
  std::vector<uint8_t> bytes = kafka_wrote();
  for (size_t cut = 0; cut < bytes.size(); cut += 7) {
    group::GroupCore core{group::GroupConfig()};
    Loading loading;
    ASSERT_TRUE(load_batches(core, Bytes(bytes).first(cut), loading));
    // The rest comes from the batch on in which it stopped, or from the beginning.
    ASSERT_TRUE(load_batches(core, bytes, loading));
    EXPECT_EQ(loading.next, Offset(18));
    check_what_kafka_meant(core);
  }
}

TEST(LoadBatches, SaysWhatIsDamaged) {
  std::vector<uint8_t> bytes = kafka_wrote();
  for (size_t at : {size_t{16}, size_t{80}, bytes.size() - 1}) {
    std::vector<uint8_t> damaged = bytes;
    damaged[at] ^= 1;
    group::GroupCore core{group::GroupConfig()};
    Loading loading;
    EXPECT_FALSE(load_batches(core, damaged, loading)) << at;
  }
}

}  // namespace
}  // namespace moldau::coordinator
