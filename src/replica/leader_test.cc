#include "replica/leader.h"

#include <gtest/gtest.h>

namespace moldau::replica {
namespace {

TEST(Leader, MovesHighWatermarkToWhatItsOwnCopyHolds) {
  Leader leader(LeaderEpoch(3), Offset(10));
  EXPECT_TRUE(leader.on_local_commit(Offset(15)));
  EXPECT_EQ(leader.high_watermark(), Offset(15));
  EXPECT_EQ(leader.epoch(), LeaderEpoch(3));
}

TEST(Leader, NeverMovesHighWatermarkBack) {
  Leader leader(LeaderEpoch(0), Offset(10));
  EXPECT_FALSE(leader.on_local_commit(Offset(10)));
  EXPECT_FALSE(leader.on_local_commit(Offset(4)));
  EXPECT_EQ(leader.high_watermark(), Offset(10));
  EXPECT_TRUE(leader.on_local_commit(Offset(11)));
}

}  // namespace
}  // namespace moldau::replica
