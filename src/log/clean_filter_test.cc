#include "log/clean_filter.h"

#include <gtest/gtest.h>

#include "base/bug.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

using wire::BatchHeader;
using wire::NullableBytes;
using wire::RecordBatchBuilder;
using wire::RecordWalk;

struct Said {
  std::string key;    // "-": none
  std::string value;  // "-": null
};
using Options = RecordBatchBuilder::Options;
using Batch = std::vector<uint8_t>;

Batch batch_of(int64_t base, const std::vector<Said>& records, Options options = {}) {
  options.base_offset = Offset(base);
  options.leader_epoch = LeaderEpoch(3);
  RecordBatchBuilder builder(options);
  int64_t timestamp = 1000 + base * 10;
  auto bytes = [](const std::string& s) {
    return s == "-" ? NullableBytes() : NullableBytes(as_bytes(s));
  };
  for (const Said& said : records)
    builder.add(timestamp++, bytes(said.key), bytes(said.value), {{{.key = "h", .value = {}}}});
  return builder.finish();
}

Options of_producer(int64_t id, int32_t sequence, bool transactional = true) {
  return {.producer_id = ProducerId(id),
          .producer_epoch = ProducerEpoch(1),
          .base_sequence = sequence,
          .transactional = transactional};
}

Batch marker(int64_t base, int64_t producer, ControlType type) {
  Options options = of_producer(producer, -1);
  options.base_offset = Offset(base);
  options.control = true;
  RecordBatchBuilder builder(options);
  uint8_t key[4] = {0, 0, 0, static_cast<uint8_t>(type)};
  uint8_t value[6] = {};
  builder.add(1000 + base * 10, Bytes(key), Bytes(value));
  return builder.finish();
}

BatchHeader header_of(const Batch& batch) { return *wire::read_batch_header(batch); }

struct Cleaning {
  int64_t now = 100'000;
  int64_t retention = 1000;
  Offset first_dirty{0};
  Offset round_end{1'000'000};
  size_t map_bytes = 24 * 1000;
  LastRecords producers;
  AbortedList aborted;
  // Result:
  std::vector<Verdict> verdicts;
  AbortedList listed;
  Offset map_end{0};

  std::vector<Batch> run(const std::vector<Batch>& log) {
    OffsetMap map({.bytes = map_bytes}, {1, 2});
    MapFill fill(map, first_dirty);
    fill.transactions().expect(aborted, first_dirty);
    for (const Batch& batch : log) {
      if (header_of(batch).last_offset() < first_dirty) continue;
      auto more = fill.add(header_of(batch), batch);
      EXPECT_TRUE(more.has_value());
      if (!*more) break;
    }
    map_end = map.latest() + 1;
    BatchFilter filter(
        map, producers,
        {.now = WallTime{now}, .delete_retention_millis = retention, .round_end = round_end});
    filter.transactions().expect(aborted, Offset(0));
    verdicts.clear();
    std::vector<Batch> out;
    for (const Batch& batch : log) {
      Batch left;
      auto verdict = filter.filter(header_of(batch), batch, left);
      EXPECT_TRUE(verdict.has_value()) << verdict.error().to_string();
      verdicts.push_back(*verdict);
      EXPECT_EQ(left.empty(), *verdict == Verdict::dropped);
      if (left.empty()) continue;
      BatchHeader after = header_of(left), before = header_of(batch);
      EXPECT_TRUE(wire::check_batch_crc(left).has_value());
      EXPECT_EQ(after.size(), left.size());
      EXPECT_EQ(after.base_offset, before.base_offset);
      EXPECT_EQ(after.last_offset_delta, before.last_offset_delta);
      EXPECT_EQ(after.leader_epoch, before.leader_epoch);
      EXPECT_EQ(after.last_sequence(), before.last_sequence());
      EXPECT_EQ(after.producer_id, before.producer_id);
      out.push_back(left);
    }
    listed = filter.transactions().take_listed();
    return out;
  }
};

