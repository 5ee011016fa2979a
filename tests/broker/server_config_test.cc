// Kafka's server.properties as we read it.
#include "broker/server_config.h"

#include <gtest/gtest.h>

#include "broker/broker_keys.h"

namespace moldau::broker {
namespace {

// What Kafka's own config/server.properties says, in short, with `more` behind it.
Properties file(std::string_view more = "") {
  std::string text =
      "process.roles=broker,controller\n"
      "node.id=7\n"
      "controller.quorum.bootstrap.servers=localhost:9093\n"
      "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n"
      "controller.listener.names=CONTROLLER\n"
      "log.dirs=/a, /b\n";
  text += more;
  return *Properties::parse(text, "server.properties");
}

ServerConfig read(std::string_view more) {
  Result<ServerConfig> config = read_server_config(file(more));
  EXPECT_TRUE(config) << config.error().text();
  return config ? *config : ServerConfig();
}

std::string refused(std::string_view more) {
  Result<ServerConfig> config = read_server_config(file(more));
  return config ? "" : config.error().text();
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(ServerConfig, ReadsKafkasOwn) {
  ServerConfig config = read("num.partitions=3\nlog.retention.hours=2\nmoldau.flush=async\n");
  EXPECT_EQ(config.broker.node_id, BrokerId(7));
  EXPECT_EQ(config.listen, (host::HostPort{"", 9092}));
  EXPECT_EQ(config.broker.log_dirs, (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(config.broker.num_partitions, 3);
  EXPECT_EQ(config.broker.log.retention.millis, 7'200'000);
  EXPECT_EQ(config.broker.log.flush, log::Flush::async);
}

TEST(ServerConfig, ClientsAreToldWhatIsAdvertised) {
  ServerConfig config =
      read("advertised.listeners=CONTROLLER://c:1,PLAINTEXT://here.example:19092\n");
  EXPECT_EQ(config.broker.advertised_host, "here.example");
  EXPECT_EQ(config.broker.advertised_port, 19092);
  EXPECT_TRUE(has(refused("advertised.listeners=PLAINTEXT://0.0.0.0:9092\n"), "cannot connect"));
}

TEST(ServerConfig, ANameOfALoneListenerMayBeAnyIfItIsMapped) {
  std::string_view lone = "listeners=OUTSIDE://:9092,CONTROLLER://:9093\n";
  EXPECT_TRUE(has(refused(lone), "does not say what OUTSIDE is"));
  std::string mapped =
      std::string(lone) + "listener.security.protocol.map=OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT\n";
  EXPECT_EQ(read(mapped).listen.port, 9092);
  std::string secret = std::string(lone) + "listener.security.protocol.map=OUTSIDE:SSL\n";
  EXPECT_TRUE(has(refused(secret), "SSL is not there yet"));
}

TEST(ServerConfig, AnUnknownKeyIsRefusedWithTheNearest) {
  std::string text = refused("num.partitons=3\n");
  EXPECT_TRUE(has(text, "num.partitons (server.properties:7)")) << text;
  EXPECT_TRUE(has(text, "did you mean num.partitions?")) << text;
}

TEST(ServerConfig, SaysAllThatIsWrongAtOnce) {
  std::string text = refused("num.partitions=0\nlog.cleaner.enable=yes\ncompression.type=rar\n");
  EXPECT_TRUE(
      has(text, "num.partitions=0 (server.properties:7): it takes a whole number from 1 on"));
  EXPECT_TRUE(has(text, "log.cleaner.enable=yes (server.properties:8): it takes true or false"));
  EXPECT_TRUE(has(text, "it takes one of uncompressed,zstd,lz4,snappy,gzip,producer"));
}

TEST(ServerConfig, WhatWouldBeUnsafeToLeaveOutEndsTheStart) {
  EXPECT_TRUE(has(
      refused("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"),
      "not there yet"));
  EXPECT_EQ(refused("authorizer.class.name=\n"), "");
}

TEST(ServerConfig, SecretsAreNotPrinted) {
  const BrokerKey* key = find_broker_key("ssl.key.password");
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->type, KeyType::password);
  std::string text = refused("ssl.key.password=hunter2\nnum.partitions=x\n");
  EXPECT_FALSE(has(text, "hunter2"));
}

TEST(ServerConfig, MentionsWhatHasNoEffect) {
  ServerConfig config =
      read("num.io.threads=16\nnum.network.threads=3\nreplica.lag.time.max.ms=5\n");
  ASSERT_EQ(config.notices.size(), 2u);
  EXPECT_TRUE(has(config.notices[0], "num.io.threads"));
  EXPECT_FALSE(has(config.notices[0], "num.network.threads"));  // that is the default
  EXPECT_TRUE(has(config.notices[1], "replica.lag.time.max.ms"));
}

TEST(ServerConfig, ANodeIsBothUntilItCanBeLess) {
  EXPECT_TRUE(has(refused("process.roles=broker\n"), "broker,controller"));
  EXPECT_TRUE(has(read_server_config(Properties()).error().text(), "process.roles is missing"));
}

TEST(ServerConfig, KeysMayBeForOneListener) {
  EXPECT_TRUE(is_server_key("listener.name.internal.ssl.keystore.location"));
  EXPECT_TRUE(is_server_key("listener.name.internal.scram-sha-256.sasl.jaas.config"));
  EXPECT_FALSE(is_server_key("listener.name.internal.keystore"));
}

TEST(ServerConfig, SpaceAndCapitalsAreNoPartOfAValue) {
  ServerConfig config = read(
      "auto.create.topics.enable=TRUE \ndelete.topic.enable=False\nnum.partitions=+3 \n"
      "log.cleanup.policy=delete , compact\nlog.cleaner.enable=True\nlog.retention.ms=+5\t\n"
      "compression.type=zstd \nadvertised.listeners=PLAINTEXT://here:1 \n");
  EXPECT_TRUE(config.broker.auto_create_topics);
  EXPECT_FALSE(config.broker.delete_topics);
  EXPECT_EQ(config.broker.num_partitions, 3);
  EXPECT_TRUE(config.broker.log.clean.compact && config.broker.log.retention.delete_old);
  EXPECT_EQ(config.broker.log.retention.millis, 5);
  EXPECT_EQ(config.broker.topic.codec, wire::Codec::zstd);
  EXPECT_EQ(config.broker.advertised_port, 1);
}

TEST(ServerConfig, ListenersAreNamedOnce) {
  EXPECT_EQ((*parse_listeners("a://[::1]:1 , B://h:2"))[0], (Listener{"A", {"::1", 1}}));
  for (std::string_view bad :
       {"", "x", "A://h", "A://:1,a://:2", "A://:1,B://:1", "://h:1", "A://h:70000"})
    EXPECT_FALSE(parse_listeners(bad)) << bad;
}

TEST(BrokerKeys, AreSortedByName) {
  auto keys = broker_keys();
  ASSERT_EQ(keys.size(), 360u);
  for (size_t i = 1; i < keys.size(); i++) EXPECT_LT(keys[i - 1].name, keys[i].name);
  EXPECT_EQ(find_broker_key("no.such"), nullptr);
}

TEST(BrokerKeys, TheirDefaultsAreValues) {
  for (const BrokerKey& key : broker_keys()) {
    if (!key.standard || key.required()) continue;
    Result<void> good = check_value(key, key.standard);
    bool empty_list = key.type == KeyType::list && std::string_view(key.standard).empty();
    EXPECT_TRUE(good || empty_list) << key.name << ": " << good.error().text();
  }
}

TEST(BrokerKeys, ValuesAreChecked) {
  struct Row {
    const char *key, *value;
    bool good;
  };
  for (Row row :
       {Row{"num.partitions", "1", true}, Row{"num.partitions", "2147483648", false},
        Row{"num.partitions", "1.5", false}, Row{"num.partitions", "+4", true},
        Row{"log.retention.ms", "-1", true}, Row{"log.retention.ms", "9223372036854775808", false},
        Row{"log.cleaner.min.cleanable.ratio", "0.25", true},
        Row{"log.cleaner.min.cleanable.ratio", "1.01", false},
        Row{"compression.gzip.level", "-1", true}, Row{"compression.gzip.level", "0", false},
        Row{"log.cleanup.policy", "delete, compact", true},
        Row{"log.cleanup.policy", "delete,shred", false}, Row{"log.cleanup.policy", "", true},
        Row{"group.consumer.migration.policy", "Upgrade", true},
        Row{"auto.create.topics.enable", "TRUE", true},
        Row{"auto.create.topics.enable", "1", false}})
    EXPECT_EQ(check_value(*find_broker_key(row.key), row.value).has_value(), row.good)
        << row.key << "=" << row.value;
}

}  // namespace
}  // namespace moldau::broker
