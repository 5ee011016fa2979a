#include "wire/produced_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/crc32c.h"
#include "base/random.h"
#include "base/varint.h"

namespace moldau::wire {
namespace {

constexpr size_t kHeader = 61;
constexpr int64_t kBase = 1'000'000;  // timestamp

Inflater& inflater() {
  static Inflater one;
  return one;
}

void add_varint(std::vector<uint8_t>& out, int64_t v) {
  uint8_t bytes[kMaxVarint64];
  size_t n = write_varint(bytes, zigzag(v));
  out.insert(out.end(), bytes, bytes + n);
}
void add_bytes(std::vector<uint8_t>& out, int64_t length) {
  add_varint(out, length);
  if (length > 0) out.resize(out.size() + static_cast<size_t>(length), 'x');
}

void seal(std::vector<uint8_t>& batch, int32_t count) {
  store_be(&batch[8], static_cast<int32_t>(batch.size() - 12));
  batch[16] = 2;
  store_be(&batch[23], count - 1);
  store_be(&batch[27], kBase);
  store_be(&batch[43], int64_t{-1});
  store_be(&batch[57], count);
  store_be(&batch[17], crc32c(Bytes(batch).subspan(21)));
}

std::vector<uint8_t> random_batch(Random& random, int32_t count) {
  std::vector<uint8_t> out(kHeader);
  for (int32_t i = 0; i < count; i++) {
    std::vector<uint8_t> body{0};
    add_varint(body, static_cast<int64_t>(random.below(1000)));
    add_varint(body, i);
    add_bytes(body, static_cast<int64_t>(random.below(20)) - 1);
    add_bytes(body, static_cast<int64_t>(random.below(300)) - 1);
    size_t headers = random.below(3);
    add_varint(body, static_cast<int64_t>(headers));
    for (size_t h = 0; h < headers; h++) {
      add_bytes(body, static_cast<int64_t>(random.below(5)));
      add_bytes(body, static_cast<int64_t>(random.below(100)) - 1);
    }
    add_varint(out, std::ssize(body));
    out.insert(out.end(), body.begin(), body.end());
  }
  seal(out, count);
  return out;
}

// The same walk as simply as it can be written. -1: not a sequence of `count` records.
struct Simple {
  Bytes in;
  bool ok = true;
  int64_t number(size_t most) {
    uint64_t v = 0;
    size_t n = read_varint(in, &v);
    if (n == 0 || n > most || (most == kMaxVarint32 && v > UINT32_MAX)) ok = false, n = 0;
    in = in.subspan(n);
    return unzigzag(v);
  }
  void skip(int64_t n, bool nullable) {
    if (nullable && n < 0) return;
    if (n < 0 || n > std::ssize(in))
      ok = false;
    else
      in = in.subspan(static_cast<size_t>(n));
  }
};
int64_t simple_max_timestamp(Bytes records, int32_t count) {
  Simple all{records};
  int64_t largest = -1;
  for (int32_t i = 0; i < count; i++) {
    int64_t size = all.number(kMaxVarint32);
    if (!all.ok || size < 0 || size > std::ssize(all.in)) return -1;
    Simple body{all.in.first(static_cast<size_t>(size))};
    all.skip(size, false);
    body.skip(1, false);
    int64_t timestamp = kBase + body.number(kMaxVarint64);
    body.number(kMaxVarint32);
    for (int field = 0; field < 2; field++) body.skip(body.number(kMaxVarint32), true);
    int64_t headers = body.number(kMaxVarint32);
    for (int64_t h = 0; h < headers && body.ok; h++) {
      body.skip(body.number(kMaxVarint32), false);
      body.skip(body.number(kMaxVarint32), true);
    }
    if (!body.ok || headers < 0 || !body.in.empty()) return -1;
    largest = std::max(largest, timestamp);
  }
  return all.in.empty() ? largest : -1;
}

const ProduceRules kRules{.version = 9, .now = WallTime{kBase}, .max_ahead_millis = INT64_MAX / 2};

TEST(ProducedBatch, GetsTheLargestTimestampOfItsRecordsAndAChecksumThatHolds) {
  Random random(1);
  for (int i = 0; i < 200; i++) {
    int32_t count = 1 + static_cast<int32_t>(random.below(200));
    std::vector<uint8_t> batch = random_batch(random, count);
    int64_t expected = simple_max_timestamp(Bytes(batch).subspan(kHeader), count);
    ASSERT_GE(expected, kBase);
    ProducedBatch checked = check_produced(batch, kRules, inflater());
    ASSERT_EQ(checked.fault.error, ErrorCode::none);
    EXPECT_EQ(checked.records, count);
    EXPECT_EQ(load_be<int64_t>(&batch[35]), expected);
    EXPECT_EQ(load_be<uint32_t>(&batch[17]), crc32c(Bytes(batch).subspan(21)));
  }
}

// Damage that the checksum does not tell, because the producer itself made it.
TEST(ProducedBatch, IsRefusedExactlyWhenItsRecordsDoNotFitTogether) {
  Random random(2);
  int refused = 0, taken = 0;
  for (int i = 0; i < 20'000; i++) {
    int32_t count = 1 + static_cast<int32_t>(random.below(4));
    std::vector<uint8_t> batch = random_batch(random, count);
    size_t at = kHeader + random.below(batch.size() - kHeader);
    if (random.one_in(4))
      batch.resize(at + 1);
    else
      batch[at] = static_cast<uint8_t>(random.below(256));
    seal(batch, count);
    bool fits = simple_max_timestamp(Bytes(batch).subspan(kHeader), count) != -1;
    ProducedBatch checked = check_produced(batch, kRules, inflater());
    ASSERT_EQ(checked.fault.error, fits ? ErrorCode::none : ErrorCode::invalid_record)
        << "batch " << i;
    (fits ? taken : refused)++;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(taken, 1000);
}

TEST(ProducedBatch, IsRefusedForARecordFromTheFuture) {
  Random random(3);
  std::vector<uint8_t> batch = random_batch(random, 5);
  ProduceRules rules{.version = 9, .now = WallTime{kBase - 10'000}, .max_ahead_millis = 9'000};
  ProducedBatch checked = check_produced(batch, rules, inflater());
  EXPECT_EQ(checked.fault.error, ErrorCode::invalid_timestamp);
  ASSERT_EQ(checked.fault.records.size(), 5u);
  EXPECT_EQ(checked.fault.records[0].index, 0);
  EXPECT_TRUE(checked.fault.in_log);
}

}  // namespace
}  // namespace moldau::wire
