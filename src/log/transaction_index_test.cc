#include "log/transaction_index.h"

#include <gtest/gtest.h>

namespace moldau::log {
namespace {

AbortedTransaction aborted(int64_t producer, int64_t first, int64_t last, int64_t stable) {
  return {ProducerId(producer), Offset(first), Offset(last), Offset(stable)};
}

const AbortedList kList = {aborted(1, 2, 10, 3), aborted(2, 3, 20, 21), aborted(1, 30, 40, 41)};

AbortedList between(int64_t from, int64_t upper, bool* complete = nullptr) {
  AbortedList out;
  bool all = collect_aborted(kList, Offset(from), Offset(upper), out);
  if (complete) *complete = all;
  return out;
}

TEST(TransactionIndex, TellsWhatConcernsARange) {
  bool complete = false;
  EXPECT_EQ(between(0, 2, &complete), AbortedList{}) << "it begins at 2";
  EXPECT_TRUE(complete);
  EXPECT_EQ(between(0, 3), (AbortedList{kList[0]}));
  EXPECT_EQ(between(10, 25), (AbortedList{kList[0], kList[1]})) << "its marker is at 10";
  EXPECT_EQ(between(11, 25), (AbortedList{kList[1]}));
  EXPECT_EQ(between(0, 100, &complete), kList);
  EXPECT_FALSE(complete) << "a later segment may know more";
}

TEST(TransactionIndex, IsWrittenAsKafkaWritesIt) {
  std::vector<uint8_t> bytes = encode_aborted(kList);
  ASSERT_EQ(bytes.size(), 3 * 34u);
  EXPECT_EQ(load_be<int16_t>(bytes.data()), 0);
  EXPECT_EQ(load_be<int64_t>(bytes.data() + 36), 2);
  EXPECT_EQ(*decode_aborted(bytes), kList);
  EXPECT_EQ(decode_aborted(Bytes(bytes).first(33)).error().code(), Errc::corrupt);
  bytes[35] = 1;
  EXPECT_EQ(decode_aborted(bytes).error().code(), Errc::unsupported);
}

TEST(TransactionIndex, RefusesEntriesThatDoNotRise) {
  AbortedList list = {kList[1], kList[0]};
  EXPECT_FALSE(decode_aborted(encode_aborted(list)));
  EXPECT_FALSE(decode_aborted(encode_aborted({aborted(1, 9, 8, 9)})));
}

TEST(TransactionIndex, IsCutWithTheLog) {
  AbortedList list = kList;
  truncate_aborted(list, Offset(20));
  EXPECT_EQ(list, (AbortedList{kList[0]}));
}

}  // namespace
}  // namespace moldau::log
