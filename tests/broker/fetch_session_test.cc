// Fetch sessions (KIP-227) from a client's side: an incremental fetch never misses a change.
#include <random>

#include "broker_world.h"

namespace moldau::broker {
namespace {

struct FetchSession : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  void SetUp() override {
    world.start();
    client = std::make_unique<Client>(world);
  }
  void TearDown() override { client.reset(); }
};

// What a consumer knows of a partition, from what it was told so far.
struct Known {
  int64_t offset = 0;  // of its next record
  int64_t high_watermark = -2;
  int64_t log_start = -2;
  int16_t error = -2;
  bool said = false;  // the broker knows its offset
  bool operator==(const Known&) const = default;
};

// A consumer with a session, as the Java client keeps one.
class Consumer {
 public:
  explicit Consumer(BrokerWorld& world) : client_(world) {}
  void want(int32_t partition) {
    // What is named and forgotten in one request is forgotten.
    if (std::ranges::find(forgotten_, partition) != forgotten_.end()) poll();
    wanted_.emplace(partition, Known{});
  }
  void forget(int32_t partition) {
    if (wanted_.erase(partition) > 0) forgotten_.push_back(partition);
  }
  void poll() {
    FetchSpec spec{.partitions = {}, .session_id = session_, .session_epoch = epoch_};
    for (auto& [index, known] : wanted_) {
      if (epoch_ > 0 && known.said) continue;
      spec.partitions.push_back({.index = index, .offset = known.offset});
      known.said = true;
    }
    if (epoch_ > 0) spec.forgotten = forgotten_;
    forgotten_.clear();
    FetchReply reply = client_.fetch(spec);
    ASSERT_EQ(reply.error, 0);
    session_ = reply.session_id;
    epoch_ = session_ == 0 ? 0 : epoch_ + 1;
    told_ += reply.partitions.size();
    for (const Fetched& one : reply.partitions) hear(one);
  }
  const std::map<int32_t, Known>& known() const { return wanted_; }
  size_t told() const { return told_; }

 private:
  void hear(const Fetched& one) {
    auto found = wanted_.find(one.index);
    ASSERT_NE(found, wanted_.end()) << "told of " << one.index << ", which was forgotten";
    Known& known = found->second;
    known.error = one.error;
    known.high_watermark = one.high_watermark;
    known.log_start = one.log_start;
    if (one.error == 1) known.offset = client_.offset("t", -2, one.index).offset;  // the earliest
    if (!one.records.empty()) known.offset = one.high_watermark;
    known.said = one.error == 0 && one.records.empty();
  }
  Client client_;
  std::map<int32_t, Known> wanted_;
  std::vector<int32_t> forgotten_;
  int32_t session_ = 0;
  int32_t epoch_ = 0;
  size_t told_ = 0;
};

// Without a session: all there is.
std::map<int32_t, Fetched> whole_truth(Client& client, const std::map<int32_t, Known>& wanted) {
  FetchSpec spec{.partitions = {}};
  for (const auto& [index, known] : wanted)
    spec.partitions.push_back({.index = index, .offset = known.offset});
  std::map<int32_t, Fetched> truth;
  for (const Fetched& one : client.fetch(spec).partitions) truth[one.index] = one;
  return truth;
}

TEST_F(FetchSession, NeverMissesAChange) {
  constexpr int32_t kPartitions = 6;
  for (uint32_t seed = 1; seed <= 12; seed++) {
    std::mt19937 random(seed);
    auto below = [&](uint32_t n) { return static_cast<int32_t>(random() % n); };
    BrokerWorld busy(seed);
    busy.start();
    Client other(busy);
    other.create("t", kPartitions);
    Consumer consumer(busy);
    for (int step = 0; step < 120; step++) {
      int32_t partition = below(kPartitions + 1);  // the last one does not exist
      switch (below(8)) {
        case 0:
        case 1:
          other.produce("t", {.records = 1 + below(3)}, partition);
          break;
        case 2:
          consumer.want(partition);
          break;
        case 3:
          if (below(3) == 0) consumer.forget(partition);
          break;
        case 4:
          if (below(3) == 0)
            other.call(api::kDeleteRecords, 1, delete_records_request("t", {{partition, -1}}));
          break;
        default:
          consumer.poll();
      }
    }
    for (int i = 0; i < 3; i++) consumer.poll();  // offsets that were wrong are put right
    std::map<int32_t, Fetched> truth = whole_truth(other, consumer.known());
    ASSERT_EQ(truth.size(), consumer.known().size());
    for (const auto& [index, known] : consumer.known()) {
      EXPECT_EQ(known.error, truth[index].error) << "seed " << seed << " partition " << index;
      EXPECT_EQ(known.high_watermark, truth[index].high_watermark) << seed << " " << index;
      EXPECT_EQ(known.log_start, truth[index].log_start) << seed << " " << index;
      EXPECT_TRUE(truth[index].records.empty()) << "seed " << seed << ": there is more to read";
    }
  }
}

TEST_F(FetchSession, SaysNothingOfPartitionsThatRest) {
  client->create("t", 50);
  Consumer consumer(world);
  for (int32_t i = 0; i < 50; i++) consumer.want(i);
  consumer.poll();
  EXPECT_EQ(consumer.told(), 50u);
  for (int i = 0; i < 10; i++) consumer.poll();
  EXPECT_EQ(consumer.told(), 50u);
  EXPECT_EQ(client->produce("t", {}, 17).error, 0);
  consumer.poll();
  EXPECT_EQ(consumer.told(), 51u);
}

TEST_F(FetchSession, WaitsAndWakesForAPartitionThatWasNamedLongAgo) {
  client->create("t", 3);
  Client consumer(world);
  FetchReply first = consumer.fetch({.partitions = {{0}, {1}, {2}}, .session_epoch = 0});
  EXPECT_GT(first.session_id, 0);
  consumer.send(api::kFetch, 11,
                FetchSpec{.partitions = {},
                          .max_wait_ms = 60'000,
                          .session_id = first.session_id,
                          .session_epoch = 1}
                    .bytes());
  world.run_for(milliseconds(50));
  EXPECT_FALSE(consumer.has_reply());
  EXPECT_EQ(client->produce("t", {}, 2).error, 0);
  std::optional<In> reply = consumer.reply(seconds(1));
  ASSERT_TRUE(reply);
  FetchReply fetched = read_fetched(*reply);
  EXPECT_EQ(fetched.session_id, first.session_id);
  ASSERT_EQ(fetched.partitions.size(), 1u);
  EXPECT_EQ(fetched.partitions[0].index, 2);
  EXPECT_FALSE(fetched.partitions[0].records.empty());
}

TEST_F(FetchSession, EndsWithTheBroker) {
  client->create("t");
  FetchReply first = client->fetch({.session_epoch = 0});
  client.reset();
  world.restart();
  client = std::make_unique<Client>(world);
  EXPECT_EQ(client->fetch({.session_id = first.session_id, .session_epoch = 1}).error, 70);
}

TEST_F(FetchSession, IsNotBegunWithoutSlots) {
  client->create("t");
  client.reset();
  world.config.fetch_sessions = 0;
  world.restart();
  client = std::make_unique<Client>(world);
  FetchReply first = client->fetch({.session_epoch = 0});
  EXPECT_EQ(first.session_id, 0);
  EXPECT_EQ(first.partitions.size(), 1u);
}

}  // namespace
}  // namespace moldau::broker
