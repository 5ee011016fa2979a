// Record batches against those that Kafka's producer classes built, and against hostile ones.
#include "wire/record_batch.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/varint.h"
#include "golden_batch.h"
#include "wire/record_batch_builder.h"

namespace moldau::wire {
namespace {

const std::vector<GoldenBatch>& golden() {
  static const std::vector<GoldenBatch> all =
      read_golden_batches(MOLDAU_WIRE_GOLDEN "/golden_batches.txt");
  return all;
}
const GoldenBatch& golden(std::string_view name) {
  for (const GoldenBatch& batch : golden())
    if (batch.name == name) return batch;
  ADD_FAILURE() << "no golden batch " << name;
  return golden().front();
}

std::string error_of(const Result<void>& result) {
  return result ? "ok" : result.error().to_string();
}

// Everything that a receiver of a batch checks.
Result<void> check_all(Bytes in, RecordWalk::Offsets offsets = RecordWalk::Offsets::sequential) {
  TRY(header, read_batch_header(in));
  if (header.size() != in.size()) return fail(Errc::truncated, "size");
  TRY_(check_batch_crc(in));
  TRY_(check_produced_header(header));
  RecordWalk walk(header, RecordWalk::records_of(in), offsets);
  while (walk.next()) {
  }
  return walk.finish();
}

void patch_crc(std::vector<uint8_t>& batch) {
  store_be(batch.data() + 17, compute_batch_crc(batch));
}

TEST(RecordBatch, ReadsHeadersAsKafkaDoes) {
  ASSERT_GE(golden().size(), 13u);
  for (const GoldenBatch& batch : golden()) {
    Result<BatchHeader> header = read_batch_header(batch.bytes);
    ASSERT_TRUE(header) << batch.name << error_of(Result<void>(header.error()));
    EXPECT_EQ(*header, batch.header) << batch.name;
    EXPECT_EQ(header->last_sequence(), batch.last_sequence) << batch.name;
    EXPECT_EQ(header->size(), batch.bytes.size()) << batch.name;
    EXPECT_EQ(error_of(check_batch_crc(batch.bytes)), "ok") << batch.name;
  }
  EXPECT_EQ(golden("gzip").header.codec(), Codec::gzip);
  EXPECT_EQ(golden("zstd").header.codec(), Codec::zstd);
  EXPECT_TRUE(golden("transactional").header.transactional());
  EXPECT_TRUE(golden("commit_marker").header.control());
  EXPECT_EQ(golden("sequence_wraps").last_sequence, 1);
}

TEST(RecordBatch, WalksRecordsAsKafkaDoes) {
  for (const GoldenBatch& batch : golden()) {
    if (batch.header.codec() != Codec::none) continue;
    bool gaps = batch.name == "compacted";
    RecordWalk walk(batch.header, RecordWalk::records_of(batch.bytes),
                    gaps ? RecordWalk::Offsets::ascending : RecordWalk::Offsets::sequential);
    for (const GoldenRecord& expected : batch.records) {
      ASSERT_TRUE(walk.next()) << batch.name << error_of(walk.finish());
      EXPECT_EQ(walk.offset().value, expected.offset) << batch.name;
      EXPECT_EQ(walk.timestamp(), expected.timestamp) << batch.name;
      EXPECT_EQ(hex_of(walk.record().key), expected.key) << batch.name;
      EXPECT_EQ(hex_of(walk.record().value), expected.value) << batch.name;
      RecordHeaders headers(walk.record());
      for (const std::string& one : expected.headers) {
        ASSERT_TRUE(headers.next());
        EXPECT_EQ(hex_of(as_bytes(headers.key())) + "=" + hex_of(headers.value()), one);
      }
      EXPECT_FALSE(headers.next());
    }
    EXPECT_FALSE(walk.next());
    EXPECT_EQ(error_of(walk.finish()), "ok") << batch.name;
  }
}

TEST(RecordBatch, BuildsTheSameBytesAsKafka) {
  for (const GoldenBatch& batch : golden()) {
    if (batch.header.codec() != Codec::none || batch.name == "after_append") continue;
    const BatchHeader& h = batch.header;
    RecordBatchBuilder builder({.base_offset = h.base_offset,
                                .leader_epoch = h.leader_epoch,
                                .timestamp_type = h.timestamp_type(),
                                .log_append_time = h.max_timestamp,
                                .producer_id = h.producer_id,
                                .producer_epoch = h.producer_epoch,
                                .base_sequence = h.base_sequence,
                                .transactional = h.transactional(),
                                .control = h.control()});
    RecordWalk walk(h, RecordWalk::records_of(batch.bytes), RecordWalk::Offsets::ascending);
    while (walk.next()) {
      std::vector<RecordBatchBuilder::Header> headers;
      for (RecordHeaders r(walk.record()); r.next();) headers.push_back({r.key(), r.value()});
      builder.add_at(walk.offset(), h.base_timestamp + walk.record().timestamp_delta,
                     walk.record().key, walk.record().value, headers);
    }
    EXPECT_EQ(hex_of(builder.finish()), hex_of(batch.bytes)) << batch.name;
  }
}

TEST(RecordBatch, ChangesInPlaceGiveTheBytesThatKafkasBrokerGives) {
  std::vector<uint8_t> batch = golden("before_append").bytes;
  set_base_offset(batch, Offset(1000));
  set_leader_epoch(batch, LeaderEpoch(17));
  EXPECT_EQ(error_of(check_batch_crc(batch)), "ok")
      << "offset and epoch are outside of the checksum";
  set_max_timestamp(batch, TimestampType::log_append_time,
                    golden("after_append").header.max_timestamp);
  EXPECT_EQ(hex_of(batch), hex_of(golden("after_append").bytes));
  // And back.
  set_max_timestamp(batch, TimestampType::create_time,
                    golden("before_append").header.max_timestamp);
  set_base_offset(batch, Offset(0));
  set_leader_epoch(batch, LeaderEpoch(-1));
  EXPECT_EQ(hex_of(batch), hex_of(golden("before_append").bytes));
}

TEST(RecordBatch, AnyFlippedBitUnderTheChecksumIsCorrupt) {
  std::vector<uint8_t> batch = golden("one").bytes;
  for (size_t i = 17; i < batch.size(); i++) {
    for (int bit = 0; bit < 8; bit++) {
      batch[i] ^= static_cast<uint8_t>(1 << bit);
      Result<void> result = check_batch_crc(batch);
      ASSERT_FALSE(result) << i << " bit " << bit;
      EXPECT_EQ(result.error().code(), Errc::corrupt);
      batch[i] ^= static_cast<uint8_t>(1 << bit);
    }
  }
}

TEST(RecordBatch, HeadersCutShortAreTruncated) {
  const std::vector<uint8_t>& batch = golden("one").bytes;
  for (size_t n = 0; n < kBatchHeaderSize; n++) {
    Result<BatchHeader> header = read_batch_header(Bytes(batch).first(n));
    ASSERT_FALSE(header) << n;
    EXPECT_EQ(header.error().code(), Errc::truncated);
  }
}

TEST(RecordBatch, ImpossibleLengthsAndFormatsAreCorruptAndOldFormatsUnsupported) {
  auto code = [](int8_t magic, int32_t length) {
    std::vector<uint8_t> batch = golden("one").bytes;
    store_be(batch.data() + 8, length);
    store_be(batch.data() + 16, magic);
    Result<BatchHeader> header = read_batch_header(batch);
    return header ? Errc::closed : header.error().code();
  };
  EXPECT_EQ(code(2, 48), Errc::corrupt);
  EXPECT_EQ(code(2, -1), Errc::corrupt);
  EXPECT_EQ(code(2, 49), Errc::closed);
  EXPECT_EQ(code(3, 100), Errc::corrupt);
  EXPECT_EQ(code(-1, 100), Errc::corrupt);
  EXPECT_EQ(code(1, 100), Errc::unsupported);
  EXPECT_EQ(code(0, 14), Errc::unsupported);
  EXPECT_EQ(code(0, 13), Errc::corrupt);
}

TEST(RecordBatch, ProducedHeadersMustAgreeWithThemselves) {
  const BatchHeader good = golden("transactional").header;
  EXPECT_EQ(error_of(check_produced_header(good)), "ok");
  auto code = [&](auto change) {
    BatchHeader h = good;
    change(h);
    Result<void> result = check_produced_header(h);
    return result ? Errc::closed : result.error().code();
  };
  EXPECT_EQ(code([](BatchHeader& h) { h.record_count = 0; }), Errc::invalid);
  EXPECT_EQ(code([](BatchHeader& h) { h.record_count = -1, h.last_offset_delta = -2; }),
            Errc::invalid);
  EXPECT_EQ(code([](BatchHeader& h) { h.last_offset_delta++; }), Errc::invalid);
  EXPECT_EQ(code([](BatchHeader& h) { h.last_offset_delta = 0x7fffffff; }), Errc::invalid);
  EXPECT_EQ(code([](BatchHeader& h) { h.base_sequence = -1; }), Errc::invalid);
  EXPECT_EQ(code([](BatchHeader& h) { h.attributes |= BatchHeader::kControl; }), Errc::invalid);
  EXPECT_EQ(code([](BatchHeader& h) { h.attributes |= 5; }), Errc::unsupported);
}

// A batch with one record whose body is given, with the checksum in order.
std::vector<uint8_t> batch_with(std::vector<uint8_t> record, int32_t count = 1) {
  RecordBatchBuilder builder;
  builder.add(0, std::nullopt, std::nullopt);
  std::vector<uint8_t> batch = builder.finish();
  batch.resize(kBatchHeaderSize);
  batch.insert(batch.end(), record.begin(), record.end());
  store_be(batch.data() + 8, static_cast<int32_t>(batch.size() - kBatchPrefixSize));
  store_be(batch.data() + 23, count - 1);
  store_be(batch.data() + 57, count);
  patch_crc(batch);
  return batch;
}

TEST(RecordWalk, NamesWhatIsWrongWithARecord) {
  struct Case {
    std::vector<uint8_t>
        record;  // length, attributes, timestamp, offset, key, value, headers; zig-zag varints
    std::string_view error;
  };
  const Case cases[] = {
      {{12, 0, 0, 0, 1, 1, 0}, "ok"},
      {{}, "its length is cut or no varint"},
      {{0x80, 0x80, 0x80, 0x80, 0x80, 0}, "its length is cut or no varint"},
      {{1, 0, 0, 0, 1, 1, 0}, "its length goes past the batch"},
      {{14, 0, 0, 0, 1, 1, 0}, "its length goes past the batch"},
      {{0}, "it is empty"},
      {{2, 0}, "its timestamp is cut or no varint"},
      {{4, 0, 0}, "its offset is cut or no varint"},
      {{6, 0, 0, 0}, "its key goes past its end"},
      {{12, 0, 0, 0, 40, 1, 0}, "its key goes past its end"},
      {{12, 0, 0, 0, 1, 40, 0}, "its value goes past its end"},
      {{10, 0, 0, 0, 1, 1}, "its number of headers is cut or negative"},
      {{12, 0, 0, 0, 1, 1, 1}, "its number of headers is cut or negative"},
      {{12, 0, 0, 0, 1, 1, 2}, "it has more headers than bytes"},
      {{16, 0, 0, 0, 1, 1, 2, 1, 1}, "a header has no key"},
      {{16, 0, 0, 0, 1, 1, 2, 0, 4}, "a header goes past its end"},
      {{14, 0, 0, 0, 1, 1, 0, 0}, "it is shorter than its length"},
      {{12, 0, 0, 2, 1, 1, 0}, "its offset does not follow the one before"},
      {{12, 0, 0, 1, 1, 1, 0}, "its offset does not follow the one before"},
  };
  for (const Case& one : cases) {
    std::string error = error_of(check_all(batch_with(one.record)));
    EXPECT_NE(error.find(one.error), std::string::npos) << error << ", wanted: " << one.error;
    if (one.error != "ok")
      EXPECT_NE(error.find("record 0 of 1 in the batch at offset 0"), std::string::npos) << error;
  }
  std::string error = error_of(check_all(batch_with({12, 0, 0, 0, 1, 1, 0, 99})));
  EXPECT_NE(error.find("1 bytes behind the last of 1 records"), std::string::npos) << error;
  error = error_of(check_all(batch_with({12, 0, 0, 0, 1, 1, 0}, 2)));
  EXPECT_NE(error.find("record 1 of 2"), std::string::npos) << error;
}

TEST(RecordWalk, GapsAreForCompactedBatchesOnly) {
  const GoldenBatch& batch = golden("compacted");
  EXPECT_EQ(batch.records.size(), 3u);
  RecordWalk strict(batch.header, RecordWalk::records_of(batch.bytes));
  EXPECT_TRUE(strict.next());
  EXPECT_FALSE(strict.next());
  EXPECT_FALSE(strict.finish());
}

TEST(RecordWalk, SurvivesAnyBytes) {
  Random random(7);
  const GoldenBatch& source = golden("many");
  for (int round = 0; round < 3000; round++) {
    std::vector<uint8_t> batch = source.bytes;
    for (uint64_t n = random.below(4); n-- > 0;)
      batch[random.below(batch.size())] = static_cast<uint8_t>(random.next());
    batch.resize(kBatchHeaderSize + random.below(batch.size() - kBatchHeaderSize));
    RecordWalk walk(source.header, RecordWalk::records_of(batch));
    int records = 0;
    while (walk.next()) {
      records++;
      for (RecordHeaders headers(walk.record()); headers.next();)
        EXPECT_LE(headers.key().size(), batch.size());
    }
    EXPECT_LE(records, source.header.record_count);
    EXPECT_FALSE(walk.finish()) << "a cut batch is never whole";
  }
}

TEST(BatchWalk, WalksConsecutiveBatches) {
  std::vector<uint8_t> all;
  for (const GoldenBatch& batch : golden())
    all.insert(all.end(), batch.bytes.begin(), batch.bytes.end());
  BatchWalk walk(all, BatchWalk::Torn::refuse);
  size_t position = 0;
  for (const GoldenBatch& batch : golden()) {
    ASSERT_TRUE(walk.next()) << batch.name;
    EXPECT_EQ(walk.header(), batch.header);
    EXPECT_EQ(walk.position(), position);
    EXPECT_TRUE(equal(walk.batch(), batch.bytes));
    position += batch.bytes.size();
  }
  EXPECT_FALSE(walk.next());
  EXPECT_EQ(error_of(walk.finish()), "ok");
  EXPECT_EQ(walk.position(), all.size());
}

TEST(BatchWalk, ATornTailIsAnErrorForProduceAndOrdinaryForFetch) {
  const std::vector<uint8_t>& one = golden("one").bytes;
  std::vector<uint8_t> two = one;
  two.insert(two.end(), one.begin(), one.end());
  for (size_t n = one.size() + 1; n < two.size(); n++) {
    BatchWalk fetch(Bytes(two).first(n), BatchWalk::Torn::tolerate);
    EXPECT_TRUE(fetch.next());
    EXPECT_FALSE(fetch.next());
    EXPECT_EQ(error_of(fetch.finish()), "ok");
    EXPECT_EQ(fetch.position(), one.size());
    BatchWalk produce(Bytes(two).first(n), BatchWalk::Torn::refuse);
    EXPECT_TRUE(produce.next());
    EXPECT_FALSE(produce.next());
    ASSERT_FALSE(produce.finish());
    EXPECT_EQ(produce.finish().error().code(), Errc::truncated);
  }
}

TEST(BatchWalk, CorruptionIsNotATornTail) {
  std::vector<uint8_t> two = golden("one").bytes;
  size_t first = two.size();
  two.insert(two.end(), two.begin(), two.begin() + static_cast<ptrdiff_t>(first));
  store_be(two.data() + first + 8, int32_t{3});
  BatchWalk walk(two, BatchWalk::Torn::tolerate);
  EXPECT_TRUE(walk.next());
  EXPECT_FALSE(walk.next());
  ASSERT_FALSE(walk.finish());
  EXPECT_EQ(walk.finish().error().code(), Errc::corrupt);
  EXPECT_EQ(walk.finish().error().text().find(fmt::format("byte {}", first)), 0u)
      << walk.finish().error().text();
}

}  // namespace
}  // namespace moldau::wire
