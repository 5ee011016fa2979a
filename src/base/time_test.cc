#include "base/time.h"

#include <gtest/gtest.h>

namespace moldau {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max(),
                  kMin = std::numeric_limits<int64_t>::min();

TEST(Duration, ConvertsBetweenUnits) {
  EXPECT_EQ(seconds(2), milliseconds(2000));
  EXPECT_EQ(milliseconds(3), microseconds(3000));
  EXPECT_EQ(microseconds(1), nanoseconds(1000));
  EXPECT_EQ(milliseconds(1999).millis(), 1999);
  EXPECT_EQ(microseconds(1999).millis(), 1);
  EXPECT_EQ(microseconds(-1999).millis(), -1);
  EXPECT_DOUBLE_EQ(milliseconds(1500).seconds(), 1.5);
}

TEST(Duration, SaturatesInsteadOfOverflowing) {
  EXPECT_EQ(milliseconds(kMax).nanos, kMax);  // retention.ms=9223372036854775807
  EXPECT_EQ(seconds(kMin).nanos, kMin);
  EXPECT_EQ((nanoseconds(kMax) + nanoseconds(1)).nanos, kMax);
  EXPECT_EQ((nanoseconds(kMin) - nanoseconds(1)).nanos, kMin);
  EXPECT_EQ((nanoseconds(0) - nanoseconds(kMin)).nanos, kMax);
  EXPECT_EQ((seconds(-1) * kMax).nanos, kMin);
  EXPECT_EQ((seconds(-1) * kMin).nanos, kMax);
  EXPECT_EQ(seconds(2) * 3, seconds(6));
  EXPECT_EQ(seconds(2) - seconds(3), seconds(-1));
}

TEST(Instant, MovesByDurations) {
  Instant start{1'000};
  EXPECT_EQ(start + nanoseconds(5), Instant{1'005});
  EXPECT_EQ(start + nanoseconds(-2'000), Instant{-1'000});
  EXPECT_EQ(Instant{1'005} - start, nanoseconds(5));
  EXPECT_LT(start, start + nanoseconds(1));
}

TEST(Instant, NeverStaysNever) {
  EXPECT_EQ(kNever + seconds(1), kNever);
  EXPECT_EQ(kNever + seconds(-1), kNever);
  EXPECT_EQ(Instant{5} + nanoseconds(kMax), kNever);
  EXPECT_EQ(Instant{kMin} + nanoseconds(-1), Instant{kMin});
  EXPECT_EQ((kNever - Instant{-5}).nanos, kMax);
}

}  // namespace
}  // namespace moldau
