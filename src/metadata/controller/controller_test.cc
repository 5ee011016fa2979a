// The controller's decisions, each carried out as its records say: what they did to the cluster.
#include <gtest/gtest.h>

#include "metadata/controller/activation.h"
#include "metadata/controller/availability.h"
#include "metadata/controller/broker_heartbeat.h"
#include "metadata/controller/broker_registration.h"
#include "metadata/controller/settings.h"
#include "metadata/controller/topics.h"
#include "metadata/delta.h"
#include "metadata/features.h"
#include "metadata/record.h"

namespace moldau::metadata {
namespace {

using wire::ErrorCode;

Uuid directory(int32_t broker) { return Uuid{{static_cast<uint8_t>(100 + broker)}}; }
Uuid incarnation(int32_t broker, int life) {
  return Uuid{{static_cast<uint8_t>(broker), static_cast<uint8_t>(life)}};
}

// A controller without a log: what is decided is carried out at once.
struct Cluster : testing::Test {
  ControllerSettings settings{.node = BrokerId(9), .cluster_id = "c"};
  Delta delta{Image()};
  Sessions sessions{seconds(9)};
  Instant now{1};
  int64_t next = 0;  // offset

  Cluster() {
    Features features = default_features(kLatestMetadataVersion);
    for (const Records& batch :
         activation_records(settings, {.empty = true, .bootstrap = features}))
      carry_out(batch);
  }
  View view() const { return {delta.image(), settings}; }
  const Image& image() const { return delta.image(); }
  void carry_out(const Records& records) {
    for (const Record& record : records) {
      Result<void> done = delta.replay(record);
      ASSERT_TRUE(done) << done.error().to_string();
      next++;
    }
  }
  template <class Request>
  auto ask(const Request& request) {
    auto decision = decide(view(), request);
    EXPECT_TRUE(decision.reply.good() || decision.records.empty());
    carry_out(decision.records);
    return decision.reply;
  }
  BrokerRegistered join(int32_t id, int life = 1, int64_t previous = -1,
                        const char* rack = nullptr) {
    RegisterBroker wanted{.broker = {.id = BrokerId(id),
                                     .incarnation = incarnation(id, life),
                                     .features = supported_features(),
                                     .log_dirs = {directory(id)}},
                          .cluster_id = "c",
                          .previous_epoch = previous};
    if (rack) wanted.broker.rack = rack;
    auto decision = decide(view(), sessions, wanted, Offset(next), now);
    carry_out(decision.records);
    return decision.reply;
  }
  BrokerState beat(int32_t id, bool stop = false, bool fence = false) {
    auto at = image().brokers->find(BrokerId(id));
    BrokerHeartbeat heartbeat{.broker = BrokerId(id),
                              .epoch = at == image().brokers->end() ? -1 : at->second.epoch,
                              .metadata_offset = next,
                              .want_fence = fence,
                              .want_shutdown = stop};
    auto decision = decide(view(), sessions, heartbeat);
    if (decision.reply.good()) sessions.touch(BrokerId(id), heartbeat.epoch, next, now);
    carry_out(decision.records);
    if (decision.reply.shutdown_began) sessions.begin_shutdown(BrokerId(id), next);
    return decision.reply;
  }
  void up(int32_t id, const char* rack = nullptr) {
    ASSERT_EQ(join(id, 1, -1, rack).error, ErrorCode::none);
    ASSERT_FALSE(beat(id).fenced);
  }
  // A topic whose partition 0 has these replicas.
  void topic(const std::string& name, std::vector<int32_t> replicas) {
    CreateTopic wanted{.name = name, .id = id_of(name), .assignment = {std::move(replicas)}};
    TopicCreated made = ask(wanted);
    ASSERT_EQ(made.error, ErrorCode::none) << made.text;
  }
  static Uuid id_of(const std::string& name) { return Uuid{{77, static_cast<uint8_t>(name[0])}}; }
  Partition of(const std::string& name, int32_t index = 0) const {
    return image().topics->find(name)->partitions.at(index);
  }
  using List = std::vector<int32_t>;
  void expect(const std::string& name, int32_t leader, const List& isr, const List& elr,
              int32_t leader_epoch) {
    Partition one = of(name);
    EXPECT_EQ(one.leader, leader) << name;
    EXPECT_EQ(one.isr, isr) << name;
    EXPECT_EQ(one.elr, elr) << name;
    EXPECT_EQ(one.leader_epoch, leader_epoch) << name;
  }
};

// --- Brokers ---

TEST_F(Cluster, ABrokerIsFencedUntilItHasReadItsRegistration) {
  BrokerRegistered us = join(1);
  EXPECT_EQ(us.epoch, next - 1);
  EXPECT_TRUE(image().brokers->at(BrokerId(1)).fenced);
  BrokerHeartbeat early{.broker = BrokerId(1), .epoch = us.epoch, .metadata_offset = us.epoch - 1};
  EXPECT_TRUE(decide(view(), sessions, early).reply.fenced);
  EXPECT_FALSE(beat(1).fenced);
  EXPECT_FALSE(image().brokers->at(BrokerId(1)).fenced);
  EXPECT_TRUE(decide(view(), sessions, {.broker = BrokerId(1), .epoch = us.epoch}).records.empty())
      << "nothing is written while nothing changes";
}

TEST_F(Cluster, ARegistrationIsRefused) {
  up(1);
  struct Case {
    ErrorCode error;
    std::function<void(RegisterBroker&)> change;
  };
  const Case cases[] = {
      {ErrorCode::none, [](auto&) {}},
      {ErrorCode::inconsistent_cluster_id, [](auto& r) { r.cluster_id = "d"; }},
      {ErrorCode::unsupported_version,
       [](auto& r) { r.broker.features["metadata.version"] = {7, 29}; }},
      {ErrorCode::unsupported_version, [](auto& r) { r.broker.features.erase("group.version"); }},
      {ErrorCode::invalid_registration, [](auto& r) { r.broker.log_dirs.clear(); }},
      {ErrorCode::invalid_registration, [](auto& r) { r.broker.log_dirs = {kLostDirectory}; }},
      {ErrorCode::invalid_registration, [](auto& r) { r.broker.log_dirs = {directory(1)}; }},
      {ErrorCode::invalid_registration,
       [](auto& r) { r.broker.log_dirs = {directory(2), directory(2)}; }},
      {ErrorCode::duplicate_broker_registration, [](auto& r) { r.broker.id = BrokerId(1); }},
  };
  for (const Case& one : cases) {
    RegisterBroker wanted{.broker = {.id = BrokerId(2),
                                     .incarnation = incarnation(2, 1),
                                     .features = supported_features(),
                                     .log_dirs = {directory(2)}},
                          .cluster_id = "c"};
    one.change(wanted);
    auto decision = decide(view(), sessions, wanted, Offset(next), now);
    EXPECT_EQ(decision.reply.error, one.error) << decision.reply.text;
    EXPECT_EQ(decision.records.empty(), one.error != ErrorCode::none);
  }
}

TEST_F(Cluster, AnotherIncarnationWaitsForTheSessionToEnd) {
  up(1);
  EXPECT_EQ(join(1, 2).error, ErrorCode::duplicate_broker_registration);
  now = now + seconds(9);
  EXPECT_EQ(sessions.expired(now).size(), 1u);
  EXPECT_EQ(join(1, 2).error, ErrorCode::none);
}

TEST_F(Cluster, TheSameIncarnationMayAskAgain) {
  up(1);
  topic("a", {1});
  int64_t epoch = image().brokers->at(BrokerId(1)).epoch;
  BrokerRegistered again = join(1);
  EXPECT_EQ(again.epoch, epoch);
  EXPECT_FALSE(image().brokers->at(BrokerId(1)).fenced);
  expect("a", 1, {1}, {}, 0);
}

TEST_F(Cluster, AnOldEpochIsNotHeard) {
  up(1);
  BrokerHeartbeat old{.broker = BrokerId(1), .epoch = 0, .metadata_offset = next};
  EXPECT_EQ(decide(view(), sessions, old).reply.error, ErrorCode::stale_broker_epoch);
  old.broker = BrokerId(5);
  EXPECT_EQ(decide(view(), sessions, old).reply.error, ErrorCode::broker_id_not_registered);
  EXPECT_EQ(ask(AllocateProducerIds{BrokerId(1), 0}).error, ErrorCode::stale_broker_epoch);
}

// --- Availability; the numbers are those of Kafka 4.3.1's controller with one broker ---

TEST_F(Cluster, AStopInOrderOfTheOnlyReplicaLeavesItEligible) {
  up(1);
  topic("a", {1});
  EXPECT_FALSE(beat(1, true).may_stop);
  expect("a", kNoLeader, {}, {1}, 1);
  EXPECT_EQ(of("a").last_known_elr, List({1}));
  EXPECT_TRUE(image().brokers->at(BrokerId(1)).in_controlled_shutdown);
  BrokerState state = beat(1, true);
  EXPECT_TRUE(state.may_stop);
  EXPECT_TRUE(image().brokers->at(BrokerId(1)).fenced);
  int64_t epoch = image().brokers->at(BrokerId(1)).epoch;
  join(1, 2, epoch);
  beat(1);
  expect("a", 1, {1}, {}, 2);
  EXPECT_TRUE(of("a").last_known_elr.empty());
  EXPECT_EQ(of("a").recovery_state, 0);
}

TEST_F(Cluster, ACrashOfTheOnlyReplicaIsRecoveredFrom) {
  up(1);
  topic("a", {1});
  carry_out(fence_silent(view(), BrokerId(1)));
  expect("a", kNoLeader, {}, {1}, 1);
  now = now + seconds(9);
  join(1, 2, -1);
  expect("a", kNoLeader, {}, {}, 1);
  EXPECT_EQ(of("a").last_known_elr, List({1}));
  beat(1);
  expect("a", 1, {1}, {}, 2);
  EXPECT_EQ(of("a").recovery_state, 1);
  EXPECT_TRUE(of("a").last_known_elr.empty());
}

TEST_F(Cluster, TheLeaderMovesWithTheBrokers) {
  for (int32_t id : {1, 2, 3}) up(id);
  topic("a", {1, 2, 3});
  topic("b", {2, 3});
  carry_out(fence_silent(view(), BrokerId(1)));
  expect("a", 2, {2, 3}, {}, 1);
  expect("b", 2, {2, 3}, {}, 0);
  EXPECT_EQ(of("b").partition_epoch, 0) << "what it has no part in is not touched";
  carry_out(fence_silent(view(), BrokerId(2)));
  expect("a", 3, {3}, {}, 2);
  beat(2);
  expect("a", 3, {3}, {}, 2);
  EXPECT_EQ(of("a").isr, List({3})) << "who comes back catches up before it is in sync";
}

TEST_F(Cluster, WhoLeftBelowTheMinimumMayLead) {
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  ask(ChangeConfigs{{kTopicResource, "a"}, {{kMinIsr, "2"}}});
  carry_out(fence_silent(view(), BrokerId(1)));
  expect("a", 2, {2}, {1}, 1);
  carry_out(fence_silent(view(), BrokerId(2)));
  expect("a", kNoLeader, {}, {1, 2}, 2);
  beat(1);
  expect("a", 1, {1}, {2}, 3);
  EXPECT_EQ(of("a").recovery_state, 0) << "it has everything that was committed";
}

TEST_F(Cluster, WithoutEligibleReplicasTheLastOneStaysInSync) {
  ask(UpdateFeatures{
      {{"eligible.leader.replicas.version", 0, FeatureUpdate::Kind::safe_downgrade}}});
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  carry_out(fence_silent(view(), BrokerId(1)));
  carry_out(fence_silent(view(), BrokerId(2)));
  expect("a", kNoLeader, {2}, {}, 2);
  beat(1);
  expect("a", kNoLeader, {2}, {}, 2);
  beat(2);
  expect("a", 2, {2}, {}, 3);
}

TEST_F(Cluster, AnUncleanElectionIsForThoseWhoAllowIt) {
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  topic("b", {1, 2});
  ask(ChangeConfigs{{kTopicResource, "b"}, {{"unclean.leader.election.enable", "true"}}});
  carry_out(fence_silent(view(), BrokerId(2)));
  carry_out(fence_silent(view(), BrokerId(1)));
  beat(2);
  expect("a", kNoLeader, {}, {1}, 1);
  expect("b", 2, {2}, {}, 2);
  EXPECT_EQ(of("b").recovery_state, 1);
}

TEST_F(Cluster, AControlledShutdownWaitsUntilOthersKnow) {
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  beat(2);
  int64_t before = next;
  EXPECT_FALSE(beat(1, true).may_stop);
  expect("a", 2, {2}, {}, 1);
  sessions.touch(BrokerId(2), image().brokers->at(BrokerId(2)).epoch, before, now);
  EXPECT_FALSE(beat(1, true).may_stop) << "broker 2 has not read that it leads";
  beat(2);
  EXPECT_TRUE(beat(1, true).may_stop);
}

TEST_F(Cluster, AnUnregisteredBrokerLeadsNothing) {
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  EXPECT_EQ(ask(UnregisterBroker{BrokerId(1)}).error, ErrorCode::none);
  expect("a", 2, {2}, {}, 1);
  EXPECT_FALSE(image().brokers->contains(BrokerId(1)));
  EXPECT_EQ(ask(UnregisterBroker{BrokerId(1)}).error, ErrorCode::broker_id_not_registered);
}

TEST_F(Cluster, ADirectoryThatFailsTakesItsReplicasOut) {
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  BrokerHeartbeat heartbeat{.broker = BrokerId(1),
                            .epoch = image().brokers->at(BrokerId(1)).epoch,
                            .metadata_offset = next,
                            .offline_dirs = {directory(1)}};
  carry_out(decide(view(), sessions, heartbeat).records);
  expect("a", 2, {2}, {}, 1);
}

// --- Topics ---

TEST_F(Cluster, ATopicIsMadeAsKafkaMakesIt) {
  up(1);
  CreateTopic wanted{.name = "a", .id = id_of("a"), .partitions = 2, .configs = {{kMinIsr, "1"}}};
  auto decision = decide(view(), wanted);
  std::vector<int16_t> types;
  for (const Record& record : decision.records) types.push_back(read_record_head(record)->type);
  EXPECT_EQ(types, std::vector<int16_t>({2, 4, 28, 3, 3}));
  carry_out(decision.records);
  expect("a", 1, {1}, {}, 0);
  EXPECT_EQ(of("a", 1).directories, std::vector<Uuid>({directory(1)}));
  EXPECT_EQ(image().configs->at({kTopicResource, "a"}).at(kMinIsr), "1");
}

TEST_F(Cluster, ReplicasAreStripedOverRacks) {
  for (int32_t id = 0; id < 6; id++) up(id, id < 3 ? "left" : "right");
  join(6, 1, -1, "left");  // fenced
  CreateTopic wanted{
      .name = "a", .id = id_of("a"), .partitions = 60, .replication_factor = 2, .seed = 3};
  ASSERT_EQ(ask(wanted).error, ErrorCode::none);
  std::map<int32_t, int> leads;
  for (int32_t i = 0; i < 60; i++) {
    Partition one = of("a", i);
    leads[one.leader]++;
    EXPECT_NE(one.replicas[0] < 3 || one.replicas[0] == 6,
              one.replicas[1] < 3 || one.replicas[1] == 6)
        << "one replica in each rack";
  }
  EXPECT_EQ(leads.size(), 6u);
  for (auto [broker, count] : leads) EXPECT_NEAR(count, 10, 4) << broker;
  EXPECT_FALSE(leads.contains(6));
}

TEST_F(Cluster, ATopicIsRefused) {
  up(1);
  join(2);  // fenced
  topic("a.b", {1});
  struct Case {
    ErrorCode error;
    CreateTopic wanted;
  };
  const Case cases[] = {
      {ErrorCode::topic_already_exists, {.name = "a.b"}},
      {ErrorCode::invalid_topic_exception, {.name = "a_b"}},
      {ErrorCode::invalid_partitions, {.name = "x", .partitions = 0}},
      {ErrorCode::invalid_replication_factor, {.name = "x", .replication_factor = 0}},
      {ErrorCode::invalid_replication_factor, {.name = "x", .replication_factor = 3}},
      {ErrorCode::none, {.name = "x", .replication_factor = 2}},
      {ErrorCode::invalid_replica_assignment, {.name = "x", .assignment = {{}}}},
      {ErrorCode::invalid_replica_assignment, {.name = "x", .assignment = {{1, 1}}}},
      {ErrorCode::invalid_replica_assignment, {.name = "x", .assignment = {{1, 3}}}},
      {ErrorCode::invalid_replica_assignment, {.name = "x", .assignment = {{1}, {1, 2}}}},
      {ErrorCode::invalid_replica_assignment, {.name = "x", .assignment = {{2}}}},
      {ErrorCode::none, {.name = "x", .assignment = {{2, 1}}}},
  };
  for (const Case& one : cases) {
    auto decision = decide(view(), one.wanted);
    EXPECT_EQ(decision.reply.error, one.error) << decision.reply.text;
    EXPECT_EQ(decision.records.empty(), one.error != ErrorCode::none);
  }
  CreateTopic fenced_first{.name = "x", .id = id_of("x"), .assignment = {{2, 1}}};
  ask(fenced_first);
  expect("x", 1, {1}, {}, 0);
}

TEST_F(Cluster, MorePartitionsKeepTheOldOnes) {
  up(1);
  topic("a", {1});
  Partition old = of("a");
  EXPECT_EQ(ask(CreatePartitions{.topic = "a", .count = 3}).error, ErrorCode::none);
  EXPECT_EQ(image().topics->find("a")->partitions.size(), 3u);
  EXPECT_EQ(of("a"), old);
  EXPECT_EQ(ask(CreatePartitions{.topic = "a", .count = 3}).error, ErrorCode::invalid_partitions);
  EXPECT_EQ(ask(CreatePartitions{.topic = "a", .count = 2}).error, ErrorCode::invalid_partitions);
  EXPECT_EQ(ask(CreatePartitions{.topic = "b", .count = 2}).error,
            ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(ask(CreatePartitions{.topic = "a", .count = 5, .assignment = {{1}}}).error,
            ErrorCode::invalid_replica_assignment);
  EXPECT_EQ(ask(CreatePartitions{.topic = "a", .count = 4, .assignment = {{1}}}).error,
            ErrorCode::none);
}

TEST_F(Cluster, ADeletedTopicIsGoneWithItsSettings) {
  up(1);
  topic("a", {1});
  ask(ChangeConfigs{{kTopicResource, "a"}, {{"retention.ms", "5"}}});
  EXPECT_EQ(ask(DeleteTopic{id_of("a")}).error, ErrorCode::none);
  EXPECT_EQ(image().topics->find("a"), nullptr);
  EXPECT_FALSE(image().configs->contains({kTopicResource, "a"}));
  EXPECT_EQ(ask(DeleteTopic{id_of("a")}).error, ErrorCode::unknown_topic_id);
}

TEST_F(Cluster, ABrokerSaysWhereItsReplicasAre) {
  for (int32_t id : {1, 2}) up(id);
  topic("a", {1, 2});
  int64_t epoch = image().brokers->at(BrokerId(2)).epoch;
  Uuid where{{55}};
  AssignDirectories wanted{BrokerId(2), epoch, {{id_of("a"), 0, where}, {id_of("z"), 0, where}}};
  EXPECT_EQ(ask(wanted).error, ErrorCode::none);
  EXPECT_EQ(of("a").directories, std::vector<Uuid>({directory(1), where}));
  EXPECT_TRUE(decide(view(), wanted).records.empty());
  wanted.epoch = 0;
  EXPECT_EQ(ask(wanted).error, ErrorCode::stale_broker_epoch);
}

// --- Settings ---

TEST_F(Cluster, SettingsChangeAndGoBack) {
  up(1);
  topic("a", {1});
  ConfigResource resource{kTopicResource, "a"};
  ask(ChangeConfigs{resource, {{"retention.ms", "5"}, {"segment.bytes", "6"}}});
  EXPECT_TRUE(decide(view(), ChangeConfigs{resource, {{"retention.ms", "5"}}}).records.empty());
  ask(ChangeConfigs{resource, {{"retention.ms", std::nullopt}}});
  EXPECT_EQ(image().configs->at(resource),
            (std::map<std::string, std::string>{{"segment.bytes", "6"}}));
  EXPECT_EQ(ask(ChangeConfigs{{kTopicResource, "b"}, {{"x", "y"}}}).error,
            ErrorCode::unknown_topic_or_partition);
}

TEST_F(Cluster, BlocksOfProducerIdsFollowEachOther) {
  up(1);
  AllocateProducerIds wanted{BrokerId(1), image().brokers->at(BrokerId(1)).epoch};
  EXPECT_EQ(ask(wanted).first, 0);
  EXPECT_EQ(ask(wanted).first, 1000);
  EXPECT_EQ(image().next_producer_id, 2000);
}

TEST_F(Cluster, QuotasAreSetRemovedAndRefused) {
  QuotaEntity client{{"client-id", "c"}};
  EXPECT_EQ(ask(ChangeQuotas{client, {{"producer_byte_rate", 1000}}}).error, ErrorCode::none);
  EXPECT_EQ(image().quotas->at(client).at("producer_byte_rate"), 1000);
  EXPECT_EQ(ask(ChangeQuotas{client, {{"producer_byte_rate", std::nullopt}}}).error,
            ErrorCode::none);
  EXPECT_TRUE(image().quotas->empty());
  const ChangeQuotas bad[] = {
      {{}, {{"producer_byte_rate", 1}}},
      {{{"house", "c"}}, {{"producer_byte_rate", 1}}},
      {{{"ip", "1.2.3.4"}, {"user", "u"}}, {{"connection_creation_rate", 1}}},
      {client, {{"speed", 1}}},
      {client, {{"producer_byte_rate", 0}}},
      {client, {{"producer_byte_rate", 1.5}}}};
  for (const ChangeQuotas& one : bad) EXPECT_EQ(ask(one).error, ErrorCode::invalid_request);
}

TEST_F(Cluster, FeatureLevelsMoveWithinWhatAllKnow) {
  using Kind = FeatureUpdate::Kind;
  constexpr ErrorCode kBad = ErrorCode::invalid_update_version;
  up(1);
  struct Case {
    ErrorCode error;
    FeatureUpdate update;
  };
  const Case cases[] = {
      {kBad, {"nonsense", 1}},
      {kBad, {"group.version", 2}},
      {kBad, {"group.version", 0}},
      {kBad, {"group.version", 1, Kind::safe_downgrade}},
      {kBad, {"metadata.version", 29, Kind::safe_downgrade}},
      {kBad, {"metadata.version", 31}},
      {kBad, {"group.version", 0, Kind::unknown}},
      {ErrorCode::none, {"group.version", 0, Kind::safe_downgrade}},
      {ErrorCode::none, {"group.version", 1}},
  };
  for (const Case& one : cases) {
    if (one.error == kBad && one.update.level == 1 && one.update.name == "group.version") continue;
    EXPECT_EQ(ask(UpdateFeatures{{one.update}}).error, one.error)
        << one.update.name << " " << one.update.level;
  }
  EXPECT_EQ(image().features->at("group.version"), 1);
}

TEST_F(Cluster, ALeaderWithAnOpenTransactionAbortsIt) {
  auto batches = activation_records(settings, {.in_transaction = true, .bootstrap = {}});
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(read_record_head(batches[0][0])->type, 25);
}

}  // namespace
}  // namespace moldau::metadata
