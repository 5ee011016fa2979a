#include "log/segment_scan.h"

#include <gtest/gtest.h>

#include "base/bug.h"
#include "base/random.h"
#include "log/test_world.h"
#include "wire/legacy_message.h"

namespace moldau::log {
namespace {

std::vector<uint8_t> log_of(int batches, int64_t base) {
  std::vector<uint8_t> out;
  for (int i = 0; i < batches; i++) {
    auto batch =
        make_batch(1 + i % 4, 1000 + i, static_cast<size_t>(i * 13 % 90), static_cast<uint64_t>(i));
    wire::set_base_offset(batch, Offset(base));
    wire::set_leader_epoch(batch, LeaderEpoch(i / 3));
    base += 1 + i % 4;
    out.insert(out.end(), batch.begin(), batch.end());
  }
  return out;
}

std::vector<BatchInfo> scan(SegmentScan& scan, Bytes bytes, size_t piece) {
  std::vector<BatchInfo> found;
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(piece, bytes.size())))
    scan.feed(bytes.first(std::min(piece, bytes.size())), found);
  return found;
}

TEST(SegmentScan, FindsTheSameBatchesInPiecesOfAnySize) {
  auto log = log_of(20, 500);
  for (size_t piece : {size_t{1}, size_t{7}, size_t{61}, size_t{100}, log.size()}) {
    SegmentScan all(Offset(500), Offset(500));
    auto found = scan(all, log, piece);
    EXPECT_EQ(found.size(), 20u);
    EXPECT_EQ(all.valid_end(), std::ssize(log));
    EXPECT_EQ(all.next(), found.back().last + 1);
    EXPECT_TRUE(all.stopped().empty()) << all.stopped();
  }
}

TEST(SegmentScan, CutsAtTheLastWholeBatchWhereverTheFileEnds) {
  auto log = log_of(6, 0);
  SegmentScan whole(Offset(0), Offset(0));
  auto batches = scan(whole, log, log.size());
  for (size_t size = 0; size < log.size(); size++) {
    SegmentScan cut(Offset(0), Offset(0));
    auto found = scan(cut, Bytes(log).first(size), 64);
    int64_t expected = found.empty() ? 0 : found.back().position + found.back().size;
    EXPECT_EQ(cut.valid_end(), expected);
    EXPECT_LE(cut.valid_end(), static_cast<int64_t>(size));
    if (found.size() < batches.size())
      EXPECT_GT(batches[found.size()].position + batches[found.size()].size,
                static_cast<int64_t>(size));
  }
}

TEST(SegmentScan, StopsAtAnyFlippedBitThatTheLogDependsOn) {
  auto log = log_of(3, 0);
  SegmentScan whole(Offset(0), Offset(0));
  auto batches = scan(whole, log, log.size());
  int64_t at = batches[1].position;
  for (int64_t byte = at; byte < batches[2].position; byte++) {
    if (byte >= at + 12 && byte < at + 16)
      continue;  // the leader epoch is not covered by any check
    auto damaged = log;
    damaged[static_cast<size_t>(byte)] ^= 0x40;
    SegmentScan stops(Offset(0), Offset(0));
    stops.expect_size(std::ssize(log));
    auto found = scan(stops, damaged, 50);
    // A base offset may jump up: nothing but the next batch can contradict it, and it does or the
    // rest is refused.
    if (byte < at + 8 && found.size() == 2) continue;
    EXPECT_EQ(found.size(), 1u) << byte - at;
    EXPECT_EQ(stops.valid_end(), at);
    EXPECT_FALSE(stops.stopped().empty());
  }
}

TEST(SegmentScan, SurvivesAnything) {
  Random random(7);
  for (int run = 0; run < 2000; run++) {
    auto bytes = log_of(3, 0);
    size_t hits = random.below(6);
    for (size_t i = 0; i < hits; i++) {
      size_t at = random.below(bytes.size());
      bytes[at] = static_cast<uint8_t>(random.next());
    }
    SegmentScan any(Offset(0), Offset(0));
    size_t piece = 1 + random.below(200);
    auto found = scan(any, bytes, piece);
    Offset next(0);
    int64_t position = 0;
    for (const BatchInfo& batch : found) {
      EXPECT_GE(batch.base, next);
      EXPECT_EQ(batch.position, position);
      next = batch.last + 1;
      position += batch.size;
    }
    EXPECT_EQ(any.valid_end(), position);
    EXPECT_EQ(any.next(), next);
  }
}

std::vector<uint8_t> message_set(int8_t magic, wire::Codec codec, int64_t base, int count) {
  wire::LegacySetBuilder builder({.magic = magic, .codec = codec, .base_offset = Offset(base)});
  for (int i = 0; i < count; i++)
    builder.add(Offset(base + i), magic == 0 ? -1 : 5000 - i, as_bytes("key"), as_bytes("value"));
  return builder.finish();
}

TEST(SegmentScan, ReadsMessagesOfOldFormatsAndWhatFollowsThem) {
  std::vector<uint8_t> log;
  int64_t base = 0;
  for (int8_t magic : {int8_t{0}, int8_t{1}})
    for (wire::Codec codec : {wire::Codec::none, wire::Codec::gzip, wire::Codec::none}) {
      auto set = message_set(magic, codec, base, 3);
      log.insert(log.end(), set.begin(), set.end());
      base += 3;
    }
  auto batches = log_of(3, base);
  log.insert(log.end(), batches.begin(), batches.end());
  for (size_t piece : {size_t{1}, size_t{17}, size_t{18}, size_t{61}, log.size()}) {
    SegmentScan all(Offset(0), Offset(0));
    auto found = scan(all, log, piece);
    ASSERT_EQ(all.stopped(), "");
    ASSERT_EQ(found.size(), 17u) << "each message is one, a compressed one with those in it";
    EXPECT_EQ(all.valid_end(), std::ssize(log));
    EXPECT_EQ(found[0].last, Offset(0));
    EXPECT_EQ(found[3].base, Offset(3));
    EXPECT_EQ(found[3].last, Offset(5));
    EXPECT_EQ(found[3].max_timestamp, -1) << "format 0 has none";
    EXPECT_EQ(found[7].max_timestamp, 5000);
    EXPECT_EQ(found[7].epoch, LeaderEpoch(-1));
    EXPECT_EQ(found[14].base, Offset(base));
  }
}

TEST(SegmentScan, StopsAtADamagedMessageOfAnOldFormat) {
  std::vector<uint8_t> log = message_set(1, wire::Codec::none, 0, 3);
  int64_t one = std::ssize(log) / 3;
  log[static_cast<size_t>(one) + 40] ^= 1;
  SegmentScan all(Offset(0), Offset(0));
  EXPECT_EQ(scan(all, log, 100).size(), 1u);
  EXPECT_EQ(all.valid_end(), one);
  EXPECT_FALSE(all.stopped().empty());
  SegmentScan zeros(Offset(0), Offset(0));
  EXPECT_TRUE(scan(zeros, std::vector<uint8_t>(100), 100).empty());
  EXPECT_FALSE(zeros.stopped().empty());
}

}  // namespace
}  // namespace moldau::log
