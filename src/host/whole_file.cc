#include "host/whole_file.h"

#include <fmt/format.h>

#include "host/disk.h"

namespace moldau::host {

std::string parent_directory(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Task<Result<std::string>> read_whole_file(Disk& disk, std::string path, size_t max_size) {
  CO_TRY(file, disk.open(path, OpenMode::read));
  size_t size = static_cast<size_t>(file->size());
  if (size > max_size)
    co_return fail(Errc::too_large,
                   fmt::format("{}: {} bytes, at most {} expected", path, size, max_size));
  std::string content(size, '\0');
  MutableBytes into(reinterpret_cast<uint8_t*>(content.data()), size);
  Result<size_t> n = co_await file->read_at(into, 0);
  if (!n) co_return std::move(n.error()).in(path);
  content.resize(*n);
  co_return content;
}

Task<Result<void>> replace_whole_file(Disk& disk, std::string path, std::string content) {
  std::string beside = path + ".tmp";
  {
    CO_TRY(file, disk.open(beside, OpenMode::create));
    Result<void> cut = co_await file->truncate(0);
    if (!cut) co_return std::move(cut.error()).in(beside);
    Bytes parts[] = {as_bytes(content)};
    Result<size_t> written = co_await file->write_at(parts, 0);
    if (!written) co_return std::move(written.error()).in(beside);
    Result<void> synced = co_await file->sync();
    if (!synced) co_return std::move(synced.error()).in(beside);
  }
  CO_TRY_(disk.rename(beside, path));
  std::string directory = parent_directory(path);
  CO_TRY_(disk.sync_directory(directory));
  co_return Result<void>();
}

}  // namespace moldau::host
