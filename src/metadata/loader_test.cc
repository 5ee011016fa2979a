#include "metadata/loader.h"

#include <gtest/gtest.h>

#include "metadata/test_records.h"
#include "wire/messages/abort_transaction_record.h"
#include "wire/messages/begin_transaction_record.h"
#include "wire/messages/end_transaction_record.h"

namespace moldau::metadata {
namespace {

Record begin() { return write_record(wire::BeginTransactionRecord(), 0); }
Record end() { return write_record(wire::EndTransactionRecord(), 0); }
Record abort_record() { return write_record(wire::AbortTransactionRecord(), 0); }

TEST(Loader, FollowsTheLog) {
  Loader loader;
  ASSERT_TRUE(*loader.add(batch_of(Offset(0), {topic_record("a", id_of(1))})));
  ASSERT_TRUE(
      *loader.add(batch_of(Offset(1), {topic_record("b", id_of(2)), topic_record("c", id_of(3))})));
  EXPECT_EQ(loader.image().topics->by_id.size(), 3u);
  EXPECT_EQ(loader.image().at.next, Offset(3));
  EXPECT_EQ(loader.image().at.epoch, LeaderEpoch(1));
  EXPECT_EQ(loader.take_changes().topics.size(), 3u);
  EXPECT_TRUE(loader.take_changes().topics.empty());
}

TEST(Loader, ControlBatchesMoveThePositionOnly) {
  Loader loader;
  EXPECT_FALSE(*loader.add(control_batch(Offset(0), 2)));
  EXPECT_EQ(loader.next(), Offset(1));
  EXPECT_EQ(loader.image().at.next, Offset(1));
}

TEST(Loader, ATransactionShowsWhenItEnds) {
  Loader loader;
  ASSERT_TRUE(loader.add(
      batch_of(Offset(0), {topic_record("a", id_of(1)), begin(), topic_record("b", id_of(2))})));
  EXPECT_TRUE(loader.in_transaction());
  EXPECT_NE(loader.image().topics->find("a"), nullptr);
  EXPECT_EQ(loader.image().topics->find("b"), nullptr);
  EXPECT_EQ(loader.image().at.next, Offset(1));
  EXPECT_EQ(loader.take_changes().topics.size(), 1u);
  EXPECT_FALSE(*loader.add(batch_of(Offset(3), {topic_record("c", id_of(3))})));
  EXPECT_TRUE(*loader.add(batch_of(Offset(4), {end(), topic_record("d", id_of(4))})));
  EXPECT_EQ(loader.image().topics->by_id.size(), 4u);
  EXPECT_EQ(loader.take_changes().topics.size(), 3u);
}

TEST(Loader, AnAbortedTransactionLeavesNothing) {
  Loader loader;
  ASSERT_TRUE(loader.add(batch_of(Offset(0), {begin(), topic_record("b", id_of(2))})));
  EXPECT_TRUE(*loader.add(batch_of(Offset(2), {abort_record(), topic_record("c", id_of(3))})));
  EXPECT_EQ(loader.image().topics->by_id.size(), 1u);
  EXPECT_EQ(loader.take_changes().topics, std::set<Uuid>{id_of(3)});
}

TEST(Loader, RefusesTransactionsThatDoNotFit) {
  for (const std::vector<Record>& records :
       {std::vector<Record>{begin(), begin()}, {end()}, {abort_record()}}) {
    Loader loader;
    Result<bool> added = loader.add(batch_of(Offset(0), records));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), Errc::invalid);
  }
}

std::vector<uint8_t> snapshot(bool footer) {
  std::vector<uint8_t> content = control_batch(Offset(0), 3);
  std::vector<uint8_t> data =
      batch_of(Offset(1), {topic_record("a", id_of(1)), partition_record(id_of(1), 0, {1})});
  content.insert(content.end(), data.begin(), data.end());
  std::vector<uint8_t> last = control_batch(Offset(3), 4);
  if (footer) content.insert(content.end(), last.begin(), last.end());
  return content;
}

TEST(Loader, ReadsASnapshot) {
  Position at{Offset(500), LeaderEpoch(7), 1};
  Result<Image> image = read_snapshot(snapshot(true), at);
  ASSERT_TRUE(image) << image.error().to_string();
  EXPECT_EQ(image->at, at);
  EXPECT_EQ(image->topics->by_id.size(), 1u);
}

TEST(Loader, ASnapshotWithoutItsEndIsNone) {
  EXPECT_EQ(read_snapshot(snapshot(false), {}).error().code(), Errc::truncated);
  std::vector<uint8_t> whole = snapshot(true);
  for (size_t size = 0; size < whole.size(); size += 3)
    EXPECT_FALSE(read_snapshot(Bytes(whole).first(size), {})) << size;
}

TEST(Loader, ADamagedSnapshotIsRefused) {
  std::vector<uint8_t> content = snapshot(true);
  content[content.size() / 2] ^= 1;
  EXPECT_FALSE(read_snapshot(content, {}));
}

}  // namespace
}  // namespace moldau::metadata
