#include "log/derived.h"

#include <algorithm>

#include "base/bug.h"
#include "host/clock.h"
#include "host/disk.h"
#include "log/batch_info.h"
#include "log/files.h"
#include "log/producer_snapshot.h"

namespace moldau::log {

using host::Env;
using host::OpenMode;
using host::Task;

Task<Result<void>> save_derived_files(Env& env, std::string directory, const DerivedStep& step) {
  const SegmentIndex& index = *step.index;
  std::string name = segment_file_name(index.base(), ".txnindex");
  if (step.aborted && !step.aborted->empty()) {
    std::vector<uint8_t> content = encode_aborted(*step.aborted);
    CO_TRY_(replace_file(env, directory, name, content));
  } else if (step.aborted) {
    std::string path = directory + "/" + name;
    CO_TRY_(remove_if_exists(env, path));
  }
  // These last: a start that finds them takes the one before for complete.
  CO_TRY_(save_index(env, directory, index));
  if (!step.snapshot) co_return Result<void>{};
  name = segment_file_name(step.next, ".snapshot");
  std::vector<uint8_t> content = *step.snapshot;
  co_return co_await replace_file(env, directory, name, content);
}

Task<Result<AbortedList>> load_aborted(Env& env, std::string directory, Offset base) {
  std::string path = directory + "/" + segment_file_name(base, ".txnindex");
  CO_TRY(content, read_if_exists(env, path));
  auto list = decode_aborted(content);
  if (!list) co_return std::move(list.error()).in(path);
  co_return list;
}

std::vector<Offset> snapshots_among(const std::vector<host::DirEntry>& entries) {
  std::vector<Offset> found;
  for (const host::DirEntry& entry : entries)
    if (auto at = parse_segment_file_name(entry.name, ".snapshot")) found.push_back(*at);
  std::ranges::sort(found);
  return found;
}

Task<Result<std::vector<Offset>>> list_snapshots(Env& env, std::string directory) {
  CO_TRY(entries, env.disk.list(directory));
  co_return snapshots_among(entries);
}

Task<Result<void>> remove_snapshots_above(Env& env, std::string directory, Offset through) {
  CO_TRY(found, list_snapshots(env, directory));
  bool removed = false;
  for (Offset at : found) {
    if (at <= through) continue;
    std::string path = directory + "/" + segment_file_name(at, ".snapshot");
    CO_TRY_(env.disk.remove(path));
    removed = true;
  }
  if (removed) CO_TRY_(env.disk.sync_directory(directory));
  co_return Result<void>{};
}

namespace {

// The newest usable snapshot up to sources.end goes into state. Its offset; nothing without one.
Task<Result<std::optional<Offset>>> load_newest(Env& env, const ProducerSources& sources,
                                                ProducerState& state) {
  std::vector<Offset> found;
  if (sources.snapshots) {
    found = *sources.snapshots;
  } else {
    CO_TRY(listed, list_snapshots(env, sources.directory));
    found = std::move(listed);
  }
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    if (*at > sources.end) continue;
    std::string path = sources.directory + "/" + segment_file_name(*at, ".snapshot");
    CO_TRY(content, read_small_file(env, path));
    auto entries = decode_producer_snapshot(content);
    if (entries) {
      state.load(*entries, env.clock.wall());
      co_return std::optional(*at);
    }
    CO_TRY_(env.disk.remove(path));
  }
  co_return std::optional<Offset>();
}

Task<Result<void>> replay(Env& env, const ProducerSources& sources, ProducerSources::Span segment,
                          Offset from, ProducerState& state) {
  if (segment.size == 0) co_return Result<void>{};
  std::string path = sources.directory + "/" + segment_file_name(segment.base, ".log");
  CO_TRY(file, env.disk.open(path, OpenMode::read));
  HeaderWalk walk(*file, 0, segment.size);
  for (;;) {
    CO_TRY(batch, walk.next());
    if (!batch || batch->base >= sources.end) co_return Result<void>{};
    if (batch->base >= from) (void)state.apply(placed(*batch));
  }
}

}  // namespace

Task<Result<ProducerState>> rebuild_producers(Env& env, ProducerSources sources) {
  ProducerState state(sources.expiration_millis);
  if (planted(Bug::restart_forgets_producers)) [[unlikely]]
    co_return state;
  CO_TRY(snapshot, load_newest(env, sources, state));
  Offset from = snapshot.value_or(Offset(0));
  for (size_t i = 0; i < sources.segments.size() && from < sources.end; i++) {
    bool before = i + 1 < sources.segments.size() && sources.segments[i + 1].base <= from;
    if (before) continue;
    ProducerSources::Span segment = sources.segments[i];
    CO_TRY_(replay(env, sources, segment, from, state));
  }
  co_return state;
}

}  // namespace moldau::log
