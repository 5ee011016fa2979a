// A topic's own settings: what may be, what they do, and that they are kept.
#include "broker/topic_config.h"
#include "broker/settings.h"

#include <gtest/gtest.h>

#include <cmath>

#include "broker/config_entries.h"
#include "broker_world.h"

namespace moldau::broker {
namespace {

using wire::ErrorCode;
using Kind = ConfigChange::Kind;

std::string fault_of(const std::string& name, const std::string& value) {
  return topic_config_fault({{name, value}}).text;
}

TEST(TopicConfig, SaysWhatIsWrongAsKafkaDoes) {
  EXPECT_EQ(fault_of("nope", "1"), "Unknown topic config name: nope");
  EXPECT_EQ(fault_of("retention.ms", "soon"),
            "Invalid value soon for configuration retention.ms: Not a number of type LONG");
  EXPECT_EQ(fault_of("segment.bytes", "3"),
            "Invalid value 3 for configuration segment.bytes: Value must be at least 1048576");
  EXPECT_EQ(fault_of("min.cleanable.dirty.ratio", "2"),
            "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more "
            "than 1");
  EXPECT_EQ(fault_of("cleanup.policy", "burn"),
            "Invalid value burn for configuration cleanup.policy: String must be one of: compact, "
            "delete");
  EXPECT_EQ(
      topic_config_fault({{"min.compaction.lag.ms", "9"}, {"max.compaction.lag.ms", "8"}}).text,
      "conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (8)");
  EXPECT_EQ(fault_of("cleanup.policy", ""), "");
  EXPECT_EQ(fault_of("retention.ms", " 5 "), "");
}

// The least and the most of every number: what is taken must also be understood.
TEST(TopicConfig, EveryNumberThatIsTakenIsOneThatThePolicyCanBeMadeOf) {
  for (const TopicKey& key : topic_keys()) {
    if (key.domain.kind != KeyDomain::Kind::range || key.type == KeyType::f64) continue;
    double most = key.type == KeyType::i32 ? 0x7fffffff : 0x1p53;
    for (double value : {key.domain.least, std::min(key.domain.most, most)}) {
      std::string text = fmt::format("{:.0f}", value);
      ASSERT_EQ(fault_of(std::string(key.name), text), "");
      std::vector<std::string_view> known = setting_names();
      if (key.synonyms.empty() || std::ranges::find(known, key.first_synonym()) == known.end())
        continue;
      BrokerConfig config;
      for (const std::string& form : {text, "+" + text}) {
        if (form.starts_with("+-")) continue;
        Result<void> applied = apply_settings({{std::string(key.first_synonym()), form}}, config);
        EXPECT_TRUE(applied) << key.name << ": " << applied.error().text();
      }
    }
  }
}

TEST(TopicConfig, GivesTheLogItsRules) {
  BrokerConfig broker;
  broker.log.retention.bytes = 77;
  TopicPolicy policy = topic_policy(broker, {{"cleanup.policy", "compact, delete"},
                                             {"retention.ms", " 60000 "},
                                             {"segment.bytes", "2000000"},
                                             {"segment.ms", "5000"},
                                             {"segment.index.bytes", "4096"},
                                             {"index.interval.bytes", "100"},
                                             {"min.compaction.lag.ms", "3"},
                                             {"max.compaction.lag.ms", "4"},
                                             {"delete.retention.ms", "6"},
                                             {"min.cleanable.dirty.ratio", "0.25"},
                                             {"file.delete.delay.ms", "9"},
                                             {"max.message.bytes", "1000"},
                                             {"message.timestamp.type", "LogAppendTime"},
                                             {"message.timestamp.after.max.ms", "8"},
                                             {"message.timestamp.before.max.ms", "7"}});
  EXPECT_TRUE(policy.log.clean.compact);
  EXPECT_TRUE(policy.log.retention.delete_old);
  EXPECT_EQ(policy.log.retention.millis, 60000);
  EXPECT_EQ(policy.log.retention.bytes, 77) << "the broker's";
  EXPECT_EQ(policy.log.segment_bytes, 2'000'000);
  EXPECT_EQ(policy.log.segment_millis, 5000);
  EXPECT_EQ(policy.log.segment_index_bytes, 4096);
  EXPECT_EQ(policy.log.index_interval_bytes, 100);
  EXPECT_EQ(policy.log.clean.min_lag_millis, 3);
  EXPECT_EQ(policy.log.clean.max_lag_millis, 4);
  EXPECT_EQ(policy.log.clean.delete_retention_millis, 6);
  EXPECT_EQ(policy.log.clean.min_dirty_ratio, 0.25);
  EXPECT_EQ(policy.log.delete_delay, milliseconds(9));
  EXPECT_EQ(policy.max_message_bytes, 1000);
  EXPECT_EQ(policy.rules.timestamp_type, wire::TimestampType::log_append_time);
  EXPECT_EQ(policy.rules.timestamp_after_max_millis, 8);
  EXPECT_EQ(policy.rules.timestamp_before_max_millis, 7);
}

TEST(TopicConfig, ALevelIsOfTheCodecThatCounts) {
  BrokerConfig broker;
  broker.given = {{"compression.type", "gzip"}, {"compression.gzip.level", "2"}};
  broker.topic.codec = wire::Codec::gzip;
  broker.topic.compression_level = 2;
  TopicPolicy zstd = topic_policy(broker, {{"compression.type", "zstd"}});
  EXPECT_EQ(zstd.rules.codec, wire::Codec::zstd);
  EXPECT_FALSE(zstd.rules.compression_level);
  TopicPolicy better = topic_policy(broker, {{"compression.gzip.level", "9"}});
  EXPECT_EQ(better.rules.codec, wire::Codec::gzip);
  EXPECT_EQ(better.rules.compression_level, 9);
  EXPECT_EQ(topic_policy(broker, {{"retention.ms", "1"}}).rules.compression_level, 2);
}

TEST(TopicConfig, ChangesAreMadeAllOrNone) {
  BrokerConfig broker;
  ConfigMap own{{"retention.ms", "1"}};
  auto change = [&](std::vector<ConfigChange> changes) {
    return change_topic_config(broker, changes, own).text;
  };
  EXPECT_EQ(change({{"cleanup.policy", Kind::append, "compact"}}), "");
  EXPECT_EQ(own["cleanup.policy"], "delete,compact") << "it begins as the broker's";
  EXPECT_EQ(change({{"cleanup.policy", Kind::append, "compact"}}), "");
  EXPECT_EQ(change({{"cleanup.policy", Kind::subtract, "delete"}}), "");
  EXPECT_EQ(own["cleanup.policy"], "compact");
  EXPECT_NE(change({{"retention.ms", Kind::set, "2"}, {"segment.bytes", Kind::set, "1"}}), "");
  EXPECT_EQ(own["retention.ms"], "1");
  EXPECT_EQ(change({{"retention.ms", Kind::append, "2"}}),
            "Can't APPEND to key retention.ms because its type is not LIST.");
  EXPECT_EQ(change({{"retention.ms", Kind::remove, std::nullopt}}), "");
  EXPECT_FALSE(own.contains("retention.ms"));
}

TEST(TopicConfig, ADefaultIsShownInTheUnitOfTheTopic) {
  BrokerConfig broker;
  const TopicKey& key = *find_topic_key("retention.ms");
  EXPECT_EQ(broker_value(broker, key), "604800000");
  broker.given["log.retention.hours"] = "2";
  EXPECT_EQ(broker_value(broker, key), "7200000");
  broker.given["log.retention.minutes"] = "3";
  EXPECT_EQ(broker_value(broker, key), "180000");
  broker.given["log.retention.ms"] = "-1";
  EXPECT_EQ(broker_value(broker, key), "-1");
}

constexpr int16_t kIncrementalAlterConfigs = 44;

struct TopicConfigWorld : testing::Test {
  BrokerWorld world;
  std::unique_ptr<Client> client;
  void SetUp() override { again(); }
  void TearDown() override { client.reset(); }
  void again() {
    client.reset();
    if (world.server) EXPECT_TRUE(world.stop());
    world.start();
    client = std::make_unique<Client>(world);
  }
  // Version 2 of CreateTopics, one setting.
  int16_t create(std::string_view name, std::string_view key, std::string_view value) {
    Out body;
    body.i32(1).text(name).i32(1).i16(1).i32(0).i32(1).text(key).text(value).i32(1000).i8(0);
    In reply = client->call(api::kCreateTopics, 2, body.bytes());
    (void)reply.i32();
    (void)reply.i32();
    (void)reply.text();
    return reply.i16();
  }
};

// Version 0 of IncrementalAlterConfigs: one key of one topic.
TEST_F(TopicConfigWorld, AnAlterationTakesEffectOnTheOpenLog) {
  world.config.maintenance.retention_check = seconds(1);
  world.config.log.retention.millis = -1;
  world.config.log.segment_bytes = 1000;
  again();
  client->create("t");
  client->create("other");
  for (int i = 0; i < 10; i++) {
    EXPECT_EQ(client->produce("t", {.value_size = 200}).error, 0);
    EXPECT_EQ(client->produce("other", {.value_size = 200}).error, 0);
  }
  world.run_for(seconds(60));
  EXPECT_EQ(client->offset("t", -2).offset, 0);
  Out body;
  body.i32(1).i8(2).text("t").i32(1).text("retention.ms").i8(0).text("1000").i8(0);
  In reply = client->call(kIncrementalAlterConfigs, 0, body.bytes());
  (void)reply.i32();
  (void)reply.i32();
  EXPECT_EQ(reply.i16(), 0);
  world.run_for(seconds(60));
  EXPECT_GT(client->offset("t", -2).offset, 0);
  EXPECT_EQ(client->offset("other", -2).offset, 0);
}

TEST_F(TopicConfigWorld, ATopicThatBecomesCompactIsCleaned) {
  world.config.cleaner.backoff = seconds(1);
  world.config.log.segment_bytes = 1000;
  world.config.log.clean.min_dirty_ratio = 0.01;
  again();
  client->create("t");
  for (int i = 0; i < 20; i++)
    EXPECT_EQ(client->produce("t", {.value_size = 200, .key = "k"}).error, 0);
  size_t before = client->fetch({.topic = "t"}).partitions.at(0).records.size();
  Out body;
  body.i32(1).i8(2).text("t").i32(1).text("cleanup.policy").i8(0).text("compact").i8(0);
  In reply = client->call(kIncrementalAlterConfigs, 0, body.bytes());
  (void)reply.i32();
  (void)reply.i32();
  EXPECT_EQ(reply.i16(), 0);
  world.run_for(seconds(60));
  EXPECT_LT(client->fetch({.topic = "t"}).partitions.at(0).records.size(), before / 2);
}

TEST_F(TopicConfigWorld, EachTopicGoesByItsOwnAlsoAfterARestart) {
  constexpr int16_t kTooLarge = 10;
  ASSERT_EQ(create("small", "max.message.bytes", " 100 "), 0);
  ASSERT_EQ(create("usual", "retention.ms", "100"), 0);
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(client->produce("small", {.value_size = 200}).error, kTooLarge);
    EXPECT_EQ(client->produce("usual", {.value_size = 200}).error, 0);
    again();
  }
}

}  // namespace
}  // namespace moldau::broker
