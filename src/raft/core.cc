#include "raft/core.h"

#include <algorithm>

#include "base/bug.h"
#include "base/check.h"

namespace moldau::raft {

Core::Core(Config config, Recovered recovered, uint64_t seed)
    : config_(std::move(config)),
      random_(seed),
      hard_(recovered.state.value_or(QuorumState())),
      log_(std::move(recovered.log)),
      voters_(std::move(recovered.voters)),
      high_watermark_(log_.start()),
      role_(Unattached{kNever}) {
  const Snapshot* snapshot = log_.latest_snapshot();
  if (snapshot && snapshot->id.offset <= log_.end())
    high_watermark_ = std::max(high_watermark_, snapshot->id.offset);
  // The log is ahead of the file if the file was lost: its epochs have been seen.
  if (log_.last_epoch() > hard_.epoch) hard_ = {.epoch = log_.last_epoch()};
}

// --- Inputs ---

Effects Core::start(Now now) {
  now_ = now;
  LeaderAndEpoch leader = this->leader();
  out_.role_changed = true;
  bool led = leader.leader == config_.local.id;
  if (led && !alone()) {
    // Never leads again in an epoch that it led before: what it had not synced is gone.
    become_resigned();
  } else if (!led && leader.leader.value >= 0 && voters_.voters().find(leader.leader)) {
    become_follower(leader, {});
  } else {
    become_unattached(hard_.epoch);
  }
  return finish();
}

Effects Core::tick(Now now) {
  now_ = now;
  return finish();
}

Effects Core::request(Now now, uint64_t token, const Request& request) {
  now_ = now;
  if (halted_) return {};
  if (auto* fetch_request = std::get_if<FetchRequest>(&request)) fetch(token, *fetch_request);
  if (auto* snapshot = std::get_if<FetchSnapshotRequest>(&request))
    fetch_snapshot(token, *snapshot);
  if (request.index() >= Request(AddVoterRequest()).index()) change_voters(token, request);
  if (auto* vote = std::get_if<VoteRequest>(&request)) emit(Answer{token, answer(*vote)});
  if (auto* begin = std::get_if<BeginQuorumRequest>(&request)) emit(Answer{token, answer(*begin)});
  if (auto* end = std::get_if<EndQuorumRequest>(&request)) emit(Answer{token, answer(*end)});
  return finish();
}

Effects Core::response(Now now, BrokerId from, uint64_t id, const Response& response) {
  now_ = now;
  auto peer = peers_.find(from);
  if (halted_ || peer == peers_.end() || !peer->second.sent || peer->second.sent->id != id)
    return finish();
  Sent sent = *peer->second.sent;
  if (sent.kind != response.index()) {
    complain(fmt::format("node {} gave an answer to another question", from));
    free_peer(from, true);
    return finish();
  }
  free_peer(from, false);
  std::visit([&](const auto& r) { take(from, sent, r); }, response);
  return finish();
}

Effects Core::send_failed(Now now, BrokerId to, uint64_t id) {
  now_ = now;
  auto peer = peers_.find(to);
  if (peer != peers_.end() && peer->second.sent && peer->second.sent->id == id) free_peer(to, true);
  return finish();
}

Effects Core::persisted(Now now, uint64_t number) {
  now_ = now;
  CHECK(number <= persist_number_, "{} of {}", number, persist_number_);
  persisted_ = std::max(persisted_, number);
  release();
  return finish();
}

Effects Core::log_durable(Now now, uint64_t number) {
  now_ = now;
  log_.on_durable(number);
  if (auto* leader = std::get_if<Leader>(&role_))
    on_leader_progress(leader->view.on_local(log_.durable()));
  return finish();
}

Effects Core::append(Now now, std::vector<uint8_t> batch, Offset* base) {
  now_ = now;
  CHECK(role() == RoleName::leader, "a {} cannot append", role_name(role()));
  *base = log_.end();
  wire::set_base_offset(batch, *base);
  wire::set_leader_epoch(batch, hard_.epoch);
  write(std::move(batch));
  return finish();
}

Effects Core::snapshot_written(Now now, const Snapshot& snapshot) {
  now_ = now;
  CHECK(snapshot.id.offset <= high_watermark_, "a snapshot at {} of records up to {}",
        snapshot.id.offset, high_watermark_);
  log_.add_snapshot(snapshot);
  return finish();
}

bool Core::log_trimmed(Offset start) {
  if (!log_.trim(start)) return false;
  voters_.truncate_start(start);
  return true;
}

Effects Core::resign(Now now) {
  now_ = now;
  if (role() == RoleName::leader) become_resigned();
  return finish();
}

Effects Core::shutdown(Now now) {
  now_ = now;
  stopping_ = true;
  if (role() == RoleName::leader && !alone()) become_resigned();
  return finish();
}

const LeaderView* Core::leading() const {
  auto* leader = std::get_if<Leader>(&role_);
  return leader ? &leader->view : nullptr;
}

// --- What every input ends with ---

Effects Core::finish() {
  if (!halted_) {
    expire_sends();
    pursue_change();
    pump();
    complete_fetches();
  }
  out_.stopped = stopping_ && all_persisted() && said_farewell();
  out_.wake_at = halted_ ? kNever : next_wake();
  return std::exchange(out_, Effects());
}

bool Core::said_farewell() const {
  auto* resigned = std::get_if<Resigned>(&role_);
  return !resigned || resigned->unaware.empty() || resigned->until <= now_.instant;
}

// One deadline may lead to the next: a single voter goes from unattached to leader at once.
void Core::pump() {
  uint64_t before = 0;
  do {
    before = role_changes_;
    std::visit([&](auto& role) { run(role); }, role_);
  } while (role_changes_ != before && !halted_);
}

void Core::persist(const QuorumState& next) {
  if (next == hard_ && persist_number_ > 0) return;
  hard_ = next;
  int16_t version = voters_.kraft_version() > 0 ? 1 : 0;
  QuorumState file = hard_;
  if (version == 0)
    for (const Voter& voter : voters_.voters().voters()) file.voters.push_back(voter.key.id);
  out_.persist = Persist{++persist_number_, std::move(file), version};
}

void Core::emit(Held held) {
  if (!all_persisted() && !planted(Bug::raft_vote_unpersisted)) {
    held_.emplace_back(persist_number_, std::move(held));
    return;
  }
  if (auto* send = std::get_if<Send>(&held)) out_.sends.push_back(std::move(*send));
  if (auto* answer = std::get_if<Answer>(&held)) out_.answers.push_back(std::move(*answer));
}

void Core::release() {
  while (!held_.empty() && held_.front().first <= persisted_) {
    Held held = std::move(held_.front().second);
    held_.pop_front();
    if (auto* send = std::get_if<Send>(&held)) out_.sends.push_back(std::move(*send));
    if (auto* answer = std::get_if<Answer>(&held)) out_.answers.push_back(std::move(*answer));
  }
}

bool Core::ready(BrokerId to) const {
  auto peer = peers_.find(to);
  return peer == peers_.end() || (!peer->second.sent && peer->second.ready_at <= now_.instant);
}

bool Core::send(BrokerId to, Request request) {
  if (!ready(to)) return false;
  Sent sent{++send_id_,      now_.instant + config_.request_timeout,
            request.index(), hard_.epoch,
            false,           log_.end_id()};
  if (auto* vote = std::get_if<VoteRequest>(&request)) sent.pre_vote = vote->pre_vote;
  peers_[to].sent = sent;
  emit(Send{sent.id, to, endpoints_of(to), std::move(request)});
  return true;
}

void Core::free_peer(BrokerId to, bool backoff) {
  Peer& peer = peers_[to];
  peer.sent.reset();
  peer.ready_at = backoff ? now_.instant + config_.retry_backoff : now_.instant;
}

void Core::expire_sends() {
  for (auto& [to, peer] : peers_)
    if (peer.sent && peer.sent->deadline <= now_.instant) free_peer(to, true);
}

std::vector<Endpoint> Core::endpoints_of(BrokerId to) const {
  if (to.value <= -2) return {config_.bootstrap[static_cast<size_t>(-2 - to.value)]};
  if (to == hard_.leader && !leader_endpoints_.empty()) return leader_endpoints_;
  const Voter* voter = voters_.voters().find(to);
  if (voter) return voter->endpoints;
  auto* leader = std::get_if<Leader>(&role_);
  if (!leader || !leader->change) return {};
  auto* add = std::get_if<AddVoterRequest>(&leader->change->request);
  return add && add->voter.key.id == to ? add->voter.endpoints : std::vector<Endpoint>();
}

Instant Core::next_wake() const {
  Instant wake = kNever;
  auto at = [&](Instant deadline) {
    if (deadline > now_.instant) wake = std::min(wake, deadline);
  };
  for (const auto& [to, peer] : peers_) at(peer.sent ? peer.sent->deadline : peer.ready_at);
  if (auto* r = std::get_if<Unattached>(&role_)) at(r->election_at);
  if (auto* r = std::get_if<Prospective>(&role_)) at(r->election_at);
  if (auto* r = std::get_if<Candidate>(&role_)) at(r->again_at.value_or(r->election_at));
  if (auto* r = std::get_if<Follower>(&role_)) at(r->fetch_by);
  if (auto* r = std::get_if<Resigned>(&role_)) at(r->until);
  if (auto* r = std::get_if<Leader>(&role_)) {
    at(r->announce_at);
    if (r->change) at(r->change->deadline);
    at(r->view.resign_at());
    for (const ParkedFetch& fetch : r->parked) at(fetch.deadline);
  }
  return wake;
}

// Invariant K7: what others have been told is committed must not be lost quietly.
void Core::halt(std::string why) {
  halted_ = true;
  out_.halt = std::move(why);
}

}  // namespace moldau::raft
