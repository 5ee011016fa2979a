#include "raft/driver_recover.h"

#include <algorithm>

#include "base/bug.h"
#include "host/disk.h"
#include "host/whole_file.h"
#include "log/files.h"
#include "raft/snapshot_name.h"

namespace moldau::raft {

using host::Task;

namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kMaxStateBytes = 1 << 20;

Result<void> learn_voters(const wire::BatchHeader& header, Bytes batch, VoterHistory& voters) {
  if (!header.control()) return {};
  TRY(records, read_control_batch(header, batch));
  for (ControlRecord& record : records) {
    if (record.kraft_version) voters.set_kraft_version(record.offset, *record.kraft_version);
    if (record.voters) voters.set_voters(record.offset, *record.voters);
  }
  return {};
}

// What the batches say of epochs and voters. Returns where the last one ends.
Result<Offset> learn(Bytes bytes, Offset at, Recovered& out) {
  wire::BatchWalk walk(bytes, wire::BatchWalk::Torn::tolerate);
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    out.log.epochs.assign(header.leader_epoch, header.base_offset);
    at = header.next_offset();
    TRY_(learn_voters(header, walk.batch(), out.voters));
  }
  TRY_(walk.finish());
  return at;
}

// Those beside the log, and what was left of others goes: nobody can go on with it.
Task<Result<std::vector<Snapshot>>> find_snapshots(host::Env& env, const log::Log& log) {
  std::string directory = log.path();
  CO_TRY(entries, env.disk.list(directory));
  std::vector<Snapshot> out;
  for (const auto& entry : entries) {
    if (std::optional<OffsetAndEpoch> id = parse_snapshot_name(entry.name))
      out.push_back({*id, entry.size});
    if (!is_part_of_snapshot(entry.name)) continue;
    std::string path = directory + "/" + entry.name;
    CO_TRY_(log::remove_if_exists(env, path));
  }
  // A name that stands here and was not synced is believed from now on.
  CO_TRY_(env.disk.sync_directory(directory));
  std::ranges::sort(out, {}, &Snapshot::id);
  co_return out;
}

// The voters of the snapshot that the log begins behind. Apache Kafka keeps those that a new
// cluster begins with in a snapshot at offset 0.
Task<Result<void>> learn_base(host::Env& env, const log::Log& log, Recovered& out) {
  Offset start = log.offsets().start;
  auto base =
      std::ranges::find(out.log.snapshots, start, [](const auto& s) { return s.id.offset; });
  out.log.start.offset = start;
  if (base == out.log.snapshots.end()) {
    if (start.value == 0) co_return Result<void>();
    co_return fail(Errc::corrupt,
                   fmt::format("{} begins at offset {}, and no snapshot ends there: bring back its "
                               ".checkpoint file",
                               log.path(), start));
  }
  out.log.start = base->id;
  std::string path = snapshot_path(log, base->id);
  Result<std::string> content = co_await host::read_whole_file(env.disk, path, kMaxSnapshot);
  if (!content) co_return std::move(content.error());
  Result<VoterHistory> voters = voters_of_snapshot(*content, out.voters);
  if (!voters) co_return std::move(voters.error()).in(path);
  out.voters = *voters;
  co_return Result<void>();
}

Task<Result<void>> learn_log(host::Env& env, log::Log& log, Recovered& out) {
  log::Offsets offsets = log.offsets();
  out.log.end = offsets.end;
  Offset at = offsets.start;
  while (at < offsets.end) {
    log::ReadRequest request{.from = at, .max_bytes = kReadBytes, .limit = offsets.end};
    CO_TRY(bytes, read_batches(env, log, request));
    TRY_CO(next, learn(bytes, at, out));
    if (next <= at)
      co_return fail(Errc::corrupt, fmt::format("{} has no batch at offset {}", log.path(), at));
    at = next;
  }
  co_return Result<void>();
}

Task<Result<void>> learn_state(host::Env& env, const log::Log& log, Recovered& out) {
  std::string path = state_path(log);
  Result<std::string> text = co_await host::read_whole_file(env.disk, path, kMaxStateBytes);
  if (!text && text.error().code() == Errc::not_found) co_return Result<void>();
  if (!text) co_return std::move(text.error());
  Result<QuorumState> state = decode_quorum_state(*text);
  if (!state) co_return std::move(state.error()).in(path);
  out.state = *state;
  co_return Result<void>();
}

// All but the state.
Task<Result<Recovered>> learn_all(host::Env& env, log::Log& log, VoterHistory configured,
                                  std::vector<Snapshot> snapshots) {
  Recovered out{std::nullopt, {}, std::move(configured)};
  out.log.snapshots = std::move(snapshots);
  CO_TRY_(learn_base(env, log, out));
  CO_TRY_(learn_log(env, log, out));
  co_return std::move(out);
}

OffsetAndEpoch end_of(const Recovered& found) {
  const auto& epochs = found.log.epochs.entries();
  return {found.log.end, epochs.empty() ? found.log.start.epoch : epochs.back().epoch};
}

}  // namespace

std::string snapshot_path(const log::Log& log, OffsetAndEpoch id) {
  return log.path() + "/" + snapshot_name(id);
}
std::string state_path(const log::Log& log) { return log.path() + "/quorum-state"; }

Task<Result<std::vector<uint8_t>>> read_batches(host::Env& env, log::Log& log,
                                                log::ReadRequest request) {
  CO_TRY(read, log.read(env, request));
  co_return co_await log::gather(read);
}

// Its own offsets are none of the log's.
Result<VoterHistory> voters_of_snapshot(std::string_view content, const VoterHistory& otherwise) {
  VoterHistory voters = otherwise;
  wire::BatchWalk walk(as_bytes(content), wire::BatchWalk::Torn::refuse);
  bool whole = false;
  while (walk.next()) {
    TRY_(wire::check_batch_crc(walk.batch()));
    TRY_(learn_voters(walk.header(), walk.batch(), voters));
    whole = ends_snapshot(walk.header(), walk.batch());
  }
  TRY_(walk.finish());
  if (!whole) return fail(Errc::truncated, "the snapshot does not go to its end");
  return VoterHistory(voters.voters(), voters.kraft_version());
}

// A log that stopped while a snapshot took its place is shorter than what it had promised to hold:
// only the snapshot makes good for that.
Task<Result<Recovered>> recover(host::Env& env, log::Log& log, VoterHistory configured) {
  CO_TRY(snapshots, find_snapshots(env, log));
  std::optional<OffsetAndEpoch> newest;
  if (!snapshots.empty()) newest = snapshots.back().id;
  Result<Recovered> found = co_await learn_all(env, log, configured, snapshots);
  // In the middle of it the log may also begin where no snapshot ends any more.
  bool behind = newest && (found ? end_of(*found) < *newest : log.offsets().end < newest->offset);
  if (planted(Bug::raft_snapshot_forgotten)) behind = false;
  if (behind) {
    Offset at = newest->offset;
    CO_TRY_(log.restart_at(env, at));
    found = co_await learn_all(env, log, configured, snapshots);
  }
  if (!found) co_return std::move(found.error());
  Recovered& out = *found;
  std::erase_if(out.log.snapshots, [&](const auto& s) { return s.id.offset > out.log.end; });
  CO_TRY_(learn_state(env, log, out));
  co_return std::move(found);
}

}  // namespace moldau::raft
