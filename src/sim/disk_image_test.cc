#include "sim/disk_image.h"

#include <gtest/gtest.h>

#include <set>

namespace moldau::sim {
namespace {

std::string text(const Result<std::vector<uint8_t>>& bytes) {
  return bytes ? std::string(as_text(*bytes)) : "(none)";
}

InodeId make(DiskImage& disk, std::string_view path, std::string_view content) {
  InodeId id = disk.open(path, host::OpenMode::create).value();
  disk.write(id, 0, as_bytes(content));
  return id;
}

TEST(DiskImage, KeepsSyncedBytesOfSyncedNamesWhateverHappens) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    Random random(seed);
    DiskImage disk({.garbage = true});
    InodeId id = make(disk, "/a", "hello");
    disk.sync(id, disk.mark());
    ASSERT_TRUE(disk.sync_directory("/"));
    disk.write(id, 5, as_bytes(" world"));
    disk.power_loss(random);
    std::string after = text(disk.contents("/a"));
    EXPECT_EQ(after.substr(0, 5), "hello") << "seed " << seed;
  }
}

TEST(DiskImage, LosesKeepsAndTearsWhatWasNotSynced) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 400; seed++) {
    Random random(seed);
    DiskImage disk({});
    InodeId id = make(disk, "/a", std::string(1024, 'o'));
    disk.sync(id, disk.mark());
    ASSERT_TRUE(disk.sync_directory("/"));
    disk.write(id, 0, as_bytes(std::string(1024, 'n')));
    disk.power_loss(random);
    std::string after = text(disk.contents("/a"));
    ASSERT_EQ(after.size(), 1024u);
    seen.insert(std::string{after[0], after[511], after[512], after[1023]});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"oooo", "nnnn", "nnoo", "oonn"}));
}

TEST(DiskImage, AppliesLaterWritesWithoutEarlierOnesSometimes) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 400; seed++) {
    Random random(seed);
    DiskImage disk({});
    InodeId id = make(disk, "/a", "..");
    disk.sync(id, disk.mark());
    ASSERT_TRUE(disk.sync_directory("/"));
    disk.write(id, 0, as_bytes("1"));
    disk.write(id, 1, as_bytes("2"));
    disk.power_loss(random);
    seen.insert(text(disk.contents("/a")));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"..", "1.", ".2", "12"}));
}

TEST(DiskImage, ForgetsNamesUntilTheirDirectoryIsSynced) {
  bool lost = false, kept = false;
  for (uint64_t seed = 0; seed < 100; seed++) {
    Random random(seed);
    DiskImage disk({});
    InodeId id = make(disk, "/a", "x");
    disk.sync(id, disk.mark());
    disk.power_loss(random);
    (disk.find("/a") ? kept : lost) = true;
  }
  EXPECT_TRUE(lost && kept);
}

TEST(DiskImage, ShowsTheOldOrTheNewFileAfterALostRename) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 200; seed++) {
    Random random(seed);
    DiskImage disk({});
    disk.sync(make(disk, "/a", "old"), disk.mark());
    disk.sync(make(disk, "/b", "new"), disk.mark());
    ASSERT_TRUE(disk.sync_directory("/"));
    ASSERT_TRUE(disk.rename("/b", "/a"));
    EXPECT_EQ(text(disk.contents("/a")), "new");
    disk.power_loss(random);
    seen.insert(text(disk.contents("/a")) + "," + text(disk.contents("/b")));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old,new", "new,(none)"}));
}

TEST(DiskImage, NeverWritesAgainWhatAFailedSyncHasLeftBehind) {
  bool lost = false;
  for (uint64_t seed = 0; seed < 100; seed++) {
    Random random(seed);
    DiskImage disk({});
    InodeId id = make(disk, "/a", "x");
    ASSERT_TRUE(disk.sync_directory("/"));
    disk.sync_failed(id, disk.mark(), random);
    EXPECT_EQ(text(disk.contents("/a")), "x") << "the cache still has it";
    disk.sync(id, disk.mark());
    disk.power_loss(random);
    lost = lost || text(disk.contents("/a")) != "x";
  }
  EXPECT_TRUE(lost);
}

TEST(DiskImage, SyncConfirmsOnlyWhatWasThereWhenItWasCalled) {
  DiskImage disk({});
  InodeId id = make(disk, "/a", "1");
  ASSERT_TRUE(disk.sync_directory("/"));
  uint64_t mark = disk.mark();
  disk.write(id, 1, as_bytes("2"));
  disk.sync(id, mark);
  EXPECT_EQ(text(disk.durable_contents("/a")), "1");
  EXPECT_EQ(text(disk.contents("/a")), "12");
}

TEST(DiskImage, DamageIsAnOverlayThatCanBeSwitchedOff) {
  Random random(1);
  DiskImage disk({});
  ASSERT_TRUE(disk.make_directory("/d"));
  InodeId id = make(disk, "/d/a", "abc");
  EXPECT_FALSE(disk.flip_bit(random, "other"));
  ASSERT_TRUE(disk.flip_bit(random, "/d/"));
  std::vector<uint8_t> read(3);
  disk.read(id, 0, read);
  EXPECT_NE(as_text(read), "abc");
  disk.show_damage(false);
  disk.read(id, 0, read);
  EXPECT_EQ(as_text(read), "abc");
  disk.show_damage(true);
  disk.write(id, 0, as_bytes("xyz"));
  disk.read(id, 0, read);
  EXPECT_EQ(as_text(read), "xyz") << "what is written anew is whole";
}

TEST(DiskImage, KeepsARemovedFileWhileItIsHeld) {
  DiskImage disk({});
  InodeId id = make(disk, "/a", "abc");
  disk.hold(id);
  ASSERT_TRUE(disk.remove("/a"));
  EXPECT_FALSE(disk.find("/a"));
  EXPECT_EQ(disk.size(id), 3);
  disk.drop(id);
}

TEST(DiskImage, ListsMovesAndRemovesDirectories) {
  DiskImage disk({});
  ASSERT_TRUE(disk.make_directory("/x/y"));
  make(disk, "/x/y/b", "12");
  make(disk, "/x/y/a", "1");
  ASSERT_TRUE(disk.rename("/x/y", "/z"));
  std::vector<host::DirEntry> found = disk.list("/z").value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "a");
  EXPECT_EQ(found[1].size, 2);
  EXPECT_EQ(disk.remove("/z").error().code(), Errc::invalid) << "it is not empty";
  ASSERT_TRUE(disk.remove("/z/a"));
  ASSERT_TRUE(disk.remove("/z/b"));
  ASSERT_TRUE(disk.remove("/z"));
  EXPECT_EQ(disk.open("/z/c", host::OpenMode::create).error().code(), Errc::not_found);
  EXPECT_EQ(disk.open("/x", host::OpenMode::read).error().code(), Errc::invalid);
}

TEST(Content, HolesAreZerosAndCostNothing) {
  Content content;
  content.resize(int64_t{10} << 20);
  content.write(int64_t{5} << 20, as_bytes("abc"));
  EXPECT_EQ(content.pages(), 1u);
  std::vector<uint8_t> read(5, 9);
  EXPECT_EQ(content.read((int64_t{5} << 20) - 1, read), 5u);
  EXPECT_EQ(as_text(read), std::string_view("\0abc\0", 5));
  content.resize((int64_t{5} << 20) + 1);
  content.resize(int64_t{6} << 20);
  content.read((int64_t{5} << 20) - 1, read);
  EXPECT_EQ(as_text(read), std::string_view("\0a\0\0\0", 5)) << "what was cut does not come back";
}

}  // namespace
}  // namespace moldau::sim
