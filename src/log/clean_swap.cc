#include "log/clean_swap.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/bug.h"
#include "host/disk.h"
#include "log/files.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

namespace {

constexpr std::string_view kCleaned = ".cleaned";
constexpr std::string_view kSwap = ".swap";
constexpr std::string_view kDeleted = ".deleted";
constexpr const char* kSnapshot = ".snapshot";

std::string path_of(const std::string& directory, Offset base, std::string_view suffix,
                    std::string_view state = {}) {
  return directory + "/" + segment_file_name(base, suffix) + std::string(state);
}

// The base of "00000000000000000042.log.swap" for state ".swap".
std::optional<Offset> base_in_state(std::string_view name, std::string_view suffix,
                                    std::string_view state) {
  if (!name.ends_with(state)) return std::nullopt;
  return parse_segment_file_name(name.substr(0, name.size() - state.size()), suffix);
}
std::optional<Offset> base_in_state(std::string_view name, std::string_view state) {
  for (const char* suffix : kSegmentFiles)
    if (auto base = base_in_state(name, suffix, state)) return base;
  return std::nullopt;
}

class SwapRecovery {
 public:
  SwapRecovery(Env& env, const std::string& directory) : env_(env), directory_(directory) {}
  Task<Result<void>> run();

 private:
  Task<Result<void>> list();
  Task<Result<void>> take_back();
  Task<Result<void>> finish();
  Task<Result<Offset>> end_of(Offset base);
  Task<Result<void>> remove_old(Offset base, Offset end);

  Env& env_;
  const std::string& directory_;
  std::vector<std::string> names_;  // sorted
};

Task<Result<void>> SwapRecovery::list() {
  CO_TRY(entries, env_.disk.list(directory_));
  names_.clear();
  for (const host::DirEntry& entry : entries) names_.push_back(entry.name);
  co_return Result<void>{};
}

// As long as one .cleaned file is there not all of its segment's names were changed: whatever else
// of it is a .swap goes. The .cleaned ones last, they say so.
Task<Result<void>> SwapRecovery::take_back() {
  std::optional<Offset> first;
  for (const std::string& name : names_)
    if (auto base = base_in_state(name, kCleaned)) first = std::min(first.value_or(*base), *base);
  if (!first) co_return Result<void>{};
  for (std::string_view suffix : {".index", ".timeindex", ".txnindex", ".log"}) {
    for (const std::string& name : names_)
      if (auto base = base_in_state(name, suffix, kSwap); base && *base >= *first) {
        std::string path = directory_ + "/" + name;
        CO_TRY_(env_.disk.remove(path));
      }
    if (suffix == ".txnindex") CO_TRY_(env_.disk.sync_directory(directory_));
  }
  CO_TRY_(env_.disk.sync_directory(directory_));
  for (const std::string& name : names_)
    if (name.ends_with(kCleaned)) {
      std::string path = directory_ + "/" + name;
      CO_TRY_(env_.disk.remove(path));
    }
  co_return co_await env_.disk.sync_directory(directory_);
}

// The offset behind the last batch of a committed segment.
Task<Result<Offset>> SwapRecovery::end_of(Offset base) {
  std::string path = path_of(directory_, base, ".log", kSwap);
  CO_TRY(file, env_.disk.open(path, OpenMode::read));
  HeaderWalk walk(*file, 0, file->size());
  Offset end = base;
  for (;;) {
    CO_TRY(batch, walk.next());
    if (!batch) co_return end;
    end = batch->last + 1;
  }
}

// What the new segment holds. (An old one of which nothing was kept may lie behind its end and
// stays until the next cleaning: Kafka leaves it as well.)
Task<Result<void>> SwapRecovery::remove_old(Offset base, Offset end) {
  if (planted(Bug::cleaner_swap_keeps_both)) [[unlikely]]
    co_return Result<void>{};
  for (const std::string& name : names_) {
    std::optional<Offset> old = base_in_state(name, {});
    bool snapshot = false;
    if (!old) snapshot = (old = parse_segment_file_name(name, kSnapshot)).has_value();
    // Of the first one the name is taken over, and the producers before it stay what they were.
    bool inside = old && *old > base && *old < end;
    bool index = old == base && !snapshot && !name.ends_with(".log");
    if (!inside && !index) continue;
    std::string path = directory_ + "/" + name;
    CO_TRY_(env_.disk.remove(path));
  }
  co_return co_await env_.disk.sync_directory(directory_);
}

Task<Result<void>> SwapRecovery::finish() {
  std::vector<Offset> committed;
  for (const std::string& name : names_)
    if (auto base = base_in_state(name, ".log", kSwap)) committed.push_back(*base);
  for (Offset base : committed) {
    CO_TRY(end, end_of(base));
    CO_TRY_(remove_old(base, end));
    std::string from = path_of(directory_, base, ".log", kSwap);
    std::string to = path_of(directory_, base, ".log");
    CO_TRY_(env_.disk.rename(from, to));
    CO_TRY_(env_.disk.sync_directory(directory_));
  }
  for (const std::string& name : names_) {
    auto base = base_in_state(name, kSwap);
    if (!base || name.ends_with(".log.swap")) continue;
    std::string from = directory_ + "/" + name;
    std::string to = from.substr(0, from.size() - kSwap.size());
    CO_TRY_(env_.disk.rename(from, to));
  }
  co_return co_await env_.disk.sync_directory(directory_);
}

Task<Result<void>> SwapRecovery::run() {
  CO_TRY_(list());
  CO_TRY_(take_back());
  CO_TRY_(list());
  co_return co_await finish();
}

}  // namespace

