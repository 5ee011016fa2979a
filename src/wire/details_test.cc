// The details of messages that the generic tests cannot see: defaults, null, records without
// copies, unknown tags.
#include "wire/messages/fetch.h"

#include <gtest/gtest.h>

#include "base/shared_bytes.h"
#include "wire/frame.h"
#include "wire/messages/api_versions.h"
#include "wire/messages/metadata.h"
#include "wire/messages/produce.h"

namespace moldau::wire {
namespace {

template <class M>
std::vector<uint8_t> bytes_of(const M& message, int16_t version) {
  Chain chain;
  encode(message, version, chain);
  return chain.flatten();
}

TEST(Fetch, RecordsGoOutWithoutBeingCopied) {
  SharedBytes head = SharedBytes::copy_of(as_bytes("first batch"));
  SharedBytes tail = SharedBytes::copy_of(as_bytes("third"));
  const RecordsPiece pieces[] = {
      {.shared = &head}, {.file = 3, .position = 4096, .length = 1000}, {.shared = &tail}};
  std::vector<FetchResponse::PartitionData> partitions(1);
  partitions[0].records.pieces = pieces;
  std::vector<FetchResponse::FetchableTopicResponse> topics(1);
  topics[0].partitions = std::span(partitions);
  FetchResponse response;
  response.responses = std::span(topics);

  Chain chain;
  encode_response(response, 12, 77, chain);
  size_t total = chain.size();
  std::vector<Chain::Piece> sent = chain.take();
  ASSERT_EQ(sent.size(), 5u);  // frame up to the records, three pieces, the rest
  EXPECT_EQ(sent[1].bytes.data(), head.data());
  EXPECT_EQ(sent[2].file, 3);
  EXPECT_EQ(sent[2].position, 4096);
  EXPECT_EQ(sent[2].length, 1000u);
  EXPECT_EQ(sent[3].bytes.data(), tail.data());
  EXPECT_EQ(static_cast<size_t>(load_be<int32_t>(sent[0].bytes.data())), total - 4);
  size_t records = head.size() + 1000 + tail.size();
  const uint8_t* length =
      sent[0].bytes.data() + sent[0].length - 2;  // compact: 1016 + 1 in two bytes
  EXPECT_EQ(static_cast<size_t>(length[0] & 0x7f) + (static_cast<size_t>(length[1]) << 7),
            records + 1);
}

TEST(Fetch, TaggedFieldsTravelOnlyIfTheyDifferFromTheirDefault) {
  FetchRequest plain, named;
  named.cluster_id = "c";
  named.replica_state.replica_epoch = 9;
  EXPECT_EQ(bytes_of(named, 15).size() - bytes_of(plain, 15).size(), 4u + 2 + 4 + 8 + 1);
  EXPECT_EQ(bytes_of(named, 11), bytes_of(plain, 11));  // before tags there is no place for either
}

TEST(Fetch, UnknownTagsStayBetweenTheKnownOnes) {
  // Version 12 knows tag 0; 1 is unknown in this version, as is 7.
  RawTag tags[] = {{1, as_bytes("one")}, {7, as_bytes("seven")}};
  FetchRequest request;
  request.cluster_id = "id";
  request.unknown_tags = std::span(tags);
  std::vector<uint8_t> bytes = bytes_of(request, 12);
  Arena arena;
  Result<FetchRequest> decoded = decode<FetchRequest>(bytes, 12, arena);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, request);
  EXPECT_EQ(bytes_of(*decoded, 12), bytes);
  const uint8_t end[] = {3, 0, 3, 3, 'i', 'd', 1, 3, 'o', 'n', 'e', 7, 5, 's', 'e', 'v', 'e', 'n'};
  ASSERT_GE(bytes.size(), sizeof end);
  EXPECT_TRUE(equal(Bytes(bytes).last(sizeof end), end));
}

TEST(Fetch, FieldsAboveTheVersionKeepTheirDefaults) {
  Arena arena;
  std::vector<uint8_t> bytes = bytes_of(FetchRequest{}, 0);
  Result<FetchRequest> decoded = decode<FetchRequest>(bytes, 0, arena);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->max_bytes, 0x7fffffff);
  EXPECT_EQ(decoded->session_epoch, -1);
  EXPECT_FALSE(decoded->cluster_id);
}

