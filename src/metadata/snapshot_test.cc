#include "metadata/snapshot.h"

#include <gtest/gtest.h>

#include "metadata/features.h"
#include "metadata/loader.h"
#include "metadata/test_records.h"
#include "wire/record_batch.h"

namespace moldau::metadata {
namespace {

TEST(Snapshot, IsReadAgain) {
  Image image = image_of({level_record("metadata.version", 30), topic_record("t", id_of(1)),
                          partition_record(id_of(1), 0, {1, 2})});
  SnapshotContent content{.records = image_records(image), .epoch = LeaderEpoch(3)};
  std::vector<uint8_t> bytes = write_snapshot(content, WallTime{5});
  Result<Image> again = read_snapshot(bytes, {Offset(9), LeaderEpoch(3), 0});
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_TRUE(same_content(image, *again));
}

TEST(Snapshot, LargeOnesAreSeveralBatches) {
  std::vector<Record> records;
  for (int i = 0; i < 40; i++)
    records.push_back(
        config_record(2, fmt::format("topic-{}", i), "key", std::string(30'000, 'x').c_str()));
  for (int i = 0; i < 400; i++) records.push_back(records[static_cast<size_t>(i % 40)]);
  std::vector<uint8_t> bytes = write_snapshot({.records = records}, WallTime{5});
  EXPECT_GT(bytes.size(), size_t{12} << 20);
  size_t batches = 0;
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::refuse);
  for (; walk.next(); batches++) EXPECT_LE(walk.batch().size(), (size_t{8} << 20) + 100);
  EXPECT_TRUE(walk.finish());
  EXPECT_EQ(batches, 4u);
  EXPECT_EQ(read_snapshot(bytes, {})->configs->size(), 40u);
}

// What `kafka-storage format` of 4.3.1 wrote, but for its three times of day.
TEST(Snapshot, ABootstrapFileIsKafkas) {
  std::vector<uint8_t> bytes = write_snapshot(
      {.records = bootstrap_records(default_features(kLatestMetadataVersion))}, WallTime{0});
  EXPECT_EQ(bytes.size(), 411u);
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::refuse);
  std::vector<int64_t> bases;
  while (walk.next()) bases.push_back(walk.header().base_offset.value);
  EXPECT_EQ(bases, (std::vector<int64_t>{0, 1, 7}));
}

TEST(Features, AreNamedByReleaseOrLevel) {
  EXPECT_EQ(find_metadata_level("4.3-IV0")->level, 30);
  EXPECT_EQ(find_metadata_level("4.3.1")->level, 30);
  EXPECT_EQ(find_metadata_level("4.0")->level, 25);
  EXPECT_EQ(find_metadata_level("3.9")->level, 21);
  for (std::string_view bad : {"4", "4.9", "", "4.3-IV9", "3.2", "x.y"})
    EXPECT_EQ(find_metadata_level(bad), nullptr) << bad;
  EXPECT_EQ(find_metadata_level(int16_t{6}), nullptr);
  int16_t expected = 7;
  for (const MetadataLevel& one : metadata_levels()) EXPECT_EQ(one.level, expected++);
  EXPECT_EQ(expected, kLatestMetadataVersion + 1);
}

TEST(Features, OfANewClusterGrowWithTheLevel) {
  EXPECT_EQ(default_features(21).size(), 1u);
  EXPECT_EQ(default_features(25).at("transaction.version"), 2);
  EXPECT_FALSE(default_features(25).contains("eligible.leader.replicas.version"));
  EXPECT_EQ(default_features(30).size(), 6u);
}

}  // namespace
}  // namespace moldau::metadata
