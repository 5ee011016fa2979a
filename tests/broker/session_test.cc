// What a connection's requests get before any handler: unknown APIs, versions, damaged headers; and
// ApiVersions.
#include <set>

#include "broker/api/handlers.h"
#include "broker_world.h"
#include "wire/info.h"

namespace moldau::broker {
namespace {

struct SessionTest : testing::Test {
  BrokerWorld world;
  void SetUp() override { world.start(); }
  bool closes(int16_t key, int16_t version, const std::string& body = {}) {
    Client client(world);
    client.send(key, version, body);
    return client.wait_closed() && !client.has_reply();
  }
};

TEST_F(SessionTest, ClosesOnApisAndVersionsThatAreNotServed) {
  EXPECT_TRUE(closes(999, 0));
  EXPECT_TRUE(closes(-1, 0));
  EXPECT_TRUE(closes(60, 0)) << "DescribeCluster, not yet";
  for (int16_t key : {api::kProduce, api::kFetch, api::kListOffsets, api::kMetadata,
                      api::kCreateTopics, api::kDeleteTopics, api::kInitProducerId}) {
    EXPECT_TRUE(closes(key, 99)) << key;
    EXPECT_TRUE(closes(key, -1)) << key;
  }
}

TEST_F(SessionTest, ClosesOnDamagedRequests) {
  EXPECT_TRUE(closes(api::kMetadata, 8, "\x7f")) << "an array that is cut off";
  EXPECT_TRUE(closes(api::kMetadata, 8, Out().i32(INT32_MAX).bytes()))
      << "an array that cannot be there";
  EXPECT_TRUE(closes(api::kProduce, 8, ""));
  for (const std::string& frame :
       {std::string(), std::string("abc"), Out().i16(3).i16(8).i32(1).bytes(),
        Out().i16(3).i16(8).i32(1).i16(100).bytes()}) {
    Client client(world);
    client.send_raw(Out().blob(frame).bytes());
    EXPECT_TRUE(client.wait_closed()) << frame.size();
  }
}

TEST_F(SessionTest, ClosesOnFramesAboveTheLimitAndSaysWhy) {
  Client client(world);
  client.send_raw("GET / HTTP/1.1\r\nHost: me\r\n\r\n");
  EXPECT_TRUE(client.wait_closed());
  EXPECT_TRUE(world.log.contains("HTTP"));
}

TEST_F(SessionTest, ABadConnectionDisturbsNoOther) {
  Client good(world);
  good.create("t");
  for (int i = 0; i < 5; i++) {
    Client bad(world);
    bad.send_raw(std::string(20, '\xff'));
    EXPECT_EQ(good.produce("t").base, i);
  }
}

TEST_F(SessionTest, ANullClientIdIsFine) {
  Client client(world);
  client.send_raw(Out().blob(Out().i16(api::kApiVersions).i16(0).i32(7).no_text().bytes()).bytes());
  ASSERT_TRUE(world.run_until([&] { return client.has_reply(); }));
}

TEST_F(SessionTest, AVersionOfApiVersionsThatIsTooNewGetsOurRange) {
  for (int16_t version : {int16_t{5}, int16_t{99}}) {
    Client client(world);
    In reply = client.call(api::kApiVersions, version, "whatever", true);
    EXPECT_EQ(reply.i16(), 35);
    EXPECT_EQ(reply.i32(), 1);
    EXPECT_EQ(reply.i16(), 18);
    EXPECT_EQ(reply.i16(), 0);
    EXPECT_EQ(reply.i16(), 4);
    EXPECT_EQ(reply.left(), 0u);
    EXPECT_FALSE(client.closed());
  }
}

// Apache Kafka 4.3's versions, and below them those that the 3.9 line still had, by the schemas.
TEST(Served, VersionsAreThoseOfKafka43FromWhereThe39LineBegan) {
  std::set<wire::ApiKey> seen;
  for (const Served& api : served_apis()) {
    const wire::ApiInfo* info = wire::find_api(static_cast<int16_t>(api.key));
    ASSERT_TRUE(info);
    EXPECT_TRUE(seen.insert(api.key).second) << info->name << " stands there twice";
    bool was_in_3_9 = info->in_3_9.min <= info->in_3_9.max;
    int16_t first = was_in_3_9 ? std::min(info->in_3_9.min, info->in_4_3.min) : info->in_4_3.min;
    EXPECT_EQ(api.min_served, first) << info->name;
    EXPECT_GE(api.min_advertised, api.min_served) << info->name;
    EXPECT_EQ(api.max, info->in_4_3.max_stable) << info->name;
    EXPECT_TRUE(info->listeners & wire::kBrokerListener) << info->name;
  }
}

TEST_F(SessionTest, ApiVersionsListsWhatIsServed) {
  Client client(world);
  In reply = client.call(api::kApiVersions, 0, "");
  EXPECT_EQ(reply.i16(), 0);
  std::map<int16_t, std::pair<int16_t, int16_t>> ranges;
  for (int32_t n = reply.i32(); n > 0; n--) {
    int16_t key = reply.i16();
    int16_t low = reply.i16();
    ranges[key] = {low, reply.i16()};
  }
  EXPECT_EQ(reply.left(), 0u);
  EXPECT_EQ(ranges[api::kProduce], std::pair(int16_t{0}, int16_t{13}));
  EXPECT_EQ(ranges[api::kFetch], std::pair(int16_t{0}, int16_t{18}));
  EXPECT_EQ(ranges[api::kApiVersions].second, 4);
  for (const Served& one : served_apis())
    EXPECT_EQ(ranges.contains(static_cast<int16_t>(one.key)), !one.hidden);
}

TEST_F(SessionTest, SoftwareNamesThatAreNoneAreInvalid) {
  Client client(world);
  auto ask = [&](const char* name, const char* version) {
    return client
        .call(api::kApiVersions, 3, Out().compact(name).compact(version).count(0).bytes(), true)
        .i16();
  };
  EXPECT_EQ(ask("librdkafka", "2.0.2-rc1"), 0);
  for (auto [name, version] :
       {std::pair("", "1"), {"-x", "1"}, {"x", "a b"}, {"x", ""}, {"x.", "1"}})
    EXPECT_EQ(ask(name, version), 42) << name << "/" << version;
}

TEST_F(SessionTest, RepliesKeepTheOrderOfPipelinedRequests) {
  Client client(world);
  client.create("t");
  for (int i = 0; i < 30; i++) {
    client.send(api::kProduce, 8, produce_request("t", 0, Batch().bytes()));
    client.send(api::kListOffsets, 5, offsets_request("t", 0, -2));
  }
  for (int i = 0; i < 30; i++) {
    std::optional<In> produced = client.reply();
    ASSERT_TRUE(produced);
    EXPECT_EQ(read_produced(*produced).base, i);
    std::optional<In> found = client.reply();
    ASSERT_TRUE(found);
    EXPECT_EQ(read_offset(*found).offset, 0);
  }
}

}  // namespace
}  // namespace moldau::broker