TEST(Metadata, NullTopicsAreNotNoTopics) {
  MetadataRequest all;
  all.topics = Array<MetadataRequest::MetadataRequestTopic>::null();
  EXPECT_NE(bytes_of(all, 1), bytes_of(MetadataRequest{}, 1));
  EXPECT_EQ(bytes_of(all, 0), bytes_of(MetadataRequest{}, 0));  // version 0 has no null
  Arena arena;
  Result<MetadataRequest> decoded = decode<MetadataRequest>(bytes_of(all, 12), 12, arena);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->topics.is_null());
  const uint8_t null_in_v0[] = {0xff, 0xff, 0xff, 0xff};
  decoded = decode<MetadataRequest>(null_in_v0, 0, arena);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code(), Errc::invalid);
  EXPECT_EQ(
      decoded.error().text(),
      "MetadataRequest v0: MetadataRequest.topics: null where null is not allowed, length -1");
}

TEST(Metadata, AnyByteButZeroIsTrueAndTrailingBytesAreIgnoredAsInKafka) {
  const uint8_t in[] = {0, 0, 0, 0, 2, 9, 9};
  Arena arena;
  Result<MetadataRequest> decoded = decode<MetadataRequest>(in, 4, arena);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->allow_auto_topic_creation);
}

TEST(ApiVersions, TheLengthOfAKnownTagIsNotBelievedAndTheLastOfTwoCountsAsInKafka) {
  const uint8_t in[] = {0, 0, 1, 0, 0, 0, 0, 3, 3, 0, 1, 1, 8, 0, 0, 0,
                        0, 0, 0, 0, 6, 1, 8, 0, 0, 0, 0, 0, 0, 0, 7};
  Arena arena;
  Result<ApiVersionsResponse> decoded = decode<ApiVersionsResponse>(in, 3, arena);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->zk_migration_ready);
  EXPECT_EQ(decoded->finalized_features_epoch, 7);
}

TEST(Writer, CutsTextsThatNoStringHolds) {
  std::string text(32766, 'x');
  text += "\xc3\xa4 and more";  // its second byte would be the 32768th
  ProduceResponse::PartitionProduceResponse partition;
  partition.error_message = text;
  ProduceResponse::TopicProduceResponse topic;
  topic.partition_responses = {&partition, 1};
  ProduceResponse response;
  response.responses = {&topic, 1};
  Arena arena;
  std::vector<uint8_t> bytes = bytes_of(response, 9);
  Result<ProduceResponse> decoded = decode<ProduceResponse>(bytes, 9, arena);
  ASSERT_TRUE(decoded) << decoded.error().to_string();
  EXPECT_EQ(decoded->responses[0].partition_responses[0].error_message, std::string(32766, 'x'));
}

TEST(Print, ShowsFieldsOfTheVersionInKafkasNames) {
  ProduceRequest::PartitionProduceData partition;
  partition.index = 3;
  partition.records.bytes = as_bytes("12345");
  ProduceRequest::TopicProduceData topic;
  topic.name = "a\"b";
  topic.partition_data = {&partition, 1};
  ProduceRequest request;
  request.topic_data = {&topic, 1};
  EXPECT_EQ(
      print(request, 2),
      R"({"acks":0,"timeoutMs":0,"topicData":[{"name":"a\"b","partitionData":[{"index":3,"recordsSizeInBytes":5}]}]})");
  RawTag tag{9, as_bytes("hi!!")};
  request.topic_data = {};
  request.unknown_tags = {&tag, 1};
  EXPECT_EQ(
      print(request, 13),
      R"({"transactionalId":null,"acks":0,"timeoutMs":0,"topicData":[],"_unknownTags":[{"tag":9,"data":"aGkhIQ=="}]})");
}

}  // namespace
}  // namespace moldau::wire
