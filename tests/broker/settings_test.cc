// Settings by Kafka's names.
#include "broker/settings.h"

#include <gtest/gtest.h>

namespace moldau::broker {
namespace {

std::string refused(const std::string& name, const std::string& value) {
  BrokerConfig config;
  Result<void> applied = apply_settings({{name, value}}, config);
  return applied ? "" : applied.error().text();
}

TEST(Settings, TheFinestUnitCounts) {
  BrokerConfig config;
  ASSERT_TRUE(apply_settings({{"log.retention.hours", "2"}}, config));
  EXPECT_EQ(config.log.retention.millis, 7'200'000);
  ASSERT_TRUE(
      apply_settings({{"log.retention.minutes", "3"}, {"log.retention.hours", "2"}}, config));
  EXPECT_EQ(config.log.retention.millis, 180'000);
  ASSERT_TRUE(apply_settings({{"log.retention.ms", "-1"}, {"log.retention.hours", "2"}}, config));
  EXPECT_EQ(config.log.retention.millis, -1);
}

TEST(Settings, APolicyIsAListOfTwo) {
  BrokerConfig config;
  ASSERT_TRUE(apply_settings({{"log.cleanup.policy", "compact"}}, config));
  EXPECT_TRUE(config.log.clean.compact);
  EXPECT_FALSE(config.log.retention.delete_old);
  ASSERT_TRUE(apply_settings({{"log.cleanup.policy", "compact,delete"}}, config));
  EXPECT_TRUE(config.log.clean.compact && config.log.retention.delete_old);
  EXPECT_NE(refused("log.cleanup.policy", "shred"), "");
}

TEST(Settings, ACleanedSegmentIsAsLargeAsAnyOther) {
  BrokerConfig config;
  ASSERT_TRUE(apply_settings({{"log.segment.bytes", "2097152"}}, config));
  EXPECT_EQ(config.log.segment_bytes, 2 << 20);
  EXPECT_EQ(config.log.clean.segment_bytes, 2 << 20);
}

TEST(Settings, WhatDoesNotFitIsRefusedWithTheReason) {
  EXPECT_NE(refused("log.segment.bytes", "1048575").find("from 1048576 to"), std::string::npos);
  EXPECT_NE(refused("log.retention.ms", "soon"), "");
  EXPECT_NE(refused("log.cleaner.min.cleanable.ratio", "1.5"), "");
  EXPECT_NE(refused("log.cleaner.enable", "yes"), "");
  EXPECT_NE(refused("log.retention.byte", "1").find("log.retention.bytes"), std::string::npos);
}

}  // namespace
}  // namespace moldau::broker
