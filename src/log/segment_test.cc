#include "log/segment.h"

#include <gtest/gtest.h>

namespace moldau::log {
namespace {

BatchInfo batch(int64_t base, int64_t last, int64_t position, int64_t size, int64_t timestamp) {
  return {Offset(base), Offset(last), position, size, timestamp, LeaderEpoch(0)};
}

TEST(SegmentNames, HaveTwentyDigits) {
  EXPECT_EQ(segment_file_name(Offset(42), ".log"), "00000000000000000042.log");
  EXPECT_EQ(segment_file_name(Offset(INT64_MAX), ".timeindex"), "09223372036854775807.timeindex");
  EXPECT_EQ(parse_segment_file_name("00000000000000000042.log", ".log"), Offset(42));
}

TEST(SegmentNames, OfOtherFilesAreRefused) {
  for (const char* name : {"42.log", "0000000000000000004x.log", "00000000000000000042.index",
                           "-0000000000000000042.log", "99999999999999999999.log",
                           "00000000000000000042.log.deleted", ""})
    EXPECT_FALSE(parse_segment_file_name(name, ".log")) << name;
}

TEST(SegmentIndex, AddsAnEntryOnlyAfterMoreThanTheInterval) {
  SegmentIndex index(Offset(100));
  index.add(batch(100, 109, 0, 100, 5), 100);
  index.add(batch(110, 119, 100, 1, 6), 100);  // 100 bytes since the start: not more than 100
  EXPECT_EQ(index.offset_entries(), 0u);
  index.add(batch(120, 129, 101, 50, 7), 100);
  EXPECT_EQ(index.encode_offsets(), (std::vector<uint8_t>{0, 0, 0, 29, 0, 0, 0, 101}));
  EXPECT_EQ(index.encode_times(), (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 29}));
  index.add(batch(130, 139, 151, 60, 3), 40);  // an older timestamp makes no time entry
  EXPECT_EQ(index.offset_entries(), 2u);
  EXPECT_EQ(index.time_entries(), 1u);
}

TEST(SegmentIndex, SealRecordsTheLargestTimestampOnce) {
  SegmentIndex index(Offset(0));
  index.seal();
  EXPECT_EQ(index.time_entries(), 0u);
  index.add(batch(0, 9, 0, 100, 50), 1000);
  index.add(batch(10, 19, 100, 100, 40), 1000);
  index.seal();
  index.seal();
  EXPECT_EQ(index.time_entries(), 1u);
  EXPECT_EQ(index.largest(), (TimestampOffset{WallTime{50}, Offset(9)}));
}

TEST(SegmentIndex, FindsThePlaceToBeginAWalk) {
  SegmentIndex index(Offset(0));
  for (int i = 0; i < 10; i++) index.add(batch(i * 10, i * 10 + 9, i * 100, 100, i * 1000), 150);
  // Entries for the batches 2, 4, 6, 8.
  EXPECT_EQ(index.position_for(Offset(0)), 0);
  EXPECT_EQ(index.position_for(Offset(28)), 0);
  EXPECT_EQ(index.position_for(Offset(29)), 200);
  EXPECT_EQ(index.position_for(Offset(48)), 200);
  EXPECT_EQ(index.position_for(Offset(1000)), 800);
  EXPECT_EQ(index.position_for(WallTime{2000}), 0);
  EXPECT_EQ(index.position_for(WallTime{2001}), 200);
  EXPECT_EQ(index.position_for(WallTime{9999}), 800);
}

TEST(SegmentIndex, TakesAppendsBack) {
  SegmentIndex index(Offset(0));
  for (int i = 0; i < 5; i++) index.add(batch(i, i, i * 100, 100, i), 50);
  SegmentIndex::Mark mark = index.mark();
  auto offsets = index.encode_offsets();
  auto times = index.encode_times();
  for (int i = 5; i < 9; i++) index.add(batch(i, i, i * 100, 100, i), 50);
  index.seal();
  index.restore(mark);
  EXPECT_EQ(index.encode_offsets(), offsets);
  EXPECT_EQ(index.encode_times(), times);
  EXPECT_EQ(index.largest()->offset, Offset(4));
}

TEST(SegmentIndex, ReadsWhatItWroteAndDropsPreallocatedZeros) {
  SegmentIndex index(Offset(7));
  for (int i = 0; i < 9; i++) index.add(batch(7 + i, 7 + i, i * 100, 100, i + 1), 50);
  auto offsets = index.encode_offsets();
  auto times = index.encode_times();
  offsets.resize(offsets.size() + 80);
  times.resize(times.size() + 120);
  auto read = SegmentIndex::decode(Offset(7), offsets, times, 900);
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->encode_offsets(), index.encode_offsets());
  EXPECT_EQ(read->encode_times(), index.encode_times());
}

TEST(SegmentIndex, RefusesDamagedFiles) {
  SegmentIndex index(Offset(0));
  for (int i = 0; i < 9; i++) index.add(batch(i, i, i * 100, 100, i + 1), 50);
  const auto offsets = index.encode_offsets();
  const auto times = index.encode_times();
  auto code = [&](Bytes o, Bytes t, int64_t size) {
    return SegmentIndex::decode(Offset(0), o, t, size).error().code();
  };
  EXPECT_EQ(code(Bytes(offsets).first(12), times, 900), Errc::corrupt);
  EXPECT_EQ(code(offsets, Bytes(times).first(13), 900), Errc::corrupt);
  EXPECT_EQ(code(offsets, times, 800), Errc::corrupt) << "an entry past the end of the log";
  auto swapped = offsets;
  std::swap(swapped[3], swapped[11]);
  EXPECT_EQ(code(swapped, times, 900), Errc::corrupt);
  auto falling = times;
  falling[0] = 1;
  EXPECT_EQ(code(offsets, falling, 900), Errc::corrupt);
}

}  // namespace
}  // namespace moldau::log
