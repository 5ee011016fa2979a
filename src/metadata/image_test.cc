#include "metadata/image.h"

#include <gtest/gtest.h>

#include "metadata/record.h"
#include "metadata/test_records.h"
#include "wire/messages/access_control_entry_record.h"
#include "wire/messages/client_quota_record.h"
#include "wire/messages/delegation_token_record.h"
#include "wire/messages/partition_record.h"
#include "wire/messages/producer_ids_record.h"
#include "wire/messages/register_broker_record.h"
#include "wire/messages/register_controller_record.h"
#include "wire/messages/user_scram_credential_record.h"

namespace moldau::metadata {
namespace {

std::vector<Record> users() {
  std::vector<uint8_t> salt{1, 2}, key{3};
  wire::UserScramCredentialRecord scram;
  scram.name = "alice";
  scram.mechanism = 1;
  scram.salt = salt;
  scram.stored_key = scram.server_key = key;
  scram.iterations = 4096;
  std::string_view renewer = "User:bob";
  wire::DelegationTokenRecord token;
  token.owner = token.requester = "User:alice";
  token.renewers = wire::Array<std::string_view>(&renewer, 1);
  token.max_timestamp = 10;
  token.token_id = "token";
  wire::AccessControlEntryRecord acl;
  acl.id = id_of(50);
  acl.resource_type = 2;
  acl.resource_name = "t";
  acl.pattern_type = 3;
  acl.principal = "User:alice";
  acl.host = "*";
  acl.operation = 3;
  acl.permission_type = 3;
  return {write_record(scram, 0), write_record(token, 0), write_record(acl, 0)};
}

std::vector<Record> everything() {
  wire::RegisterControllerRecord controller;
  controller.controller_id = 9;
  controller.incarnation_id = id_of(9);
  wire::ProducerIdsRecord ids;
  ids.next_producer_id = 3000;
  std::vector<Record> records{level_record("metadata.version", 30),
                              level_record("group.version", 1),
                              broker_record(1, 4),
                              write_record(controller, 0),
                              topic_record("b", id_of(1)),
                              partition_record(id_of(1), 0, {1, 2}),
                              partition_record(id_of(1), 1, {2, 1}),
                              topic_record("a", id_of(2)),
                              partition_record(id_of(2), 0, {1}),
                              config_record(2, "a", "cleanup.policy", "compact"),
                              config_record(4, "", "log.retention.ms", "7"),
                              write_record(ids, 0)};
  for (Record& record : users()) records.push_back(std::move(record));
  return records;
}

TEST(Image, ItsRecordsMakeItAgain) {
  Image image = image_of(everything());
  std::vector<Record> records = image_records(image);
  EXPECT_EQ(records.size(), everything().size());
  Image again = image_of(records);
  EXPECT_TRUE(same_content(image, again));
  EXPECT_EQ(image_records(again), records);
}

TEST(Image, TheOrderOfTheLogDoesNotShow) {
  std::vector<Record> records = everything();
  // Settings, users and levels depend on nothing before them.
  std::rotate(records.begin(), records.begin() + 9, records.end());
  EXPECT_EQ(image_records(image_of(records)), image_records(image_of(everything())));
}

TEST(Image, TwoThatDifferAreNotTheSame) {
  std::vector<Record> all = everything();
  Image whole = image_of(all);
  for (size_t left_out : {0u, 1u, 2u, 3u, 6u, 8u, 9u, 10u, 11u, 12u, 13u, 14u}) {
    std::vector<Record> less = all;
    less.erase(less.begin() + static_cast<ptrdiff_t>(left_out));
    EXPECT_FALSE(same_content(whole, image_of(less))) << "record " << left_out;
  }
}

TEST(Image, WritesTheVersionsOfItsLevel) {
  struct Row {
    int16_t level, broker, partition;
  };
  for (Row row : {Row{7, 1, 0}, Row{8, 2, 0}, Row{16, 2, 0}, Row{17, 3, 1}, Row{22, 3, 1},
                  Row{23, 3, 2}, Row{29, 3, 2}, Row{30, 4, 2}, Row{33, 4, 2}}) {
    Image image = image_of({level_record("metadata.version", row.level), broker_record(1, 1),
                            topic_record("t", id_of(1)), partition_record(id_of(1), 0, {1})});
    std::vector<Record> records = image_records(image);
    ASSERT_EQ(records.size(), 4u);
    EXPECT_EQ(read_record_head(records[1])->version, row.broker) << row.level;
    EXPECT_EQ(read_record_head(records[3])->version, row.partition) << row.level;
  }
}

TEST(Image, OfNothingHasNoRecords) { EXPECT_TRUE(image_records(Image()).empty()); }

}  // namespace
}  // namespace moldau::metadata
