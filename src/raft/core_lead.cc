// What a leader does with its log and with those who fetch from it.
#include <algorithm>

#include "base/bug.h"
#include "base/check.h"
#include "raft/core.h"

namespace moldau::raft {
namespace {

constexpr size_t kMaxParked = 1'000;  // fetches that wait; more are answered at once

}  // namespace

ErrorCode Core::check_leader_request(LeaderEpoch epoch, const ReplicaKey& from) const {
  if (stopping_) return ErrorCode::broker_not_available;
  if (epoch < hard_.epoch) return ErrorCode::fenced_leader_epoch;
  if (epoch > hard_.epoch) return ErrorCode::unknown_leader_epoch;
  if (role() != RoleName::leader) return ErrorCode::not_leader_or_follower;
  return from.id == config_.local.id ? ErrorCode::invalid_request : ErrorCode::none;
}

void Core::fetch(uint64_t token, const FetchRequest& request) {
  FetchResponse response;
  response.top = check_cluster(request.cluster);
  if (response.top != ErrorCode::none) return emit(Answer{token, std::move(response)});
  bool sane = request.max_wait.nanos >= 0 && request.epoch.value >= 0 &&
              request.end.offset.value >= 0 && request.end.epoch.value >= 0 &&
              request.end.epoch <= request.epoch;
  response.error =
      sane ? check_leader_request(request.epoch, request.replica) : ErrorCode::invalid_request;
  response.log_start = log_.start();
  fill(response);
  if (response.error != ErrorCode::none) return emit(Answer{token, std::move(response)});
  Leader& leader = std::get<Leader>(role_);
  if (request.replica.id.value >= 0) {
    bool valid = log_.check(request.end).kind == Position::valid;
    if (valid)
      on_leader_progress(
          leader.view.on_fetch(request.replica, request.end.offset, log_.end(), now_));
    else
      leader.view.on_contact(request.replica, now_);
  }
  if (leader.parked.size() >= kMaxParked) {
    response.error = ErrorCode::broker_not_available;
    return emit(Answer{token, std::move(response)});
  }
  // Answered by complete_fetches(), which comes last in every step.
  leader.parked.push_back({token, request, now_.instant + request.max_wait});
}

// Has all that we have, and knows what is committed. A replica of before KIP-1166 does not say what
// it knows.
bool Core::waits(const FetchRequest& request) const {
  bool behind = request.high_watermark && *request.high_watermark < high_watermark_;
  return request.end.offset == log_.end() && !behind &&
         log_.check(request.end).kind == Position::valid;
}

FetchResponse Core::fetched(const FetchRequest& request) const {
  FetchResponse response;
  fill(response);
  response.high_watermark = high_watermark_;
  response.log_start = log_.start();
  Position position = log_.check(request.end);
  if (position.kind == Position::diverging) response.diverging = position.at;
  if (position.kind == Position::snapshot) response.snapshot = position.at;
  if (position.kind == Position::valid && request.end.offset < log_.end()) {
    response.read_at = request.end.offset;
    response.max_bytes = request.max_bytes;
  }
  return response;
}

// Not while our state is on its way to the disk: the answer would be held back, and the bytes that
// it names might be others by then.
void Core::complete_fetches() {
  auto* leader = std::get_if<Leader>(&role_);
  if (!leader || !all_persisted()) return;
  std::vector<ParkedFetch> waiting;
  for (ParkedFetch& parked : leader->parked) {
    if (parked.deadline > now_.instant && waits(parked.request))
      waiting.push_back(std::move(parked));
    else
      emit(Answer{parked.token, fetched(parked.request)});
  }
  leader->parked = std::move(waiting);
}

void Core::fetch_snapshot(uint64_t token, const FetchSnapshotRequest& request) {
  FetchSnapshotResponse response;
  response.top = check_cluster(request.cluster);
  if (response.top != ErrorCode::none) return emit(Answer{token, std::move(response)});
  response.error = check_leader_request(request.epoch, request.replica);
  response.snapshot = request.snapshot;
  fill(response);
  if (response.error != ErrorCode::none) return emit(Answer{token, std::move(response)});
  const Snapshot* snapshot = log_.find_snapshot(request.snapshot);
  if (!snapshot) {
    response.error = ErrorCode::snapshot_not_found;
  } else if (request.position < 0 || request.position >= snapshot->size) {
    response.error = ErrorCode::position_out_of_range;
  } else {
    std::get<Leader>(role_).view.on_contact(request.replica, now_);
    response.size = snapshot->size;
    response.position = request.position;
    int64_t left = snapshot->size - request.position;
    response.max_bytes =
        static_cast<int32_t>(std::min<int64_t>(std::max(request.max_bytes, 0), left));
  }
  emit(Answer{token, std::move(response)});
}

// The leader's own records: one batch, whose offset and epoch are set.
void Core::write(std::vector<uint8_t> batch) {
  Result<wire::BatchHeader> header = wire::read_batch_header(batch);
  CHECK(header, "our own batch: {}", header.error().to_string());
  log_.append(header->leader_epoch, header->next_offset(), ++write_number_);
  if (header->control()) {
    Result<std::vector<ControlRecord>> control = read_control_batch(*header, batch);
    CHECK(control, "our own batch: {}", control.error().to_string());
    apply_control(*control);
  }
  out_.writes.push_back({write_number_, header->base_offset, std::move(batch)});
  auto& view = std::get<Leader>(role_).view;
  if (planted(Bug::raft_counts_unsynced)) on_leader_progress(view.on_local(log_.end()));
}

void Core::on_leader_progress(bool moved) {
  if (!moved) return;
  high_watermark_ = std::get<Leader>(role_).view.high_watermark();
  out_.high_watermark_moved = true;
}

}  // namespace moldau::raft
