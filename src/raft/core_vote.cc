// Elections: what is answered to Vote, BeginQuorumEpoch and EndQuorumEpoch, and what their answers
// mean.
#include <algorithm>

#include "base/bug.h"
#include "raft/core.h"

namespace moldau::raft {

ErrorCode Core::check_cluster(const ClusterId& cluster) const {
  return !cluster || *cluster == config_.cluster_id ? ErrorCode::none
                                                    : ErrorCode::inconsistent_cluster_id;
}

ErrorCode Core::check_voter_request(LeaderEpoch epoch, BrokerId from) const {
  if (stopping_) return ErrorCode::broker_not_available;
  if (epoch < hard_.epoch) return ErrorCode::fenced_leader_epoch;
  if (from.value < 0) return ErrorCode::invalid_request;
  return ErrorCode::none;
}

// Old versions do not say whom they mean; static quorums do not know directories.
bool Core::is_us(const ReplicaKey& voter) const {
  if (voter.id.value >= 0 && voter.id != config_.local.id) return false;
  return voter.directory.is_zero() || voter.directory == config_.local.directory;
}

void Core::fill(Outcome& outcome) const {
  outcome.leader = leader();
  if (outcome.leader.leader.value >= 0) outcome.leader_endpoints = endpoints_of(hard_.leader);
}

// --- Vote ---

bool Core::can_grant(const VoteRequest& request) const {
  bool stale = request.end < log_.end_id();
  if (planted(Bug::raft_grants_stale)) stale = false;
  if (stale) return false;
  if (request.pre_vote) {
    auto* follower = std::get_if<Follower>(&role_);
    return role() != RoleName::leader && !(follower && follower->fetched);
  }
  bool free_role = role() == RoleName::unattached || role() == RoleName::prospective;
  bool voted_other = hard_.voted.id.value >= 0 && hard_.voted != request.replica;
  if (planted(Bug::raft_votes_twice)) voted_other = false;
  return free_role && hard_.leader.value < 0 && !voted_other;
}

ErrorCode Core::vote(const VoteRequest& request, bool& granted) {
  int32_t last = request.end.epoch.value, epoch = request.epoch.value;
  if (request.end.offset.value < 0 || last < 0 || (request.pre_vote ? last > epoch : last >= epoch))
    return ErrorCode::invalid_request;
  ErrorCode error = check_voter_request(request.epoch, request.replica.id);
  if (error != ErrorCode::none) return error;
  if (request.epoch > hard_.epoch) become_unattached(request.epoch);
  if (!is_us(request.voter)) return ErrorCode::invalid_voter_key;
  granted = can_grant(request);
  if (!granted || request.pre_vote) return ErrorCode::none;
  // A vote is a promise to wait for its outcome.
  if (auto* r = std::get_if<Unattached>(&role_)) r->election_at = election_deadline();
  QuorumState next = hard_;
  next.voted = request.replica;
  persist(next);
  return ErrorCode::none;
}

VoteResponse Core::answer(const VoteRequest& request) {
  VoteResponse response;
  response.top = check_cluster(request.cluster);
  if (response.top != ErrorCode::none) return response;
  response.error = vote(request, response.granted);
  fill(response);
  return response;
}

void Core::take(BrokerId from, const Sent& sent, const VoteResponse& response) {
  if (!take_outcome(from, response)) return;
  if (sent.epoch != hard_.epoch) return;
  Ballot* ballot = nullptr;
  if (auto* r = std::get_if<Prospective>(&role_); r && sent.pre_vote) ballot = &r->ballot;
  if (auto* r = std::get_if<Candidate>(&role_); r && !sent.pre_vote) ballot = &r->ballot;
  if (!ballot) return;
  if (response.granted)
    ballot->grant(from);
  else
    ballot->reject(from);
}

// --- BeginQuorumEpoch ---

ErrorCode Core::begin_quorum(const BeginQuorumRequest& request) {
  ErrorCode error = check_voter_request(request.leader.epoch, request.leader.leader);
  if (error != ErrorCode::none) return error;
  bool same = request.leader.epoch == hard_.epoch && hard_.leader.value >= 0;
  if (same && hard_.leader != request.leader.leader) {
    complain(fmt::format("node {} claims to lead epoch {}, which {} leads", request.leader.leader,
                         hard_.epoch, hard_.leader));
    return ErrorCode::invalid_request;
  }
  maybe_follow(request.leader, request.endpoints);
  return is_us(request.voter) ? ErrorCode::none : ErrorCode::invalid_voter_key;
}

BeginQuorumResponse Core::answer(const BeginQuorumRequest& request) {
  BeginQuorumResponse response;
  response.top = check_cluster(request.cluster);
  if (response.top != ErrorCode::none) return response;
  response.error = begin_quorum(request);
  fill(response);
  return response;
}

void Core::take(BrokerId from, const Sent&, const BeginQuorumResponse& response) {
  take_outcome(from, response);
}

// --- EndQuorumEpoch ---

ErrorCode Core::end_quorum(const EndQuorumRequest& request) {
  ErrorCode error = check_voter_request(request.leader.epoch, request.leader.leader);
  if (error != ErrorCode::none) return error;
  maybe_follow(request.leader, request.endpoints);
  auto* follower = std::get_if<Follower>(&role_);
  if (!follower || hard_.leader != request.leader.leader) return ErrorCode::none;
  // The first of the successors stands up at once, the others in their order if that fails.
  auto us = std::ranges::find_if(request.candidates, [&](const auto& key) {
    return key.id == config_.local.id && is_us(key);
  });
  auto place = static_cast<uint64_t>(us - request.candidates.begin());
  int64_t most = std::min<int64_t>(config_.election_backoff_max.millis(),
                                   int64_t{100} << std::min<uint64_t>(place, 10));
  int64_t wait = place == 0 && !request.candidates.empty() ? 0 : random_.between(0, most);
  follower->fetch_by = now_.instant + milliseconds(wait);
  follower->fetched = false;
  return ErrorCode::none;
}

EndQuorumResponse Core::answer(const EndQuorumRequest& request) {
  EndQuorumResponse response;
  response.top = check_cluster(request.cluster);
  if (response.top != ErrorCode::none) return response;
  response.error = end_quorum(request);
  fill(response);
  return response;
}

void Core::take(BrokerId from, const Sent& sent, const EndQuorumResponse& response) {
  if (!take_outcome(from, response)) return;
  if (auto* r = std::get_if<Resigned>(&role_); r && sent.epoch == hard_.epoch)
    r->unaware.erase(from);
}

// What every answer may teach. True if it is worth looking at further: no error, and of our epoch.
bool Core::take_outcome(BrokerId from, const Outcome& outcome) {
  if (outcome.top != ErrorCode::none) {
    if (outcome.top == ErrorCode::inconsistent_cluster_id)
      complain(fmt::format("node {} belongs to another cluster than {}", from, config_.cluster_id));
    free_peer(from, true);
    return false;
  }
  bool newer = outcome.leader.epoch > hard_.epoch;
  if (outcome.error != ErrorCode::none) free_peer(from, true);
  maybe_follow(outcome.leader, outcome.leader_endpoints);
  return !newer && outcome.error == ErrorCode::none && outcome.leader.epoch == hard_.epoch;
}

}  // namespace moldau::raft
