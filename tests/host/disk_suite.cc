// Files and directories, and what a power loss leaves of them.
#include <array>

#include "conformance.h"

namespace moldau::host {
namespace {

struct DiskSuite : Conformance {
  std::string dir = harness->directory();
};
INSTANTIATE_IN_WORLDS(DiskSuite);

Task<void> write_text(File& file, std::string_view text, int64_t position) {
  Text bytes(text);
  Result<size_t> n = co_await file.write_at(bytes.parts(), position);
  CO_ASSERT_OK(n);
  EXPECT_EQ(*n, text.size());
}
// Everything in the file; "?" in front of an error.
Task<std::string> read_text(File& file) {
  std::vector<uint8_t> space(static_cast<size_t>(file.size()) + 100);
  MutableBytes room(space);
  Result<size_t> n = co_await file.read_at(room, 0);
  if (!n) co_return "?" + n.error().to_string();
  co_return std::string(as_text(Bytes(room.first(*n))));
}
Task<std::string> read_path(Disk& disk, std::string path) {
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::read);
  if (!file) co_return "?" + std::string(errc_name(file.error().code()));
  co_return co_await read_text(**file);
}
// A file with this text, synced if asked; its name is not.
Task<void> make_file(Disk& disk, std::string path, std::string text, bool sync) {
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::create);
  CO_ASSERT_OK(file);
  co_await write_text(**file, text, 0);
  if (!sync) co_return;
  Result<void> synced = co_await (*file)->sync();
  CO_ASSERT_OK(synced);
}
Task<void> sync_names(Disk& disk, std::string dir) {
  Result<void> synced = co_await disk.sync_directory(dir);
  CO_ASSERT_OK(synced);
}

Task<void> read_around_the_end(Disk& disk, std::string path) {
  Result<std::unique_ptr<File>> opened = co_await disk.open(path, OpenMode::create);
  CO_ASSERT_OK(opened);
  File& file = **opened;
  EXPECT_EQ(file.size(), 0);
  EXPECT_EQ(file.path(), path);
  co_await write_text(file, "0123456789", 0);
  EXPECT_EQ(file.size(), 10);
  std::array<uint8_t, 6> space;
  struct Case {
    int64_t position;
    std::string_view expected;
  };
  for (Case c : {Case{0, "012345"}, Case{4, "456789"}, Case{5, "56789"}, Case{9, "9"}, Case{10, ""},
                 Case{99, ""}}) {
    Result<size_t> n = co_await file.read_at(space, c.position);
    CO_ASSERT_OK(n);
    EXPECT_EQ(as_text(Bytes(space).first(*n)), c.expected) << "at " << c.position;
  }
  MutableBytes none;
  Result<size_t> nothing = co_await file.read_at(none, 0);
  EXPECT_TRUE(nothing && *nothing == 0);
}
TEST_P(DiskSuite, ReadsAsFarAsTheFileGoes) { run(read_around_the_end(server().disk, dir + "/f")); }

