#include "broker/client_telemetry.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace moldau::broker {
namespace {

using wire::ErrorCode;

struct ClientTelemetryTest : testing::Test {
  ClientTelemetry telemetry{1000};
  Instant now = Instant() + seconds(5000);
  static Uuid id(uint8_t n) {
    Uuid out;
    out.bytes[0] = n;
    return out;
  }
  ErrorCode push(uint8_t n, ClientTelemetry::Push what = {}) {
    what.subscription += ClientTelemetry::subscription_of(id(n));
    return telemetry.push(id(n), what, now);
  }
  ErrorCode subscribe(uint8_t n) { return telemetry.subscribe(id(n), now); }
};

TEST_F(ClientTelemetryTest, TheIdOfASubscriptionIsKafkas) {
  Uuid client;
  client.bytes = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
                  0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
  EXPECT_EQ(ClientTelemetry::subscription_of(client), -307379689);
}

TEST_F(ClientTelemetryTest, AClientAsksThenPushesAndEachInItsTime) {
  EXPECT_EQ(subscribe(1), ErrorCode::none);
  EXPECT_EQ(subscribe(1), ErrorCode::throttling_quota_exceeded);
  now = now + seconds(1);
  EXPECT_EQ(push(1), ErrorCode::none) << "the first may come at once";
  EXPECT_EQ(push(1), ErrorCode::throttling_quota_exceeded);
  now = now + ClientTelemetry::kPushInterval;
  EXPECT_EQ(push(1), ErrorCode::none);
  EXPECT_EQ(subscribe(1), ErrorCode::throttling_quota_exceeded);
  now = now + ClientTelemetry::kPushInterval;
  EXPECT_EQ(subscribe(1), ErrorCode::none);
}

TEST_F(ClientTelemetryTest, WhoHasTheWrongSubscriptionMayAskAgainOnce) {
  EXPECT_EQ(subscribe(1), ErrorCode::none);
  now = now + seconds(1);
  EXPECT_EQ(push(1, {.subscription = 1}), ErrorCode::unknown_subscription_id);
  EXPECT_EQ(subscribe(1), ErrorCode::none);
  EXPECT_EQ(push(1), ErrorCode::throttling_quota_exceeded);
  EXPECT_EQ(subscribe(1), ErrorCode::throttling_quota_exceeded);
  EXPECT_EQ(push(2), ErrorCode::none) << "also without having asked";
}

TEST_F(ClientTelemetryTest, TheLastPushIsTheLast) {
  EXPECT_EQ(subscribe(1), ErrorCode::none);
  EXPECT_EQ(push(1), ErrorCode::none);
  EXPECT_EQ(push(1, {.terminating = true}), ErrorCode::none) << "it need not wait";
  EXPECT_EQ(push(1, {.terminating = true}), ErrorCode::invalid_request);
  now = now + ClientTelemetry::kPushInterval;
  EXPECT_EQ(push(1), ErrorCode::invalid_request);
}

TEST_F(ClientTelemetryTest, RefusesWhatIsTooLargeOrCompressedByNobodyKnowsWhat) {
  EXPECT_EQ(push(1, {.compression = 5}), ErrorCode::unsupported_compression_type);
  EXPECT_EQ(push(2, {.compression = -1}), ErrorCode::unsupported_compression_type);
  EXPECT_EQ(push(3, {.bytes = 1001}), ErrorCode::telemetry_too_large);
  EXPECT_EQ(push(4, {.bytes = 1000}), ErrorCode::none);
  EXPECT_EQ(push(0), ErrorCode::invalid_request) << "no id";
}

TEST_F(ClientTelemetryTest, RemembersSoManyClientsAndNoMore) {
  Uuid client;
  client.bytes[0] = 1;
  for (uint32_t i = 0; i < ClientTelemetry::kMaxClients + 50; i++) {
    store_be(client.bytes.data() + 8, i);
    EXPECT_EQ(telemetry.subscribe(client, now), ErrorCode::none);
  }
  EXPECT_EQ(telemetry.size(), ClientTelemetry::kMaxClients);
  EXPECT_EQ(telemetry.subscribe(client, now), ErrorCode::throttling_quota_exceeded);
}

}  // namespace
}  // namespace moldau::broker
