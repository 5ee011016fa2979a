// Kafka's bytes: what a running Kafka 4.3.1 wrote, and what is none of ours.
#include "coordinator/group/records.h"

#include <gtest/gtest.h>

#include "coordinator/partition_of.h"

namespace moldau::coordinator::group {
namespace {

std::string hex(const std::vector<uint8_t>& bytes) {
  std::string out;
  for (uint8_t b : bytes) out += fmt::format("{:02x}", b);
  return out;
}

Result<std::optional<Record>> again(const RecordBytes& bytes) {
  std::optional<Bytes> value;
  if (bytes.value) value = Bytes(*bytes.value);
  return decode_record(bytes.key, value);
}

TEST(OffsetRecord, HasKafkasBytes) {
  StoredOffset offset{.offset = 20,
                      .leader_epoch = 3,
                      .metadata = "m",
                      .commit_millis = 0x0102030405060708,
                      .expire_millis = std::nullopt,
                      .topic_id = {}};
  RecordBytes bytes = encode_record(OffsetRecord{"my", "gt", 1, offset});
  EXPECT_EQ(hex(bytes.key),
            "0001"
            "00026d79"
            "00026774"
            "00000001");
  EXPECT_EQ(hex(*bytes.value),
            "0004"
            "0000000000000014"
            "00000003"
            "026d"
            "0102030405060708"
            "00");
  offset.expire_millis = 9;
  bytes = encode_record(OffsetRecord{"my", "gt", 1, offset});
  EXPECT_EQ(hex(*bytes.value),
            "0001"
            "0000000000000014"
            "00016d"
            "0102030405060708"
            "0000000000000009");
  offset.expire_millis.reset();
  offset.topic_id.bytes.fill(0xab);
  bytes = encode_record(OffsetRecord{"my", "gt", 1, offset});
  EXPECT_EQ(hex(*bytes.value),
            "0004"
            "0000000000000014"
            "00000003"
            "026d"
            "0102030405060708"
            "010010abababababababababababababababab");
}

// As the dump tool of Kafka 4.3.1 shows them, and as a running Kafka wrote them.
TEST(ConsumerRecords, HaveKafkasBytes) {
  Uuid topic;
  topic.bytes.fill(0xab);
  CurrentAssignment current{.epoch = 3, .previous = 2, .state = MemberState::unrevoked};
  current.assigned[topic] = {{0, 2}, {1, 3}};
  RecordBytes bytes = encode_record(CurrentRecord{"g", "m", current});
  EXPECT_EQ(hex(bytes.key), "000800016700016d");
  EXPECT_EQ(hex(*bytes.value),
            "0000"
            "00000003"
            "00000002"
            "01"
            "02"
            "abababababababababababababababab"
            "030000000000000001"
            "01000903"
            "0000000200000003"
            "01"
            "00");
  bytes = encode_record(GroupEpochRecord{"g", GroupEpoch{5, 1}});
  EXPECT_EQ(hex(bytes.key), "0003000167");
  EXPECT_EQ(hex(*bytes.value), "0000000000050100080000000000000001");
}

TEST(ConsumerRecords, AreTheSameAfterTheirBytes) {
  ConsumerMember member{.instance = "i",
                        .rack = std::nullopt,
                        .client_id = "c",
                        .client_host = "/h",
                        .topics = {"a", "b"},
                        .regex = "x.*",
                        .rebalance_millis = 5,
                        .assignor = "range",
                        .classic = ClassicSide{7, {{"range", "bytes"}}}};
  CurrentAssignment current{.epoch = -2, .previous = 2, .state = MemberState::unreleased};
  current.assigned[Uuid()] = {{0, 2}};
  current.pending[Uuid()] = {{1, 1}};
  std::vector<Record> records = {
      ConsumerMemberRecord{"g", "m", member},
      ConsumerMemberRecord{"g", "m", ConsumerMember{}},
      ConsumerMemberRecord{"g", "m", std::nullopt},
      CurrentRecord{"g", "m", current},
      CurrentRecord{"g", "m", std::nullopt},
      TargetMemberRecord{"g", "m", Parts{{Uuid(), {1, 2}}}},
      TargetMemberRecord{"g", "m", std::nullopt},
      TargetEpochRecord{"g", TargetEpoch{4, 5}},
      TargetEpochRecord{"g", std::nullopt},
      GroupEpochRecord{"g", GroupEpoch{4, -5}},
      GroupEpochRecord{"g", std::nullopt},
      RegexRecord{"g", "x.*", ResolvedRegex{{"x1", "x2"}, 3, 4}},
      RegexRecord{"g", "x.*", std::nullopt},
      OldTopicsRecord{"g", false},
  };
  for (const Record& record : records) {
    Result<std::optional<Record>> read = again(encode_record(record));
    ASSERT_TRUE(read && *read);
    EXPECT_EQ(**read, record) << record.index();
  }
}

TEST(Records, ComeBackAsTheyWere) {
  StoredOffset offset{.offset = 20,
                      .leader_epoch = -1,
                      .metadata = "text",
                      .commit_millis = 5,
                      .expire_millis = std::nullopt,
                      .topic_id = {{1, 2, 3}}};
  StoredGroup group{.protocol_type = "consumer",
                    .generation = 7,
                    .protocol = "range",
                    .leader = "a",
                    .since_millis = 12,
                    .members = {{"a", "one", "c", "/h", 3, 4, "sub", "part"},
                                {"b", std::nullopt, "c", "/h", 3, 4, "", ""}}};
  std::vector<Record> all = {OffsetRecord{"g", "t", 4, offset}, OffsetRecord{"g", "t", 4, {}},
                             GroupRecord{"g", group}, GroupRecord{"g", StoredGroup{}},
                             GroupRecord{"g", {}}};
  for (const Record& record : all) {
    Result<std::optional<Record>> back = again(encode_record(record));
    ASSERT_TRUE(back && *back);
    EXPECT_TRUE(**back == record);
  }
}

TEST(Records, OfOtherSortsAreGonePast) {
  std::vector<uint8_t> other = {0, 99, 0, 1, 'g'};
  Result<std::optional<Record>> known = decode_record(other, Bytes(other));
  ASSERT_TRUE(known);
  EXPECT_FALSE(*known);
}

TEST(Records, ThatAreBrokenAreErrors) {
  RecordBytes good = encode_record(OffsetRecord{"g", "t", 4, StoredOffset{}});
  std::vector<uint8_t> short_key = {0};
  EXPECT_FALSE(decode_record(short_key, std::nullopt));
  for (size_t n = 2; n < good.key.size(); n++)
    EXPECT_FALSE(decode_record(Bytes(good.key).first(n), std::nullopt)) << n;
  for (size_t n = 0; n < good.value->size(); n++)
    EXPECT_FALSE(decode_record(good.key, Bytes(*good.value).first(n))) << n;
  std::vector<uint8_t> newer = *good.value;
  newer[1] = 99;
  EXPECT_FALSE(decode_record(good.key, Bytes(newer)));
}

// As Kafka 4.3.1 placed them.
TEST(PartitionOf, AGroupIsWhereKafkaPutsIt) {
  EXPECT_EQ(partition_of("my-group", 50), 12);
  EXPECT_EQ(java_hash(""), 0);
  EXPECT_EQ(java_hash("a"), 97);
  EXPECT_EQ(java_hash("käse"), 3410411);
  EXPECT_EQ(java_hash("\xF0\x9F\x98\x80"), 1772899);
  EXPECT_EQ(java_hash("\xED\xA0\x80"), 65533) << "what is no UTF-8 is one replacement";
  EXPECT_EQ(java_hash("\xF0\x9F"
                      "a"),
            2031620);
  EXPECT_EQ(java_hash("\xC0\x80"), 2097056);
  EXPECT_EQ(partition_of("polygenelubricants", 50), 0) << "its hash has no absolute value";
}

}  // namespace
}  // namespace moldau::coordinator::group
