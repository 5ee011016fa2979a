// Copies files between a real directory and the disk in memory of the log's tests.
#pragma once
#include <string>

#include "log/test_world.h"

namespace moldau::log {

// The files of `real` become files of `directory` on the disk. False: there are none.
bool load_files(TestDisk& disk, const std::string& directory, const std::string& real);
// The same with those of the directories in it. False: it cannot be read.
bool load_tree(TestDisk& disk, const std::string& directory, const std::string& real);
// `real` becomes what stands below `directory` on the disk: files that are not there any more go.
bool store_tree(const TestDisk& disk, const std::string& directory, const std::string& real);

}  // namespace moldau::log
