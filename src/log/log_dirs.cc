#include "log/log_dirs.h"

#include <fmt/format.h>

#include <algorithm>

namespace moldau::log {

using host::Env;
using host::Task;

namespace {
constexpr const char* kRaftLog = "__cluster_metadata-0";  // no partition that anybody places
}  // namespace

LogDirs::LogDirs(std::vector<std::string> paths) {
  for (std::string& path : paths) places_.push_back({.path = std::move(path), .dir = {}});
}

LogDirs::~LogDirs() = default;

Task<Result<std::unique_ptr<LogDirs>>> LogDirs::open(Env& env, std::vector<std::string> paths,
                                                     LogDirConfig config) {
  if (paths.empty()) co_return fail(Errc::invalid, "log.dirs names no directory");
  std::vector<std::string> sorted = paths;
  std::ranges::sort(sorted);
  if (auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
    co_return fail(Errc::invalid, fmt::format("log.dirs names {} twice", *twice));
  std::unique_ptr<LogDirs> dirs(new LogDirs(std::move(paths)));
  Result<void> opened = co_await dirs->open_all(env, config);
  if (opened) co_return dirs;
  co_await dirs->stop();
  co_return std::move(opened.error());
}

Task<Result<void>> LogDirs::open_one(Env& env, Place& place, LogDirConfig config) {
  CO_TRY(dir, LogDir::open(env, place.path, config));
  Result<DirContents> found = co_await dir->contents(env);
  if (!found) {
    co_await dir->stop();
    co_return std::move(found.error());
  }
  place.dir = std::move(dir);
  place.odd = std::move(found->foreign);
  for (const std::string& partition : found->partitions) {
    if (partition == kRaftLog) continue;
    if (const LogDir* other = find(partition))
      co_return fail(Errc::invalid,
                     fmt::format("partition {} is in both {} and {}: a move between them was "
                                 "interrupted. Remove one of the two directories, the staler one",
                                 partition, other->path(), place.path));
    placed(partition, *place.dir);
  }
  co_return Result<void>{};
}

Task<Result<void>> LogDirs::open_all(Env& env, LogDirConfig config) {
  for (Place& place : places_) {
    Result<void> opened = co_await open_one(env, place, config);
    if (opened) continue;
    bool first = &place == &places_.front();
    bool mistake = opened.error().code() == Errc::busy || opened.error().code() == Errc::invalid;
    if (first || mistake) co_return opened;
    place.broken = std::move(opened.error());
  }
  co_return Result<void>{};
}

std::vector<LogDir*> LogDirs::opened() const {
  std::vector<LogDir*> out;
  for (const Place& place : places_)
    if (place.dir) out.push_back(place.dir.get());
  return out;
}

LogDir* LogDirs::find(const std::string& partition) const {
  return placement_.enter([&](const Placement& placement) {
    auto found = placement.partitions.find(partition);
    return found == placement.partitions.end() ? nullptr : found->second;
  });
}

LogDir* LogDirs::choose() const {
  LogDir* best = nullptr;
  auto counts = placement_.enter([](const Placement& placement) { return placement.counts; });
  for (LogDir* dir : opened())
    if (!dir->offline() && (!best || counts[dir->path()] < counts[best->path()])) best = dir;
  return best;
}

void LogDirs::placed(const std::string& partition, LogDir& dir) {
  removed(partition);
  placement_.enter([&](Placement& placement) {
    placement.partitions[partition] = &dir;
    placement.counts[dir.path()]++;
  });
}

void LogDirs::removed(const std::string& partition) {
  placement_.enter([&](Placement& placement) {
    auto found = placement.partitions.find(partition);
    if (found == placement.partitions.end()) return;
    placement.counts[found->second->path()]--;
    placement.partitions.erase(found);
  });
}

bool LogDirs::incomplete() const {
  return std::ranges::any_of(places_,
                             [](const Place& place) { return !place.dir || place.dir->offline(); });
}

bool LogDirs::all_offline() const {
  return std::ranges::all_of(places_,
                             [](const Place& place) { return !place.dir || place.dir->offline(); });
}

bool LogDirs::were_clean() const {
  return std::ranges::all_of(opened(), [](const LogDir* dir) { return dir->was_clean(); });
}

int64_t LogDirs::previous_epoch() const {
  std::vector<LogDir*> all = opened();
  if (all.empty()) return -1;
  int64_t first = all.front()->previous_epoch();
  bool agree =
      std::ranges::all_of(all, [&](const LogDir* dir) { return dir->previous_epoch() == first; });
  return agree ? first : -1;
}

Task<Result<void>> LogDirs::close(int64_t broker_epoch) {
  Result<void> first;
  for (Place& place : places_) {
    if (!place.dir) continue;
    Result<void> closed = co_await place.dir->close(broker_epoch);
    if (!closed && first) first = std::move(closed);
  }
  co_return first;
}

Task<void> LogDirs::stop() {
  for (Place& place : places_)
    if (place.dir) co_await place.dir->stop();
}

}  // namespace moldau::log
