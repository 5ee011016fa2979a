#include "raft/snapshot_name.h"

#include <gtest/gtest.h>

namespace moldau::raft {
namespace {

TEST(SnapshotName, HasTwentyAndTenDigits) {
  OffsetAndEpoch id{Offset(41), LeaderEpoch(3)};
  EXPECT_EQ(snapshot_name(id), "00000000000000000041-0000000003.checkpoint");
  EXPECT_EQ(parse_snapshot_name(snapshot_name(id)), id);
}

TEST(SnapshotName, OtherFilesAreNone) {
  for (std::string_view name :
       {"", "00000000000000000041.log", "00000000000000000041-0000000003.checkpoint.part",
        "00000000000000000041-0000000003.checkpoint.deleted",
        "0000000000000000004x-0000000003.checkpoint", "-0000000000000000041-0000000003.checkpoint",
        "00000000000000000041_0000000003.checkpoint", "99999999999999999999-0000000003.checkpoint"})
    EXPECT_FALSE(parse_snapshot_name(name)) << name;
}

}  // namespace
}  // namespace moldau::raft
