// What a follower or an observer does with its leader's answers.
#include <algorithm>

#include "base/bug.h"
#include "base/check.h"
#include "raft/core.h"

namespace moldau::raft {

// Its position says what it has: so it asks only from where its log is on stable storage.
void Core::ask_leader(Follower& role) {
  bool settled = log_.settled();
  if (planted(Bug::raft_asks_unsynced)) settled = true;
  if (loading_ || !settled || stopping_) return;
  if (role.snapshot) {
    send(hard_.leader,
         FetchSnapshotRequest{config_.cluster_id, config_.local, hard_.epoch, role.snapshot->id,
                              role.snapshot->position, config_.fetch_snapshot_max_bytes});
    return;
  }
  send(hard_.leader,
       FetchRequest{config_.cluster_id, config_.local, hard_.epoch, log_.end_id(),
                    config_.fetch_max_wait, config_.fetch_max_bytes, high_watermark_});
}

void Core::take(BrokerId from, const Sent& sent, const FetchResponse& response) {
  if (!take_outcome(from, response)) return;
  auto* follower = std::get_if<Follower>(&role_);
  if (!follower || hard_.leader != from || sent.epoch != hard_.epoch) return;
  follower->fetch_by = now_.instant + config_.fetch_timeout;
  follower->fetched = true;
  // An answer to a question from before a snapshot was put in place says nothing any more.
  if (sent.end != log_.end_id() || loading_ || follower->snapshot) return;
  if (response.diverging) return cut(*response.diverging);
  if (response.snapshot) return start_snapshot(*follower, *response.snapshot);
  Result<std::vector<wire::BatchHeader>> batches = check_batches(response.records);
  if (!batches) {
    complain(
        fmt::format("node {} sent records that cannot be: {}", from, batches.error().to_string()));
    return free_peer(from, true);
  }
  append_fetched(response.records, *batches);
  raise_high_watermark(response.high_watermark);
}

// The leader's log leaves our last epoch before ours does.
void Core::cut(OffsetAndEpoch leader_end) {
  if (leader_end.offset.value < 0 || leader_end.epoch.value < 0)
    return complain(fmt::format("a diverging epoch that cannot be: {}", leader_end));
  Offset to = log_.cut_for(leader_end);
  if (planted(Bug::raft_cuts_committed) && !log_.epochs().entries().empty())
    to = std::min(to, log_.epochs().entries().back().start);
  else if (to < high_watermark_)
    return halt(
        fmt::format("the leader of epoch {} differs from offset {} on, and this replica knows "
                    "records up to {} as committed: one of the two logs has lost data. Stop, "
                    "keep both directories, and compare their __cluster_metadata-0",
                    hard_.epoch, to, high_watermark_));
  if (to >= log_.end())
    return complain(fmt::format("the leader differs behind {} and our log ends at {}", leader_end,
                                log_.end_id()));
  log_.truncate(to, ++write_number_);
  voters_.truncate_end(to);
  voters_moved();
  out_.writes.push_back({write_number_, to, {}});
}

Result<std::vector<wire::BatchHeader>> Core::check_batches(Bytes records) const {
  std::vector<wire::BatchHeader> headers;
  wire::BatchWalk walk(records, wire::BatchWalk::Torn::tolerate);
  Offset next = log_.end();
  LeaderEpoch epoch = log_.last_epoch();
  while (walk.next()) {
    const wire::BatchHeader& header = walk.header();
    TRY_(wire::check_batch_crc(walk.batch()));
    if (header.base_offset != next || header.leader_epoch < epoch ||
        header.leader_epoch > hard_.epoch || header.last_offset_delta < 0)
      return fail(Errc::invalid,
                  fmt::format("a batch at offset {} of epoch {} after {} of epoch {} in epoch {}",
                              header.base_offset, header.leader_epoch, next, epoch, hard_.epoch));
    if (header.control()) TRY_(read_control_batch(header, walk.batch()));
    next = header.next_offset();
    epoch = header.leader_epoch;
    headers.push_back(header);
  }
  TRY_(walk.finish());
  return headers;
}

void Core::append_fetched(Bytes records, std::span<const wire::BatchHeader> batches) {
  if (batches.empty()) return;
  Offset base = log_.end();
  size_t size = 0;
  write_number_++;
  for (const wire::BatchHeader& header : batches) {
    log_.append(header.leader_epoch, header.next_offset(), write_number_);
    Bytes batch = records.subspan(size, header.size());
    size += header.size();
    if (!header.control()) continue;
    if (auto control = read_control_batch(header, batch)) apply_control(*control);
  }
  std::vector<uint8_t> bytes(records.begin(), records.begin() + static_cast<ptrdiff_t>(size));
  out_.writes.push_back({write_number_, base, std::move(bytes)});
}

void Core::raise_high_watermark(Offset to) {
  to = std::min(to, log_.end());
  if (to <= high_watermark_) return;
  high_watermark_ = to;
  out_.high_watermark_moved = true;
}

// They count from here on, committed or not (KIP-853).
void Core::apply_control(const std::vector<ControlRecord>& records) {
  for (const ControlRecord& record : records) {
    if (record.kraft_version) voters_.set_kraft_version(record.offset, *record.kraft_version);
    if (record.voters) voters_.set_voters(record.offset, *record.voters);
  }
  if (!records.empty()) voters_moved();
}

void Core::voters_moved() {
  out_.voters_changed = true;
  if (auto* leader = std::get_if<Leader>(&role_))
    on_leader_progress(leader->view.set_voters(voters_.voters(), now_));
}

// --- Snapshots ---

void Core::start_snapshot(Follower& role, OffsetAndEpoch id) {
  if (id.offset <= high_watermark_ || id.epoch.value < 0 || id.epoch > hard_.epoch)
    return complain(fmt::format("the leader offers the snapshot at {}, and up to {} all is here",
                                id, high_watermark_));
  role.snapshot = SnapshotFetch{id};
  out_.snapshot.push_back({SnapshotStep::begin, id, 0, {}});
}

void Core::drop_snapshot(Follower& role) {
  if (!role.snapshot) return;
  out_.snapshot.push_back({SnapshotStep::abandon, role.snapshot->id, 0, {}});
  role.snapshot.reset();
}

void Core::take(BrokerId from, const Sent& sent, const FetchSnapshotResponse& response) {
  bool good = take_outcome(from, response);
  auto* follower = std::get_if<Follower>(&role_);
  if (!follower || hard_.leader != from || sent.epoch != hard_.epoch || !follower->snapshot) return;
  SnapshotFetch& fetch = *follower->snapshot;
  auto received = static_cast<int64_t>(response.bytes.size());
  // Gone, or in no answer at all: a fetch will say which one to take.
  if (!good || response.snapshot != fetch.id || response.position != fetch.position ||
      received == 0 || fetch.position + received > response.size) {
    if (good) free_peer(from, true);
    return drop_snapshot(*follower);
  }
  follower->fetch_by = now_.instant + config_.fetch_timeout;
  follower->fetched = true;
  out_.snapshot.push_back({SnapshotStep::bytes, fetch.id, fetch.position, response.bytes});
  fetch.position += received;
  if (fetch.position < response.size) return;
  loading_ = fetch.id;
  out_.snapshot.push_back({SnapshotStep::finish, fetch.id, fetch.position, {}});
  follower->snapshot.reset();
}

Effects Core::snapshot_loaded(Now now, const Snapshot& snapshot, VoterHistory voters) {
  now_ = now;
  CHECK(loading_ && *loading_ == snapshot.id, "snapshot at {}, which nobody waits for",
        snapshot.id);
  CHECK(role() != RoleName::leader, "a leader loads a snapshot");
  loading_.reset();
  log_.add_snapshot(snapshot);
  log_.reset(snapshot.id);
  voters_ = std::move(voters);
  voters_moved();
  raise_high_watermark(snapshot.id.offset);
  return finish();
}

Effects Core::snapshot_refused(Now now, std::string why) {
  now_ = now;
  complain(fmt::format("node {} sent a snapshot that cannot be: {}", hard_.leader, why));
  loading_.reset();
  if (hard_.leader.value >= 0 && ready(hard_.leader)) free_peer(hard_.leader, true);
  return finish();
}

}  // namespace moldau::raft
