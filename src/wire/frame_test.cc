#include "wire/frame.h"

#include <gtest/gtest.h>

#include "wire/messages/api_versions.h"
#include "wire/messages/produce.h"

namespace moldau::wire {
namespace {

std::vector<uint8_t> request_frame(int16_t version) {
  ApiVersionsRequest request;
  request.client_software_name = "kcat";
  Chain chain;
  encode_request(request, version, 5, "me", chain);
  std::vector<uint8_t> bytes = chain.flatten();
  EXPECT_EQ(static_cast<size_t>(load_be<int32_t>(bytes.data())), bytes.size() - 4);
  bytes.erase(bytes.begin(), bytes.begin() + 4);
  return bytes;
}

TEST(Frame, RequestStartTellsWhatToDecodeNext) {
  for (int16_t version = 0; version <= 4; version++) {
    std::vector<uint8_t> frame = request_frame(version);
    Arena arena;
    Result<RequestStart> start = decode_request_start(frame, arena);
    ASSERT_TRUE(start) << start.error().to_string();
    EXPECT_EQ(start->api->key, ApiKey::api_versions);
    EXPECT_EQ(start->header.request_api_version, version);
    EXPECT_EQ(start->header.correlation_id, 5);
    EXPECT_EQ(start->header.client_id, "me");
    EXPECT_TRUE(start->version_known());
    Result<ApiVersionsRequest> body = decode<ApiVersionsRequest>(start->body, version, arena);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->client_software_name, version >= 3 ? "kcat" : "");
  }
}

TEST(Frame, AVersionFromTheFutureStillHasAHeader) {
  std::vector<uint8_t> frame = request_frame(4);
  frame[3] = 99;
  Arena arena;
  Result<RequestStart> start = decode_request_start(frame, arena);
  ASSERT_TRUE(start) << start.error().to_string();
  EXPECT_EQ(start->header.correlation_id, 5);
  EXPECT_FALSE(start->version_known());
}

TEST(Frame, RefusesApisWithoutSchemaAndHeadersCutShort) {
  const uint8_t unassigned[] = {0, 120, 0, 0, 0, 0, 0, 1, 0, 0};
  const uint8_t negative[] = {0xff, 0xff, 0, 0, 0, 0, 0, 1, 0, 0};
  Arena arena;
  for (Bytes frame : {Bytes(unassigned), Bytes(negative)}) {
    Result<RequestStart> start = decode_request_start(frame, arena);
    ASSERT_FALSE(start);
    EXPECT_EQ(start.error().code(), Errc::unsupported);
  }
  std::vector<uint8_t> frame = request_frame(3);
  for (size_t n = 0; n < 13; n++) {
    Result<RequestStart> start = decode_request_start(Bytes(frame).first(n), arena);
    ASSERT_FALSE(start) << n;
    EXPECT_EQ(start.error().code(), Errc::truncated);
  }
}

TEST(Frame, ApiVersionsIsAnsweredWithTheOldHeaderAndOthersAreNot) {
  EXPECT_EQ(find_api(18)->response_header(3), 0);
  EXPECT_EQ(find_api(18)->request_header(3), 2);
  EXPECT_EQ(find_api(0)->response_header(8), 0);
  EXPECT_EQ(find_api(0)->response_header(9), 1);
  EXPECT_EQ(find_api(0)->request_header(8), 1);
  ApiVersionsResponse response;
  response.error_code = 35;
  Chain chain;
  encode_response(response, 3, 0x01020304, chain);
  std::vector<uint8_t> bytes = chain.flatten();
  const uint8_t begin[] = {0, 0, 0, 12, 1,
                           2, 3, 4, 0,  35};  // no byte of tags between header and error
  EXPECT_TRUE(equal(Bytes(bytes).first(sizeof begin), begin));
}

TEST(Frame, ResponsesComeBack) {
  ProduceResponse response;
  response.throttle_time_ms = 12;
  for (int16_t version = 8; version <= 13; version++) {
    Chain chain;
    encode_response(response, version, 42, chain);
    std::vector<uint8_t> bytes = chain.flatten();
    Bytes frame = Bytes(bytes).subspan(4);
    Arena arena;
    Result<int32_t> id = peek_correlation_id(frame);
    ASSERT_TRUE(id);
    EXPECT_EQ(*id, 42);
    Result<ProduceResponse> decoded = decode_response<ProduceResponse>(frame, version, arena);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, response);
  }
}

TEST(Apis, TableKnowsNamesRangesAndListeners) {
  const ApiInfo* fetch = find_api(1);
  ASSERT_TRUE(fetch);
  EXPECT_EQ(fetch->name, "Fetch");
  EXPECT_EQ(fetch->in_4_3.min, 4);
  EXPECT_EQ(fetch->in_3_9.max, 17);
  EXPECT_EQ(fetch->listeners, kBrokerListener | kControllerListener);
  EXPECT_EQ(find_api(22)->in_4_3.max, 6);
  EXPECT_EQ(find_api(22)->in_4_3.max_stable, 5);
  EXPECT_EQ(find_api(74)->name, "ListConfigResources");
  EXPECT_EQ(find_api(18)->in_4_3.max, 4);
  EXPECT_EQ(find_api(18)->in_4_4.max, 5);
  EXPECT_GT(find_api(4)->in_4_3.min, find_api(4)->in_4_3.max);  // LeaderAndIsr went with ZooKeeper
  EXPECT_EQ(find_api(4)->in_3_9.max, 7);
  EXPECT_EQ(find_api(kApiKeyCount), nullptr);
  for (size_t i = 0; i < all_apis().size(); i++)
    EXPECT_EQ(static_cast<size_t>(all_apis()[i].key), i);
}

TEST(Apis, EveryKeyHasASchema) {
  for (const ApiInfo& api : all_apis()) EXPECT_TRUE(api.request && api.response) << api.name;
}

}  // namespace
}  // namespace moldau::wire
