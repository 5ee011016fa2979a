#include "log/checkpoint.h"

#include <gtest/gtest.h>

#include "log/epochs.h"

namespace moldau::log {
namespace {

TEST(OffsetCheckpoint, IsKafkasText) {
  OffsetCheckpoint points{{"rolled-0", Offset(20000)}, {"a-b-12", Offset(440)}};
  EXPECT_EQ(encode_offset_checkpoint(points), "0\n2\na-b 12 440\nrolled 0 20000\n");
  auto read = decode_offset_checkpoint("0\n2\na-b 12 440\nrolled 0 20000\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, points);
  EXPECT_TRUE(decode_offset_checkpoint("")->empty());
  EXPECT_TRUE(decode_offset_checkpoint("0\n0\n")->empty());
}

TEST(OffsetCheckpoint, DamageIsAnError) {
  for (const char* text : {"0\n", "0\n2\na 1 2\n", "0\n1\na 1 x\n", "0\n1\na 1\n", "0\n1\n 1 2\n",
                           "0\n1\na -1 2\n", "x"}) {
    auto read = decode_offset_checkpoint(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), Errc::corrupt) << text;
  }
  EXPECT_EQ(decode_offset_checkpoint("1\n0\n").error().code(), Errc::unsupported);
}

TEST(Epochs, RememberWhereEachBegan) {
  Epochs epochs;
  EXPECT_TRUE(epochs.assign(LeaderEpoch(0), Offset(0)));
  EXPECT_FALSE(epochs.assign(LeaderEpoch(0), Offset(10)));
  EXPECT_TRUE(epochs.assign(LeaderEpoch(3), Offset(20)));
  EXPECT_FALSE(epochs.assign(LeaderEpoch(2), Offset(25))) << "an older epoch is no news";
  EXPECT_FALSE(epochs.assign(LeaderEpoch(-1), Offset(25)));
  EXPECT_EQ(epochs.encode(), "0\n2\n0 0\n3 20\n");
  EXPECT_TRUE(epochs.assign(LeaderEpoch(4), Offset(20))) << "nothing was written in epoch 3";
  EXPECT_EQ(epochs.encode(), "0\n2\n0 0\n4 20\n");
  EXPECT_FALSE(epochs.truncate_end(Offset(21)));
  EXPECT_TRUE(epochs.truncate_end(Offset(20)));
  EXPECT_EQ(epochs.encode(), "0\n1\n0 0\n");
}

TEST(Epochs, TellWhereEachEnded) {
  Epochs epochs;
  EXPECT_EQ(epochs.end_of(LeaderEpoch(0), Offset(0)), std::nullopt);
  epochs.assign(LeaderEpoch(2), Offset(10));
  epochs.assign(LeaderEpoch(5), Offset(20));
  auto end = [&](int32_t epoch) { return epochs.end_of(LeaderEpoch(epoch), Offset(33)); };
  EXPECT_EQ(end(-1), std::nullopt);
  EXPECT_EQ(end(1), (EpochEnd{LeaderEpoch(1), Offset(10)})) << "before all that are known";
  EXPECT_EQ(end(2), (EpochEnd{LeaderEpoch(2), Offset(20)}));
  EXPECT_EQ(end(4), (EpochEnd{LeaderEpoch(2), Offset(20)})) << "nothing was written in it";
  EXPECT_EQ(end(5), (EpochEnd{LeaderEpoch(5), Offset(33)}));
  EXPECT_EQ(end(6), std::nullopt) << "not there yet";
}

TEST(Epochs, ReadTheirFile) {
  EXPECT_TRUE(Epochs::decode("")->entries().empty());
  EXPECT_EQ(Epochs::decode("0\n2\n0 0\n3 20\n")->entries()[1],
            (EpochEntry{LeaderEpoch(3), Offset(20)}));
  for (const char* text : {"0\n1\n0\n", "0\n2\n1 5\n0 9\n", "0\n2\n0 5\n1 5\n", "0\n1\n-1 0\n"})
    EXPECT_FALSE(Epochs::decode(text)) << text;
}

}  // namespace
}  // namespace moldau::log
