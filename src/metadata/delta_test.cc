#include "metadata/delta.h"

#include <gtest/gtest.h>

#include "metadata/test_records.h"
#include "wire/messages/broker_registration_change_record.h"
#include "wire/messages/clear_elr_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/fence_broker_record.h"
#include "wire/messages/no_op_record.h"
#include "wire/messages/partition_change_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/remove_topic_record.h"
#include "wire/messages/unregister_broker_record.h"

namespace moldau::metadata {
namespace {

Image after(const Image& base, const std::vector<Record>& records) {
  Delta delta(base);
  for (const Record& record : records) {
    Result<void> done = delta.replay(record);
    EXPECT_TRUE(done) << done.error().to_string();
  }
  return delta.finish({});
}

Image one_topic() {
  return image_of({level_record("metadata.version", 30), topic_record("t", id_of(1)),
                   partition_record(id_of(1), 0, {1, 2, 3})});
}

const Partition& first(const Image& image) { return image.topics->find("t")->partitions.at(0); }

TEST(Delta, KeepsTheBaseAsItWas) {
  Image base = one_topic();
  Image next = after(base, {topic_record("u", id_of(2)), partition_record(id_of(2), 0, {1})});
  EXPECT_EQ(base.topics->by_id.size(), 1u);
  EXPECT_EQ(next.topics->by_id.size(), 2u);
  EXPECT_EQ(base.topics->find("t"), next.topics->find("t"));  // shared, not copied
  EXPECT_EQ(base.configs, next.configs);
}

TEST(Delta, CopiesATopicThatChangesOnlyOnce) {
  Delta delta(one_topic());
  wire::PartitionChangeRecord change;
  change.partition_id = 0;
  change.topic_id = id_of(1);
  ASSERT_TRUE(delta.replay(write_record(change, 2)));
  const Topic* copy = delta.image().topics->find("t");
  ASSERT_TRUE(delta.replay(write_record(change, 2)));
  EXPECT_EQ(delta.image().topics->find("t"), copy);
  EXPECT_EQ(copy->partitions.at(0).partition_epoch, 2);
  EXPECT_EQ(delta.changes().topics, std::set<Uuid>{id_of(1)});
  EXPECT_TRUE(delta.changes().removed.empty());
}

TEST(Delta, ALeaderThatIsNamedBeginsANewReign) {
  wire::PartitionChangeRecord change;
  change.partition_id = 0;
  change.topic_id = id_of(1);
  Image quiet = after(one_topic(), {write_record(change, 2)});
  EXPECT_EQ(first(quiet).leader_epoch, 0);
  EXPECT_EQ(first(quiet).partition_epoch, 1);
  change.leader = 1;  // the same one again
  Image named = after(quiet, {write_record(change, 2)});
  EXPECT_EQ(first(named).leader, 1);
  EXPECT_EQ(first(named).leader_epoch, 1);
  EXPECT_EQ(first(named).partition_epoch, 2);
}

TEST(Delta, WhatAChangeDoesNotNameStays) {
  std::vector<int32_t> isr{2, 3}, elr{1};
  wire::PartitionChangeRecord change;
  change.partition_id = 0;
  change.topic_id = id_of(1);
  change.isr = wire::Array<int32_t>(isr.data(), isr.size());
  change.eligible_leader_replicas = wire::Array<int32_t>(elr.data(), elr.size());
  Image image = after(one_topic(), {write_record(change, 2)});
  EXPECT_EQ(first(image).isr, isr);
  EXPECT_EQ(first(image).elr, elr);
  EXPECT_EQ(first(image).replicas, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(first(image).directories, std::vector<Uuid>(3, id_of(100)));
}

TEST(Delta, ReplicasWithoutDirectoriesAreMigrating) {
  std::vector<int32_t> replicas{4, 5};
  wire::PartitionRecord old;
  old.partition_id = 1;
  old.topic_id = id_of(1);
  old.replicas = wire::Array<int32_t>(replicas.data(), replicas.size());
  Image image = after(one_topic(), {write_record(old, 0)});
  const Partition& partition = image.topics->find("t")->partitions.at(1);
  EXPECT_EQ(partition.directories, std::vector<Uuid>(2, kMigratingDirectory));
}

TEST(Delta, OtherReplicasNeedTheirDirectories) {
  std::vector<int32_t> replicas{1, 2};
  wire::PartitionChangeRecord change;
  change.partition_id = 0;
  change.topic_id = id_of(1);
  change.replicas = wire::Array<int32_t>(replicas.data(), replicas.size());
  Delta delta(one_topic());
  EXPECT_EQ(delta.replay(write_record(change, 2)).error().code(), Errc::invalid);
}

TEST(Delta, ClearingElrTouchesThoseThatHaveAny) {
  std::vector<int32_t> elr{1};
  wire::PartitionChangeRecord change;
  change.partition_id = 0;
  change.topic_id = id_of(1);
  change.last_known_elr = wire::Array<int32_t>(elr.data(), elr.size());
  Image base = after(one_topic(), {partition_record(id_of(1), 1, {1}), write_record(change, 2)});
  wire::ClearElrRecord clear;
  Image image = after(base, {write_record(clear, 0)});
  EXPECT_TRUE(first(image).last_known_elr.empty());
  EXPECT_EQ(first(image).partition_epoch, 2);
  EXPECT_EQ(image.topics->find("t")->partitions.at(1).partition_epoch, 0);
}

TEST(Delta, ARemovedTopicTakesItsSettingsAlong) {
  Image base = after(one_topic(), {config_record(2, "t", "retention.ms", "5"),
                                   config_record(2, "u", "retention.ms", "6")});
  wire::RemoveTopicRecord gone;
  gone.topic_id = id_of(1);
  Delta delta(base);
  ASSERT_TRUE(delta.replay(write_record(gone, 0)));
  EXPECT_EQ(delta.changes().removed, std::set<Uuid>{id_of(1)});
  Image image = delta.finish({});
  EXPECT_EQ(image.topics->find("t"), nullptr);
  EXPECT_EQ(image.configs->size(), 1u);
  // The name is free again.
  Image again = after(image, {topic_record("t", id_of(7))});
  EXPECT_EQ(again.topics->find("t")->id, id_of(7));
}

TEST(Delta, ASettingWithoutValueIsDeleted) {
  Image base = image_of({config_record(2, "t", "a", "1"), config_record(2, "t", "b", "2")});
  Image less = after(base, {config_record(2, "t", "a", nullptr)});
  EXPECT_EQ(less.configs->at({2, "t"}).size(), 1u);
  Image none = after(less, {config_record(2, "t", "b", nullptr)});
  EXPECT_TRUE(none.configs->empty());
}

TEST(Delta, ABrokersRecordsNameItsIncarnation) {
  Image base = image_of({broker_record(1, 10)});
  wire::FenceBrokerRecord fence;
  fence.id = 1;
  fence.epoch = 9;
  Delta delta(base);
  Result<void> refused = delta.replay(write_record(fence, 0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::corrupt);
  wire::BrokerRegistrationChangeRecord change;
  change.broker_id = 1;
  change.broker_epoch = 10;
  change.fenced = -1;
  change.in_controlled_shutdown = 1;
  Image image = after(base, {write_record(change, 3)});
  EXPECT_FALSE(image.brokers->at(BrokerId(1)).fenced);
  EXPECT_TRUE(image.brokers->at(BrokerId(1)).in_controlled_shutdown);
  wire::UnregisterBrokerRecord gone;
  gone.broker_id = 1;
  gone.broker_epoch = 10;
  EXPECT_TRUE(after(image, {write_record(gone, 0)}).brokers->empty());
}

TEST(Delta, QuotasAreKeptByEntity) {
  wire::ClientQuotaRecord::EntityData user;
  user.entity_type = "user";
  user.entity_name = std::nullopt;
  wire::ClientQuotaRecord quota;
  quota.entity = wire::Array<wire::ClientQuotaRecord::EntityData>(&user, 1);
  quota.key = "producer_byte_rate";
  quota.value = 1.5;
  Image image = image_of({write_record(quota, 0)});
  EXPECT_EQ(image.quotas->at({{"user", std::nullopt}}).at("producer_byte_rate"), 1.5);
  quota.remove = true;
  EXPECT_TRUE(after(image, {write_record(quota, 0)}).quotas->empty());
}

TEST(Delta, ALevelOfZeroIsNoLevel) {
  Image image = image_of({level_record("group.version", 1), level_record("share.version", 1)});
  EXPECT_EQ(after(image, {level_record("group.version", 0)}).features->size(), 1u);
}

TEST(Delta, RefusesWhatItDoesNotKnow) {
  Delta delta{Image()};
  for (const Record& bad : {Record{}, Record{1}, Record{1, 2}, Record{2, 2, 0}, Record{1, 6, 0},
                            Record{1, 99, 0}, Record{1, 2, 1}, Record{1, 2, 0, 5}})
    EXPECT_FALSE(delta.replay(bad));
  EXPECT_TRUE(delta.replay(write_record(wire::NoOpRecord(), 0)));
  Result<void> nowhere = delta.replay(partition_record(id_of(1), 0, {1}));
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code(), Errc::corrupt);
}

}  // namespace
}  // namespace moldau::metadata