std::string cleaned_name(Offset base, std::string_view suffix) {
  return segment_file_name(base, suffix) + std::string(kCleaned);
}

Task<Result<void>> commit_cleaned(Env& env, const std::string& directory, Offset base) {
  for (const char* suffix : kSegmentFiles) {
    std::string from = path_of(directory, base, suffix, kCleaned);
    std::string to = path_of(directory, base, suffix, kSwap);
    CO_TRY_(rename_if_exists(env, from, to));
  }
  co_return co_await env.disk.sync_directory(directory);
}

Task<Result<void>> finish_swap(Env& env, const std::string& directory, std::vector<Offset> old,
                               std::vector<std::string>& doomed) {
  Offset base = old.front();
  for (Offset gone : old) {
    for (const char* suffix : {".log", ".index", ".timeindex", ".txnindex", kSnapshot}) {
      // The producers before the first one stay what they were.
      if (gone == base && suffix == kSnapshot) continue;
      std::string from = path_of(directory, gone, suffix);
      std::string to = path_of(directory, gone, suffix, kDeleted);
      doomed.push_back(to);
      CO_TRY_(rename_if_exists(env, from, to));
    }
  }
  CO_TRY_(env.disk.sync_directory(directory));
  // The .log alone first: while it is a .swap, a crash makes recovery remove the other files of
  // this name as old ones.
  for (const char* suffix : kSegmentFiles) {
    std::string from = path_of(directory, base, suffix, kSwap);
    std::string to = path_of(directory, base, suffix);
    CO_TRY_(rename_if_exists(env, from, to));
    if (suffix == kSegmentFiles[0]) CO_TRY_(env.disk.sync_directory(directory));
  }
  co_return co_await env.disk.sync_directory(directory);
}

Task<Result<void>> remove_cleaned(Env& env, const std::string& directory, Offset base) {
  for (const char* suffix : kSegmentFiles) {
    std::string path = path_of(directory, base, suffix, kCleaned);
    CO_TRY_(remove_if_exists(env, path));
  }
  co_return Result<void>{};
}

Task<Result<void>> recover_swaps(Env& env, const std::string& directory) {
  SwapRecovery recovery(env, directory);
  co_return co_await recovery.run();
}

}  // namespace moldau::log