// "offset:key=value@timestamp" of each record.
std::string text(const std::vector<Batch>& log) {
  std::string out;
  for (const Batch& batch : log) {
    BatchHeader header = header_of(batch);
    wire::Inflater inflater;
    Bytes block = RecordWalk::records_of(batch);
    auto records = wire::inflate_all(inflater, header.codec(), 2, block);
    EXPECT_TRUE(records.has_value());
    RecordWalk walk(header, *records, RecordWalk::Offsets::ascending);
    while (walk.next()) {
      const wire::Record& record = walk.record();
      if (header.control()) {
        out += fmt::format("{}:marker ", walk.offset());
        continue;
      }
      EXPECT_EQ(record.header_count, 1);
      out += fmt::format("{}:{}={}@{} ", walk.offset(), record.key ? as_text(*record.key) : "-",
                         record.value ? as_text(*record.value) : "-", walk.timestamp());
    }
    EXPECT_TRUE(walk.finish().has_value());
  }
  return out;
}

using Verdicts = std::vector<Verdict>;

TEST(BatchFilter, KeepsTheNewestRecordOfEachKey) {
  Cleaning cleaning;
  auto left = cleaning.run({batch_of(0, {{"a", "1"}, {"b", "1"}, {"a", "2"}}),
                            batch_of(3, {{"c", "1"}}), batch_of(4, {{"b", "2"}})});
  EXPECT_EQ(text(left), "2:a=2@1002 3:c=1@1030 4:b=2@1040 ");
  EXPECT_EQ(cleaning.verdicts, (Verdicts{Verdict::rewritten, Verdict::kept, Verdict::kept}));
  EXPECT_EQ(header_of(left[0]).base_timestamp, 1002) << "of the first record that stays";
  EXPECT_EQ(header_of(left[0]).max_timestamp, 1002);
}

TEST(BatchFilter, WhatIsKeptWholeKeepsItsBytes) {
  Cleaning cleaning;
  Batch batch = batch_of(0, {{"a", "1"}, {"b", "1"}});
  EXPECT_EQ(cleaning.run({batch}), std::vector<Batch>{batch});
}

TEST(BatchFilter, RecordsWithoutAKeyGo) {
  Cleaning cleaning;
  EXPECT_EQ(text(cleaning.run({batch_of(0, {{"-", "1"}, {"a", "1"}}), batch_of(2, {{"-", "2"}})})),
            "1:a=1@1001 ");
}

