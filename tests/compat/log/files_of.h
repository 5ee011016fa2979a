// Copies files between a real directory and the disk in memory of the log's tests.
#pragma once
#include <string>

#include "log/test_world.h"

namespace moldau::log {

// The files of `real` become files of `directory` on the disk. False: there are none.
bool load_files(TestDisk& disk, const std::string& directory, const std::string& real);
// Every file of the disk below `prefix` becomes one of `real`.
bool store_files(const TestDisk& disk, const std::string& prefix, const std::string& real);

}  // namespace moldau::log
