#include "log/producer_state.h"

#include <gtest/gtest.h>

#include "base/bug.h"
#include "log/producer_snapshot.h"
#include "wire/record_batch_builder.h"

namespace moldau::log {
namespace {

constexpr int32_t kMax = INT32_MAX;

struct Sent {
  int16_t epoch = 0;
  int32_t sequence = 0;
  int32_t count = 1;
  bool transactional = false;
  int64_t producer = 7;
  int64_t timestamp = 1000;
};

// A log of one partition, as far as its producers are concerned.
struct Partition {
  ProducerState state;
  Offset end{0};

  PlacedBatch place(const Sent& sent) const {
    return {.producer = {.id = ProducerId(sent.producer),
                         .epoch = ProducerEpoch(sent.epoch),
                         .base_sequence = sent.sequence,
                         .transactional = sent.transactional},
            .base = end,
            .last_delta = sent.count - 1,
            .max_timestamp = sent.timestamp};
  }
  PlacedBatch marker(bool abort, int16_t epoch = 0, int32_t coordinator = 0,
                     int64_t producer = 7) const {
    PlacedBatch batch = place({.epoch = epoch, .sequence = -1, .producer = producer});
    batch.producer.transactional = batch.producer.control = true;
    batch.producer.marker = EndMarker{abort, coordinator};
    return batch;
  }
  // "ok", "again at N", or the error's name.
  std::string send(const Sent& sent) { return take(place(sent), Origin::client); }
  std::string take(const PlacedBatch& batch, Origin origin) {
    if (origin == Origin::client)
      if (auto seen = state.duplicate(batch))
        return fmt::format("again at {}", seen->first_offset());
    Result<void> checked = state.check(batch, origin);
    if (!checked) return std::string(errc_name(checked.error().code()));
    aborted = state.apply(batch);
    end = batch.last() + 1;
    return "ok";
  }
  std::optional<AbortedTransaction> aborted;
};

TEST(ProducerState, TakesSequencesThatFollowEachOther) {
  Partition p;
  EXPECT_EQ(p.send({.sequence = 0, .count = 3}), "ok");
  EXPECT_EQ(p.send({.sequence = 3, .count = 2}), "ok");
  EXPECT_EQ(p.send({.sequence = 6}), "out_of_sequence") << "5 is missing";
  EXPECT_EQ(p.send({.sequence = 5}), "ok");
}

TEST(ProducerState, AnswersABatchThatComesAgainWithItsFirstOffset) {
  Partition p;
  p.end = Offset(100);
  for (int i = 0; i < 6; i++) EXPECT_EQ(p.send({.sequence = 2 * i, .count = 2}), "ok");
  EXPECT_EQ(p.send({.sequence = 10, .count = 2}), "again at 110");
  EXPECT_EQ(p.send({.sequence = 2, .count = 2}), "again at 102") << "the fifth from the end";
  EXPECT_EQ(p.send({.sequence = 0, .count = 2}), "out_of_sequence") << "the sixth is forgotten";
  EXPECT_EQ(p.send({.sequence = 10, .count = 1}), "out_of_sequence") << "another batch";
  EXPECT_EQ(p.send({.sequence = 12}), "ok") << "nothing of that was remembered";
}

TEST(ProducerState, CountsOnFromTheLargestSequenceAtZero) {
  Partition p;
  EXPECT_EQ(p.send({.sequence = kMax - 1, .count = 2}), "ok")
      << "any sequence of an unknown producer";
  EXPECT_EQ(p.send({.sequence = 0, .count = 2}), "ok");
  Partition q;
  EXPECT_EQ(q.send({.sequence = kMax, .count = 3}), "ok") << "2147483647, 0, 1";
  EXPECT_EQ(q.send({.sequence = kMax, .count = 3}), "again at 0");
  EXPECT_EQ(q.send({.sequence = 1}), "out_of_sequence");
  EXPECT_EQ(q.send({.sequence = 2}), "ok");
}

TEST(ProducerState, BeginsANewEpochAtSequenceZero) {
  Partition p;
  EXPECT_EQ(p.send({.sequence = 0}), "ok");
  EXPECT_EQ(p.send({.epoch = 1, .sequence = 1}), "out_of_sequence");
  EXPECT_EQ(p.send({.epoch = 1, .sequence = 0}), "ok");
  EXPECT_EQ(p.send({.epoch = 0, .sequence = 0}), "producer_fenced");
  EXPECT_EQ(p.send({.epoch = 0, .sequence = 1}), "producer_fenced");
}

TEST(ProducerState, KeepsProducersApart) {
  Partition p;
  EXPECT_EQ(p.send({.sequence = 0}), "ok");
  EXPECT_EQ(p.send({.sequence = 5, .producer = 8}), "ok");
  EXPECT_EQ(p.send({.sequence = 1}), "ok");
  EXPECT_EQ(p.send({.sequence = 5, .producer = 8}), "again at 1");
}

TEST(ProducerState, OpensATransactionAndHoldsTheStableOffsetThere) {
  Partition p;
  p.send({.sequence = 0, .producer = 1});
  EXPECT_FALSE(p.state.first_unstable());
  EXPECT_EQ(p.send({.sequence = 0, .transactional = true}), "ok");
  p.send({.sequence = 1, .producer = 1});
  EXPECT_EQ(p.send({.sequence = 1, .transactional = true}), "ok");
  EXPECT_EQ(p.state.first_unstable(), Offset(1));
  EXPECT_EQ(p.send({.sequence = 2}), "wrong_transaction_state");
  EXPECT_EQ(p.take(p.marker(false), Origin::coordinator), "ok");
  EXPECT_FALSE(p.aborted);
  EXPECT_EQ(p.state.first_unstable(), Offset(1)) << "the marker is not replicated";
  p.state.on_high_watermark(Offset(4));
  EXPECT_EQ(p.state.first_unstable(), Offset(1));
  p.state.on_high_watermark(Offset(5));
  EXPECT_FALSE(p.state.first_unstable());
  EXPECT_EQ(p.send({.sequence = 2}), "ok");
}

TEST(ProducerState, TellsAbortedTransactionsAndHowFarAllIsDecided) {
  Partition p;
  p.send({.sequence = 0, .transactional = true, .producer = 1});  // 0
  p.send({.sequence = 0, .transactional = true, .producer = 2});  // 1
  p.send({.sequence = 0, .transactional = true, .producer = 3});  // 2
  p.take(p.marker(true, 0, 0, 2), Origin::coordinator);           // 3
  EXPECT_EQ(p.aborted, (AbortedTransaction{ProducerId(2), Offset(1), Offset(3), Offset(0)}));
  p.take(p.marker(false, 0, 0, 1), Origin::coordinator);  // 4
  p.take(p.marker(true, 0, 0, 3), Origin::coordinator);   // 5
  EXPECT_EQ(p.aborted, (AbortedTransaction{ProducerId(3), Offset(2), Offset(5), Offset(6)}));
}

TEST(ProducerState, FencesMarkersByBothEpochs) {
  Partition p;
  p.send({.epoch = 3, .sequence = 0, .transactional = true});
  EXPECT_EQ(p.take(p.marker(true, 2), Origin::coordinator), "producer_fenced");
  EXPECT_EQ(p.take(p.marker(true, 4, 9), Origin::coordinator), "ok");
  EXPECT_EQ(p.take(p.marker(true, 4, 8), Origin::coordinator), "coordinator_fenced");
  EXPECT_EQ(p.send({.epoch = 3, .sequence = 1, .transactional = true}), "producer_fenced")
      << "the marker raised the epoch";
  EXPECT_EQ(p.send({.epoch = 4, .sequence = 0, .transactional = true}), "ok");
}

TEST(ProducerState, TakesWhatIsReplicatedAsItIs) {
  Partition p;
  p.take(p.place({.epoch = 3, .sequence = 8}), Origin::replication);
  EXPECT_EQ(p.take(p.place({.epoch = 2, .sequence = 4}), Origin::replication), "ok");
  EXPECT_EQ(p.send({.epoch = 2, .sequence = 4}), "again at 1");
}

TEST(ProducerState, TakesBackWhatIsNotSettled) {
  Partition p;
  p.state.journal(true);
  p.send({.sequence = 0});
  p.send({.sequence = 0, .transactional = true, .producer = 1});
  p.state.settle(p.end);
  std::vector<uint8_t> before = encode_producer_snapshot(p.state);
  Offset end = p.end;
  p.send({.sequence = 1});
  p.take(p.marker(true, 0, 0, 1), Origin::coordinator);
  p.send({.epoch = 1, .sequence = 0, .transactional = true, .producer = 1});
  p.send({.sequence = 0, .producer = 9});
  p.state.take_back(end);
  EXPECT_EQ(encode_producer_snapshot(p.state), before);
  EXPECT_EQ(p.state.first_unstable(), Offset(1)) << "the transaction is open again";
  p.end = end;
  EXPECT_EQ(p.send({.sequence = 1}), "ok") << "what was taken back is no duplicate";
}

TEST(ProducerState, ForgetsSilentProducersButNoOpenTransaction) {
  Partition p;
  p.send({.sequence = 0, .timestamp = 1000});
  p.send({.sequence = 0, .transactional = true, .producer = 8, .timestamp = 1000});
  p.state.expire(WallTime{1000 + ProducerState::kDefaultExpiration - 1});
  EXPECT_EQ(p.state.size(), 2u);
  p.state.expire(WallTime{1000 + ProducerState::kDefaultExpiration});
  EXPECT_EQ(p.state.size(), 1u);
  EXPECT_EQ(p.send({.sequence = 40}), "ok") << "unknown again";
  EXPECT_EQ(p.send({.sequence = 9, .transactional = true, .producer = 8}), "out_of_sequence");
}

TEST(ProducerSnapshot, HoldsTheLastBatchOfEach) {
  Partition p;
  p.send({.epoch = 2, .sequence = 5, .count = 2, .timestamp = 4000});
  p.send({.epoch = 2, .sequence = 7, .count = 3, .timestamp = 5000});
  p.send({.sequence = 0, .transactional = true, .producer = 3});
  std::vector<uint8_t> bytes = encode_producer_snapshot(p.state);
  ASSERT_EQ(bytes.size(), 10u + 2 * 46u);
  EXPECT_EQ(load_be<int16_t>(bytes.data()), 1);
  EXPECT_EQ(load_be<int64_t>(bytes.data() + 10), 3) << "by producer id";
  auto entries = decode_producer_snapshot(bytes);
  ASSERT_TRUE(entries);
  ProducerState loaded;
  loaded.load(*entries, WallTime{6000});
  EXPECT_EQ(encode_producer_snapshot(loaded), bytes);
  EXPECT_EQ(loaded.first_unstable(), Offset(5));
  Partition q{loaded, p.end};
  EXPECT_EQ(q.send({.epoch = 2, .sequence = 7, .count = 3}), "again at 2");
  EXPECT_EQ(q.send({.epoch = 2, .sequence = 5, .count = 2}), "out_of_sequence")
      << "only the last batch is in the file";
  EXPECT_EQ(q.send({.epoch = 2, .sequence = 10}), "ok");
}

TEST(ProducerSnapshot, RefusesWhatIsNotWhole) {
  Partition p;
  p.send({.sequence = 5});
  std::vector<uint8_t> bytes = encode_producer_snapshot(p.state);
  for (size_t length = 0; length < bytes.size(); length++)
    EXPECT_FALSE(decode_producer_snapshot(Bytes(bytes).first(length))) << length;
  for (size_t at = 0; at < bytes.size(); at++) {
    std::vector<uint8_t> damaged = bytes;
    damaged[at] ^= 0x40;
    EXPECT_FALSE(decode_producer_snapshot(damaged)) << at;
  }
}

TEST(ProducerBatch, ReadsTheMarkerOfAControlBatch) {
  wire::RecordBatchBuilder builder({.producer_id = ProducerId(4),
                                    .producer_epoch = ProducerEpoch(1),
                                    .transactional = true,
                                    .control = true});
  uint8_t key[4] = {0, 0, 0, 0};
  uint8_t value[6] = {0, 0, 0, 0, 0, 12};
  builder.add(1000, Bytes(key), Bytes(value));
  std::vector<uint8_t> batch = builder.finish();
  auto header = wire::read_batch_header(batch);
  ProducerPart part = read_producer_part(*header, batch);
  EXPECT_EQ(part.marker, (EndMarker{true, 12}));
  EXPECT_TRUE(part.control && part.transactional);
  EXPECT_FALSE(read_end_marker(Bytes(batch).first(batch.size() - 1)));
}

#ifdef MOLDAU_PLANTED_BUGS
TEST(ProducerState, PlantedBugsAreFound) {
  plant(Bug::duplicate_accepted);
  Partition p;
  p.send({.sequence = 0});
  EXPECT_EQ(p.send({.sequence = 0}), "ok") << "what AnswersABatchThatComesAgain refuses";
  plant(Bug::stable_past_open);
  p.send({.sequence = 0, .transactional = true, .producer = 9});
  EXPECT_FALSE(p.state.first_unstable());
  plant(Bug::none);
  EXPECT_TRUE(p.state.first_unstable());
}
#endif

}  // namespace
}  // namespace moldau::log
