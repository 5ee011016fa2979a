// Small files as a whole: read them, and replace them so that a reader, or a power loss, finds the
// old text or the new one and never a mixture (invariant S14): write beside, sync, rename, sync the
// directory.
#pragma once
#include <string>

#include "base/result.h"
#include "host/task.h"

namespace moldau::host {

class Disk;

// Errors: not_found, too_large (above max_size), and the disk's.
Task<Result<std::string>> read_whole_file(Disk& disk, std::string path, size_t max_size = 64 << 20);
// Uses path + ".tmp" beside it.
Task<Result<void>> replace_whole_file(Disk& disk, std::string path, std::string content);

// "a/b/c" -> "a/b"; "c" -> ".".
std::string parent_directory(const std::string& path);

}  // namespace moldau::host