Task<void> write_parts(Disk& disk, std::string path, std::vector<uint8_t> bytes) {
  Result<std::unique_ptr<File>> opened = co_await disk.open(path, OpenMode::create);
  CO_ASSERT_OK(opened);
  File& file = **opened;
  std::vector<Bytes> parts;
  Bytes rest(bytes);
  for (size_t size = 0; !rest.empty(); size++) {
    parts.push_back(rest.first(std::min(size % 500, rest.size())));
    rest = rest.subspan(parts.back().size());
  }
  std::span<const Bytes> view(parts);
  Result<size_t> n = co_await file.write_at(view, 3);
  CO_ASSERT_OK(n);
  EXPECT_EQ(*n, bytes.size());
  std::vector<uint8_t> back(bytes.size());
  MutableBytes room(back);
  n = co_await file.read_at(room, 3);
  CO_ASSERT_OK(n);
  EXPECT_TRUE(*n == bytes.size() && back == bytes);
  std::span<const Bytes> nothing;
  n = co_await file.write_at(nothing, 0);
  EXPECT_TRUE(n && *n == 0);
}
TEST_P(DiskSuite, WritesAllPartsInOrder) {
  run(write_parts(server().disk, dir + "/few", pattern(1'000)));
  run(write_parts(server().disk, dir + "/many", pattern(200'000)));
  run(write_parts(server().disk, dir + "/large", pattern(6 << 20)));
}

Task<void> overwrite(Disk& disk, std::string path) {
  Result<std::unique_ptr<File>> opened = co_await disk.open(path, OpenMode::create);
  CO_ASSERT_OK(opened);
  File& file = **opened;
  co_await write_text(file, "aaaaaaaaaa", 0);
  co_await write_text(file, "BBB", 4);
  std::string text = co_await read_text(file);
  EXPECT_EQ(text, "aaaaBBBaaa");
  co_await write_text(file, "CCC", 9);
  text = co_await read_text(file);
  EXPECT_EQ(text, "aaaaBBBaaCCC");
  co_await write_text(file, "end", 20);
  text = co_await read_text(file);
  EXPECT_EQ(text, std::string("aaaaBBBaaCCC\0\0\0\0\0\0\0\0end", 23));
}
TEST_P(DiskSuite, OverwritesAndFillsHolesWithZeros) { run(overwrite(server().disk, dir + "/f")); }

Task<void> truncate_both_ways(Disk& disk, std::string path) {
  Result<std::unique_ptr<File>> opened = co_await disk.open(path, OpenMode::create);
  CO_ASSERT_OK(opened);
  File& file = **opened;
  co_await write_text(file, "0123456789", 0);
  Result<void> cut = co_await file.truncate(4);
  CO_ASSERT_OK(cut);
  EXPECT_EQ(file.size(), 4);
  std::string text = co_await read_text(file);
  EXPECT_EQ(text, "0123");
  cut = co_await file.truncate(8);
  CO_ASSERT_OK(cut);
  text = co_await read_text(file);
  EXPECT_EQ(text, std::string("0123\0\0\0\0", 8)) << "what was cut must not come back";
  cut = co_await file.truncate(0);
  CO_ASSERT_OK(cut);
  EXPECT_EQ(file.size(), 0);
  Result<void> synced = co_await file.sync();
  EXPECT_TRUE(synced);
}
TEST_P(DiskSuite, TruncatesBothWays) { run(truncate_both_ways(server().disk, dir + "/f")); }

Task<void> open_modes(Disk& disk, std::string dir) {
  std::string path = dir + "/f";
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::read);
  EXPECT_EQ(outcome(file), "not_found");
  if (!file) EXPECT_NE(file.error().text().find(path), std::string::npos);
  file = co_await disk.open(path, OpenMode::read_write);
  EXPECT_EQ(outcome(file), "not_found");
  file = co_await disk.open(path, OpenMode::create_new);
  CO_ASSERT_OK(file);
  co_await write_text(**file, "kept", 0);
  file = co_await disk.open(path, OpenMode::create_new);
  EXPECT_EQ(outcome(file), "already_exists");
  file = co_await disk.open(path, OpenMode::create);
  CO_ASSERT_OK(file);
  EXPECT_EQ((*file)->size(), 4) << "create leaves what is there";
  file = co_await disk.open(path, OpenMode::read);
  CO_ASSERT_OK(file);
  Text text("x");
  Result<size_t> refused = co_await (*file)->write_at(text.parts(), 0);
  EXPECT_FALSE(refused) << "opened for reading";
  std::string missing = dir + "/no/such";
  file = co_await disk.open(missing, OpenMode::create);
  EXPECT_EQ(outcome(file), "not_found");
  file = co_await disk.open(dir, OpenMode::read);
  EXPECT_FALSE(file) << "a directory is not a file";
}
TEST_P(DiskSuite, OpenModesMeanWhatTheySay) { run(open_modes(server().disk, dir)); }

Task<void> missing_paths(Disk& disk, std::string dir) {
  std::string missing = dir + "/missing", other = dir + "/other";
  Result<void> done = co_await disk.remove(missing);
  EXPECT_EQ(outcome(done), "not_found");
  done = co_await disk.rename(missing, other);
  EXPECT_EQ(outcome(done), "not_found");
  done = co_await disk.sync_directory(missing);
  EXPECT_EQ(outcome(done), "not_found");
  Result<std::vector<DirEntry>> entries = co_await disk.list(missing);
  EXPECT_EQ(outcome(entries), "not_found");
}
TEST_P(DiskSuite, MissingPathsAreNotFound) { run(missing_paths(server().disk, dir)); }

Task<void> rename_over(Disk& disk, std::string dir) {
  std::string from = dir + "/from", to = dir + "/to";
  co_await make_file(disk, from, "new", false);
  co_await make_file(disk, to, "old", false);
  Result<std::unique_ptr<File>> reader = co_await disk.open(to, OpenMode::read);
  CO_ASSERT_OK(reader);
  Result<void> done = co_await disk.rename(from, to);
  CO_ASSERT_OK(done);
  std::string text = co_await read_path(disk, to);
  EXPECT_EQ(text, "new");
  text = co_await read_path(disk, from);
  EXPECT_EQ(text, "?not_found");
  text = co_await read_text(**reader);
  EXPECT_EQ(text, "old") << "who had it open keeps the old one";
}
TEST_P(DiskSuite, RenameReplacesAtOnce) { run(rename_over(server().disk, dir)); }

Task<void> remove_open(Disk& disk, std::string dir) {
  std::string path = dir + "/f";
  co_await make_file(disk, path, "still here", false);
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::read_write);
  CO_ASSERT_OK(file);
  Result<void> done = co_await disk.remove(path);
  CO_ASSERT_OK(done);
  std::string text = co_await read_path(disk, path);
  EXPECT_EQ(text, "?not_found");
  text = co_await read_text(**file);
  EXPECT_EQ(text, "still here");
  co_await write_text(**file, "THERE", 6);
  co_await make_file(disk, path, "another", false);
  text = co_await read_text(**file);
  EXPECT_EQ(text, "still THERE");
}
TEST_P(DiskSuite, ARemovedFileLivesWhileItIsOpen) { run(remove_open(server().disk, dir)); }

Task<void> directories(Disk& disk, std::string dir) {
  std::string deep = dir + "/a/b/c", a = dir + "/a", file = dir + "/a/file";
  Result<void> done = co_await disk.make_directory(deep);
  CO_ASSERT_OK(done);
  done = co_await disk.make_directory(deep);
  EXPECT_TRUE(done) << "making what is there is no error";
  co_await make_file(disk, file, "12345", false);
  std::string inside = file + "/x";
  done = co_await disk.make_directory(file);
  EXPECT_EQ(outcome(done), "already_exists");
  done = co_await disk.make_directory(inside);
  EXPECT_FALSE(done);
  done = co_await disk.remove(a);
  EXPECT_EQ(outcome(done), "invalid") << "not empty";
  done = co_await disk.remove(deep);
  EXPECT_TRUE(done);
  Result<std::vector<DirEntry>> gone = co_await disk.list(deep);
  EXPECT_EQ(outcome(gone), "not_found");
}
TEST_P(DiskSuite, MakesAndRemovesDirectories) { run(directories(server().disk, dir)); }

Task<void> list_sorted(Disk& disk, std::string dir) {
  for (std::string name : {"b", "a10", "a9", "00000000000000000000.log", "B", "z"}) {
    std::string path = dir + "/" + name;
    co_await make_file(disk, path, name, false);
  }
  std::string sub = dir + "/m";
  Result<void> made = co_await disk.make_directory(sub);
  CO_ASSERT_OK(made);
  Result<std::vector<DirEntry>> entries = co_await disk.list(dir);
  CO_ASSERT_OK(entries);
  std::vector<std::string> names;
  for (const DirEntry& entry : *entries) {
    names.push_back(entry.name);
    EXPECT_EQ(entry.directory, entry.name == "m") << entry.name;
    EXPECT_EQ(entry.size, entry.directory ? 0 : static_cast<int64_t>(entry.name.size()))
        << entry.name;
  }
  EXPECT_EQ(names, std::vector<std::string>(
                       {"00000000000000000000.log", "B", "a10", "a9", "b", "m", "z"}));
  Result<std::vector<DirEntry>> empty = co_await disk.list(sub);
  EXPECT_TRUE(empty && empty->empty());
}
TEST_P(DiskSuite, ListsSortedByName) { run(list_sorted(server().disk, dir)); }

Task<void> lock_twice(Disk& disk, std::string path) {
  Result<std::unique_ptr<File>> first = co_await disk.lock(path);
  CO_ASSERT_OK(first);
  Result<std::unique_ptr<File>> second = co_await disk.lock(path);
  EXPECT_EQ(outcome(second), "busy");
  first->reset();
  second = co_await disk.lock(path);
  EXPECT_EQ(outcome(second), "ok") << "the lock dies with its File";
}
TEST_P(DiskSuite, ALockIsHeldWhileItsFileLives) { run(lock_twice(server().disk, dir + "/.lock")); }

Task<void> look_at_space(Disk& disk, std::string dir) {
  Result<Space> space = co_await disk.space(dir);
  CO_ASSERT_OK(space);
  EXPECT_GT(space->total, 0);
  EXPECT_GE(space->total, space->free);
}
TEST_P(DiskSuite, KnowsItsSpace) { run(look_at_space(server().disk, dir)); }

Task<void> append_block(File& file, std::vector<uint8_t>& block, int64_t position, int& done) {
  Bytes part(block);
  std::span<const Bytes> parts(&part, 1);
  Result<size_t> n = co_await file.write_at(parts, position);
  CO_ASSERT_OK(n);
  Result<void> synced = co_await file.sync();
  CO_ASSERT_OK(synced);
  done++;
}
Task<void> several_at_once(Env& env, std::string path) {
  Result<std::unique_ptr<File>> file = co_await env.disk.open(path, OpenMode::create);
  CO_ASSERT_OK(file);
  Scope scope(env.loop, "writers");
  int done = 0;
  std::vector<uint8_t> block = pattern(10'000);
  for (int64_t i = 0; i < 20; i++) scope.spawn(append_block(**file, block, i * 10'000, done));
  co_await scope.drained();
  EXPECT_EQ(done, 20);
  EXPECT_EQ((*file)->size(), 200'000);
}
TEST_P(DiskSuite, SeveralOperationsMayBeUnderWay) { run(several_at_once(server(), dir + "/f")); }

// Power loss. Each test prepares, loses power, and looks at what a program may count on. A world
// that cannot lose power keeps everything, which each of them allows.

Task<void> expect_text(Disk& disk, std::string path, std::string expected) {
  std::string text = co_await read_path(disk, path);
  EXPECT_EQ(text, expected) << path;
}

Task<void> write_synced(Disk& disk, std::string dir) {
  std::string path = dir + "/f";
  co_await make_file(disk, path, "synced", true);
  co_await sync_names(disk, dir);
}
TEST_P(DiskSuite, SyncedDataSurvivesAPowerLoss) {
  run(write_synced(server().disk, dir));
  harness->lose_power();
  run(expect_text(server().disk, dir + "/f", "synced"));
}

Task<void> write_behind_sync(Disk& disk, std::string dir) {
  co_await write_synced(disk, dir);
  std::string path = dir + "/f";
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::read_write);
  CO_ASSERT_OK(file);
  co_await write_text(**file, "-behind", 6);
}
Task<void> expect_synced_part(Disk& disk, std::string path) {
  std::string text = co_await read_path(disk, path);
  EXPECT_TRUE(text.starts_with("synced")) << text;
  EXPECT_LE(text.size(), 13u);
  std::string all = "synced-behind";
  for (size_t i = 6; i < text.size() && i < all.size(); i++)
    EXPECT_TRUE(text[i] == all[i] || text[i] == 0)
        << "what was never written came out of a power loss";
}
TEST_P(DiskSuite, WhatIsBehindTheSyncMayBeLostButNotInvented) {
  run(write_behind_sync(server().disk, dir));
  harness->lose_power();
  run(expect_synced_part(server().disk, dir + "/f"));
}

Task<void> overwrite_unsynced(Disk& disk, std::string dir) {
  co_await write_synced(disk, dir);
  std::string path = dir + "/f";
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::read_write);
  CO_ASSERT_OK(file);
  co_await write_text(**file, "SYNCED", 0);
}
Task<void> expect_old_or_new(Disk& disk, std::string path) {
  std::string text = co_await read_path(disk, path);
  CO_ASSERT(text.size() == 6);
  std::string old_text = "synced", new_text = "SYNCED";
  for (size_t i = 0; i < 6; i++)
    EXPECT_TRUE(text[i] == old_text[i] || text[i] == new_text[i]) << text;
}
TEST_P(DiskSuite, AnUnsyncedOverwriteLeavesOldOrNew) {
  run(overwrite_unsynced(server().disk, dir));
  harness->lose_power();
  run(expect_old_or_new(server().disk, dir + "/f"));
}

Task<void> truncate_synced(Disk& disk, std::string dir) {
  co_await write_synced(disk, dir);
  std::string path = dir + "/f";
  Result<std::unique_ptr<File>> file = co_await disk.open(path, OpenMode::read_write);
  CO_ASSERT_OK(file);
  Result<void> cut = co_await (*file)->truncate(3);
  CO_ASSERT_OK(cut);
  Result<void> synced = co_await (*file)->sync();
  CO_ASSERT_OK(synced);
}
TEST_P(DiskSuite, ASyncedTruncateSurvivesAPowerLoss) {
  run(truncate_synced(server().disk, dir));
  harness->lose_power();
  run(expect_text(server().disk, dir + "/f", "syn"));
}

Task<void> create_without_directory(Disk& disk, std::string dir) {
  co_await sync_names(disk, dir);
  std::string path = dir + "/f";
  co_await make_file(disk, path, "synced", true);
}
Task<void> expect_missing_or_whole(Disk& disk, std::string path) {
  std::string text = co_await read_path(disk, path);
  EXPECT_TRUE(text == "?not_found" || text == "synced") << text;
}
TEST_P(DiskSuite, ANameMayBeLostWithoutSyncDirectory) {
  run(create_without_directory(server().disk, dir));
  harness->lose_power();
  run(expect_missing_or_whole(server().disk, dir + "/f"));
}

Task<void> rename_over_synced(Disk& disk, std::string dir, bool sync) {
  std::string from = dir + "/from", to = dir + "/to";
  co_await make_file(disk, to, "old", true);
  co_await make_file(disk, from, "new", true);
  co_await sync_names(disk, dir);
  Result<void> done = co_await disk.rename(from, to);
  CO_ASSERT_OK(done);
  if (sync) co_await sync_names(disk, dir);
}
Task<void> expect_one_of_two(Disk& disk, std::string dir) {
  std::string to_path = dir + "/to", from_path = dir + "/from";
  std::string to = co_await read_path(disk, to_path);
  EXPECT_TRUE(to == "old" || to == "new") << to;
  std::string from = co_await read_path(disk, from_path);
  EXPECT_EQ(from, to == "old" ? "new" : "?not_found");
}
TEST_P(DiskSuite, AnUnsyncedRenameLeavesOldOrNew) {
  run(rename_over_synced(server().disk, dir, false));
  harness->lose_power();
  run(expect_one_of_two(server().disk, dir));
}
TEST_P(DiskSuite, ASyncedRenameSurvivesAPowerLoss) {
  run(rename_over_synced(server().disk, dir, true));
  harness->lose_power();
  run(expect_text(server().disk, dir + "/to", "new"));
  run(expect_text(server().disk, dir + "/from", "?not_found"));
}

Task<void> remove_synced(Disk& disk, std::string dir) {
  co_await write_synced(disk, dir);
  std::string path = dir + "/f";
  Result<void> done = co_await disk.remove(path);
  CO_ASSERT_OK(done);
  co_await sync_names(disk, dir);
}
TEST_P(DiskSuite, ASyncedRemoveSurvivesAPowerLoss) {
  run(remove_synced(server().disk, dir));
  harness->lose_power();
  run(expect_text(server().disk, dir + "/f", "?not_found"));
}

Task<void> make_deep(Disk& disk, std::string dir) {
  std::string deep = dir + "/a/b", a = dir + "/a", file = dir + "/a/b/f";
  Result<void> made = co_await disk.make_directory(deep);
  CO_ASSERT_OK(made);
  co_await make_file(disk, file, "deep", true);
  co_await sync_names(disk, deep);
  co_await sync_names(disk, a);
  co_await sync_names(disk, dir);
}
TEST_P(DiskSuite, ADirectorySyncedUpToTheTopSurvivesAPowerLoss) {
  run(make_deep(server().disk, dir));
  harness->lose_power();
  run(expect_text(server().disk, dir + "/a/b/f", "deep"));
}

Task<void> lock_path(Disk& disk, std::string path) {
  Result<std::unique_ptr<File>> file = co_await disk.lock(path);
  CO_ASSERT_OK(file);
}
TEST_P(DiskSuite, NoLockSurvivesAPowerLoss) {
  run(lock_path(server().disk, dir + "/.lock"));
  harness->lose_power();
  run(lock_path(server().disk, dir + "/.lock"));
}

}  // namespace
}  // namespace moldau::host
