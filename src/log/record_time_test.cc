#include "log/record_time.h"

#include <gtest/gtest.h>

#include "wire/legacy_message.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

constexpr int64_t kTimes[] = {500, 900, 300, 900, 700};  // as producers send them: in no order

std::optional<TimestampOffset> found(Bytes batch, int64_t from, int64_t t) {
  auto at = first_record_since(batch, Offset(from), WallTime{t});
  EXPECT_TRUE(at) << at.error().to_string();
  return at ? *at : std::nullopt;
}

std::optional<TimestampOffset> at(int64_t offset, int64_t t) {
  return TimestampOffset{WallTime{t}, Offset(offset)};
}

TEST(RecordTime, IsThatOfTheFirstRecordNewEnoughWithEveryCodec) {
  for (int codec = 0; codec < wire::kCodecs; codec++) {
    wire::RecordBatchBuilder builder(
        {.base_offset = Offset(40), .codec = static_cast<wire::Codec>(codec)});
    for (int64_t time : kTimes) builder.add(time, as_bytes("key"), as_bytes("value"));
    std::vector<uint8_t> batch = builder.finish();
    EXPECT_EQ(found(batch, 0, 200), at(40, 500)) << codec;
    EXPECT_EQ(found(batch, 0, 501), at(41, 900)) << codec;
    EXPECT_EQ(found(batch, 42, 301), at(43, 900)) << codec;
    EXPECT_EQ(found(batch, 44, 0), at(44, 700)) << codec;
    EXPECT_EQ(found(batch, 44, 701), std::nullopt) << codec;
    EXPECT_EQ(found(batch, 0, 901), std::nullopt) << codec;
  }
}

TEST(RecordTime, OfABatchStampedByTheBrokerIsThatOfItsFirstRecord) {
  wire::RecordBatchBuilder builder({.base_offset = Offset(7),
                                    .timestamp_type = wire::TimestampType::log_append_time,
                                    .log_append_time = 2000,
                                    .codec = wire::Codec::zstd});
  // Compaction took the first one.
  builder.add_at(Offset(9), 1, as_bytes("key"), std::nullopt);
  std::vector<uint8_t> batch = builder.finish();
  EXPECT_EQ(found(batch, 0, 1500), at(9, 2000));
}

TEST(RecordTime, IsFoundInMessageSetsOfOldFormats) {
  for (wire::Codec codec : {wire::Codec::none, wire::Codec::gzip, wire::Codec::lz4}) {
    wire::LegacySetBuilder builder({.codec = codec, .base_offset = Offset(40)});
    for (int i = 0; i < 5; i++)
      builder.add(Offset(40 + i), kTimes[i], as_bytes("key"), as_bytes("value"));
    std::vector<uint8_t> set = builder.finish();
    auto expected = codec == wire::Codec::none ? std::nullopt : at(41, 900);
    EXPECT_EQ(found(set, 0, 501), expected) << "a message of its own if it is not compressed";
    EXPECT_EQ(found(set, 0, 400), at(40, 500));
  }
}

TEST(RecordTime, OfWhatDoesNotDecompressIsAnError) {
  wire::RecordBatchBuilder builder({.codec = wire::Codec::gzip});
  builder.add(500, as_bytes("key"), as_bytes("value"));
  std::vector<uint8_t> batch = builder.finish();
  batch[wire::kBatchHeaderSize + 4] ^= 0xff;
  batch.back() ^= 0xff;
  EXPECT_FALSE(first_record_since(batch, Offset(0), WallTime{0}));
}

}  // namespace
}  // namespace moldau::log