TEST(BatchFilter, ATombstoneStaysUntilItsHorizon) {
  Cleaning cleaning;
  auto log = cleaning.run({batch_of(0, {{"a", "1"}, {"b", "1"}}), batch_of(2, {{"a", "-"}})});
  EXPECT_EQ(text(log), "1:b=1@1001 2:a=-@1020 ");
  EXPECT_FALSE(header_of(log[0]).has_delete_horizon());
  EXPECT_TRUE(header_of(log[1]).has_delete_horizon());
  EXPECT_EQ(header_of(log[1]).base_timestamp, 101'000) << "now + delete.retention.ms";
  EXPECT_EQ(header_of(log[1]).max_timestamp, 1020);
  cleaning.now = 100'999;
  EXPECT_EQ(cleaning.run(log), log) << "the horizon is set once";
  cleaning.now = 101'000;
  EXPECT_EQ(text(cleaning.run(log)), "1:b=1@1001 ");
}

TEST(BatchFilter, ATombstoneBeyondTheMapIsNotTouched) {
  Cleaning cleaning{.map_bytes = 24 * 3};  // two keys
  auto log = cleaning.run(
      {batch_of(0, {{"a", "1"}, {"b", "1"}, {"c", "1"}, {"a", "2"}}), batch_of(4, {{"c", "2"}})});
  EXPECT_EQ(cleaning.map_end, Offset(2));
  EXPECT_EQ(text(log), "0:a=1@1000 1:b=1@1001 2:c=1@1002 3:a=2@1003 4:c=2@1040 ");
  cleaning.first_dirty = cleaning.map_end;
  EXPECT_EQ(text(cleaning.run(log)), "1:b=1@1001 3:a=2@1003 4:c=2@1040 ");
}

TEST(BatchFilter, TheLastBatchOfAKnownProducerKeepsItsHeader) {
  Cleaning cleaning;
  cleaning.producers[7] = {.last_data = Offset(1), .epoch = ProducerEpoch(1)};
  auto left = cleaning.run({batch_of(0, {{"a", "1"}, {"a", "2"}}, of_producer(7, 40, false)),
                            batch_of(2, {{"a", "3"}}, of_producer(8, 0, false)),
                            batch_of(3, {{"a", "4"}})});
  EXPECT_EQ(cleaning.verdicts, (Verdicts{Verdict::emptied, Verdict::dropped, Verdict::kept}));
  BatchHeader empty = header_of(left[0]);
  EXPECT_EQ(empty.record_count, 0);
  EXPECT_EQ(empty.last_sequence(), 41);
  EXPECT_EQ(empty.base_timestamp, -1);
  EXPECT_EQ(empty.max_timestamp, 1001);
  EXPECT_EQ(cleaning.run(left), left);
  cleaning.producers.clear();
  EXPECT_EQ(cleaning.run(left).size(), 1u) << "its producer is forgotten";
}

TEST(BatchFilter, TheLastBatchOfARoundKeepsItsHeader) {
  Cleaning cleaning{.round_end = Offset(3)};
  cleaning.run({batch_of(0, {{"a", "1"}}), batch_of(1, {{"-", "1"}, {"-", "2"}})});
  EXPECT_EQ(cleaning.verdicts, (Verdicts{Verdict::kept, Verdict::emptied}));
}

TEST(BatchFilter, AbortedDataGoesAtOnceAndItsMarkerLater) {
  AbortedTransaction aborted{ProducerId(7), Offset(1), Offset(3), Offset(4)};
  Cleaning cleaning{.aborted = {aborted}};
  auto log = cleaning.run({batch_of(0, {{"a", "1"}}),
                           batch_of(1, {{"a", "no"}, {"b", "no"}}, of_producer(7, 0)),
                           marker(3, 7, ControlType::abort)});
  EXPECT_EQ(text(log), "0:a=1@1000 3:marker ");
  EXPECT_EQ(cleaning.listed, std::vector{aborted}) << "a reader may still see the data";
  EXPECT_FALSE(header_of(log[1]).has_delete_horizon());
  log = cleaning.run(log);
  EXPECT_EQ(text(log), "0:a=1@1000 3:marker ");
  EXPECT_TRUE(header_of(log[1]).has_delete_horizon()) << "nothing of the transaction is left";
  EXPECT_EQ(cleaning.listed, AbortedList{});
  cleaning.now += 1000;
  EXPECT_EQ(text(cleaning.run(log)), "0:a=1@1000 ");
}

TEST(BatchFilter, AnAbortedTransactionInTheCleanPartSaysNothingOfTheNextOne) {
  Cleaning cleaning{.first_dirty = Offset(3),
                    .aborted = {{ProducerId(7), Offset(1), Offset(2), Offset(3)}}};
  auto log =
      cleaning.run({batch_of(0, {{"a", "1"}}), batch_of(1, {{"b", "no"}}, of_producer(7, 0)),
                    marker(2, 7, ControlType::abort), batch_of(3, {{"a", "2"}}, of_producer(7, 1)),
                    marker(4, 7, ControlType::commit)});
  EXPECT_EQ(text(log), "2:marker 3:a=2@1030 4:marker ");
}

TEST(BatchFilter, ACommitMarkerGoesAfterItsData) {
  Cleaning cleaning;
  std::vector<Batch> log = {batch_of(0, {{"a", "1"}}, of_producer(7, 0)),
                            marker(1, 7, ControlType::commit)};
  EXPECT_EQ(cleaning.run(log), log);
  log.push_back(batch_of(2, {{"a", "2"}}));
  log = cleaning.run(log);
  EXPECT_EQ(text(log), "1:marker 2:a=2@1020 ");
  EXPECT_FALSE(header_of(log[0]).has_delete_horizon()) << "its data was seen in this round";
  log = cleaning.run(log);
  EXPECT_TRUE(header_of(log[0]).has_delete_horizon());
  cleaning.producers[7] = {.last_data = {}, .epoch = ProducerEpoch(1)};
  cleaning.now += 1000;
  log = cleaning.run(log);
  EXPECT_EQ(text(log), "2:a=2@1020 ");
  EXPECT_EQ(header_of(log[0]).record_count, 0) << "it tells the producer's epoch";
  EXPECT_EQ(cleaning.run(log).size(), 2u);
}

TEST(BatchFilter, LogAppendTimeStays) {
  Options options{.timestamp_type = wire::TimestampType::log_append_time, .log_append_time = 5000};
  Cleaning cleaning;
  auto log =
      cleaning.run({batch_of(0, {{"a", "1"}, {"b", "-"}}, options), batch_of(2, {{"a", "2"}})});
  EXPECT_EQ(text(log), "1:b=-@5000 2:a=2@1020 ");
  EXPECT_EQ(header_of(log[0]).max_timestamp, 5000);
}

TEST(BatchFilter, ACompressedBatchIsCompressedAgain) {
  for (wire::Codec codec :
       {wire::Codec::gzip, wire::Codec::snappy, wire::Codec::lz4, wire::Codec::zstd}) {
    Options options{.codec = codec};
    Cleaning cleaning;
    std::vector<Batch> log = {batch_of(0, {{"a", "1"}, {"b", "1"}, {"c", "-"}}, options),
                              batch_of(3, {{"d", "1"}, {"d2", "1"}}, options),
                              batch_of(5, {{"a", "2"}})};
    auto left = cleaning.run(log);
    EXPECT_EQ(text(left), "1:b=1@1001 2:c=-@1002 3:d=1@1030 4:d2=1@1031 5:a=2@1050 ");
    EXPECT_EQ(cleaning.verdicts, (Verdicts{Verdict::rewritten, Verdict::kept, Verdict::kept}));
    EXPECT_EQ(left[1], log[1]) << "its bytes";
    EXPECT_EQ(header_of(left[0]).codec(), codec);
    EXPECT_TRUE(header_of(left[0]).has_delete_horizon());
    cleaning.now += 1000;
    left = cleaning.run(left);
    EXPECT_EQ(text(left), "1:b=1@1001 3:d=1@1030 4:d2=1@1031 5:a=2@1050 ");
    log[0][61] ^= 0x55;
    store_be(log[0].data() + 17, wire::compute_batch_crc(log[0]));
    OffsetMap map({.bytes = 2400}, {1, 2});
    MapFill fill(map, Offset(0));
    EXPECT_FALSE(fill.add(header_of(log[0]), log[0]).has_value()) << "it does not decompress";
  }
}

TEST(BatchFilter, DamageIsNotGivenANewChecksum) {
  OffsetMap map({.bytes = 2400}, {1, 2});
  LastRecords none;
  Batch batch = batch_of(0, {{"a", "1"}});
  batch.back() ^= 1;
  MapFill fill(map, Offset(0));
  EXPECT_EQ(fill.add(header_of(batch), batch).error().code(), Errc::corrupt);
  BatchFilter filter(map, none, {});
  Batch out;
  EXPECT_EQ(filter.filter(header_of(batch), batch, out).error().code(), Errc::corrupt);
  EXPECT_TRUE(out.empty());
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(BatchFilter, PlantedBugsChangeWhatIsKept) {
  std::vector<Batch> log = {batch_of(0, {{"a", "1"}, {"b", "-"}}, of_producer(7, 0, false)),
                            batch_of(2, {{"a", "2"}}), batch_of(3, {{"c", "1"}, {"d", "1"}}),
                            batch_of(5, {{"c", "-"}})};
  Cleaning cleaning{.map_bytes = 24 * 4};
  cleaning.producers[7] = {.last_data = Offset(1), .epoch = ProducerEpoch(1)};
  auto right = cleaning.run(log);
  for (Bug bug : {Bug::cleaner_drops_unmapped, Bug::cleaner_tombstone_early}) {
    plant(bug);
    EXPECT_NE(cleaning.run(log), right) << bug_name(bug);
  }
  plant(Bug::cleaner_drops_last_sequence);
  Cleaning of_one;
  of_one.producers[7] = {.last_data = Offset(0), .epoch = ProducerEpoch(1)};
  of_one.run({batch_of(0, {{"a", "1"}}, of_producer(7, 40, false)), batch_of(1, {{"a", "2"}})});
  plant(Bug::none);
  EXPECT_NE(of_one.verdicts, (Verdicts{Verdict::emptied, Verdict::kept}));
}
#endif

}  // namespace
}  // namespace moldau::log
