// Changes of role, and what each role does by itself.
#include <algorithm>

#include "base/check.h"
#include "raft/core.h"

namespace moldau::raft {

// --- Changes. The reference to the old role is dead afterwards: callers return at once. ---

template <class R>
void Core::enter(R role) {
  leave_leadership();
  role_ = std::move(role);
  role_changes_++;
  out_.role_changed = true;
}

// Between one and two times the timeout, so that not all stand up at once.
Instant Core::election_deadline() {
  auto spread = random_.below(static_cast<uint64_t>(config_.election_timeout.nanos));
  return now_.instant + config_.election_timeout + nanoseconds(static_cast<int64_t>(spread));
}

// A replica that had a deadline keeps it: a stream of higher epochs does not put its election off.
void Core::become_unattached(LeaderEpoch epoch) {
  Instant election_at = election_deadline();
  if (auto* r = std::get_if<Unattached>(&role_))
    election_at = std::min(election_at, r->election_at);
  if (auto* r = std::get_if<Prospective>(&role_); r && epoch > hard_.epoch)
    election_at = std::min(election_at, r->election_at);
  if (auto* r = std::get_if<Candidate>(&role_)) election_at = std::min(election_at, r->election_at);
  if (auto* r = std::get_if<Follower>(&role_)) election_at = std::min(election_at, r->fetch_by);
  if (alone()) election_at = now_.instant;
  if (auto* r = std::get_if<Follower>(&role_)) drop_snapshot(*r);
  enter(Unattached{election_at});
  QuorumState next = hard_;
  if (epoch > hard_.epoch) next = {.epoch = epoch};
  leader_endpoints_.clear();
  persist(next);
}

void Core::become_prospective() {
  uint32_t losses = 0;
  if (auto* r = std::get_if<Candidate>(&role_)) losses = r->losses + 1;
  if (auto* r = std::get_if<Follower>(&role_)) drop_snapshot(*r);
  Ballot ballot(voters_.voters());
  ballot.grant(config_.local.id);
  enter(Prospective{std::move(ballot), election_deadline(), losses});
}

void Core::become_candidate() {
  uint32_t losses = std::get<Prospective>(role_).losses;
  enter(Candidate{Ballot(voters_.voters()), election_deadline(), losses, std::nullopt});
  leader_endpoints_.clear();
  persist({.epoch = LeaderEpoch(hard_.epoch.value + 1), .voted = config_.local});
}

void Core::become_leader(const Ballot& ballot) {
  EpochStart start{config_.local.id, voters_.voters(), ballot.granting(), voters_.kraft_version(),
                   voters_.kraft_version() > 0 && !voters_.changed_at() && log_.start().value == 0};
  LeaderView view({config_.local, log_.end(), high_watermark_, config_.fetch_timeout},
                  voters_.voters(), now_);
  enter(Leader{std::move(view), now_.instant, {}, {}});
  QuorumState next = hard_;
  next.leader = config_.local.id;
  leader_endpoints_ = config_.endpoints;
  persist(next);
  std::vector<uint8_t> batch = epoch_start_batch(start, hard_.epoch, log_.end(), now_.wall);
  write(std::move(batch));
}

void Core::become_follower(LeaderAndEpoch leader, std::vector<Endpoint> endpoints) {
  if (auto* r = std::get_if<Follower>(&role_)) drop_snapshot(*r);
  enter(Follower{now_.instant + config_.fetch_timeout, false, std::nullopt});
  QuorumState next = hard_;
  if (leader.epoch > hard_.epoch) next = {.epoch = leader.epoch};
  next.leader = leader.leader;
  leader_endpoints_ = std::move(endpoints);
  persist(next);
  std::erase_if(peers_, [&](const auto& peer) {
    return peer.first.value >= 0 && peer.first != hard_.leader && !peer.second.sent &&
           !voters_.voters().find(peer.first);
  });
}

void Core::become_resigned() {
  Resigned resigned{election_deadline(), {}, {}};
  for (const Voter& voter : voters_.voters().voters())
    if (voter.key.id != config_.local.id) resigned.unaware.insert(voter.key.id);
  if (auto* leader = std::get_if<Leader>(&role_)) resigned.successors = leader->view.successors();
  if (alone()) resigned.until = now_.instant;
  enter(std::move(resigned));
  persist(hard_);
}

void Core::leave_leadership() {
  auto* leader = std::get_if<Leader>(&role_);
  if (!leader) return;
  for (const ParkedFetch& parked : leader->parked) {
    FetchResponse response;
    fill(response);
    response.error = ErrorCode::not_leader_or_follower;
    emit(Answer{parked.token, std::move(response)});
  }
  leader->parked.clear();
  if (leader->change)
    answer_change(*leader->change, ErrorCode::not_leader_or_follower,
                  "this node is not the leader any more");
}

// Somebody says who leads in an epoch that is not behind ours.
void Core::maybe_follow(LeaderAndEpoch leader, const std::vector<Endpoint>& endpoints) {
  bool newer = leader.epoch > hard_.epoch;
  if (leader.epoch < hard_.epoch || leader.epoch.value < 0) return;
  if (leader.leader == config_.local.id) {
    // Of an epoch that we do not remember, so we cannot lead it: a directory that was replaced.
    if (newer) become_unattached(leader.epoch);
    return;
  }
  if (leader.leader.value < 0) {
    if (newer) become_unattached(leader.epoch);
    return;
  }
  if (!newer && hard_.leader.value >= 0) {
    if (hard_.leader != leader.leader)
      complain(fmt::format("epoch {} has two leaders, {} and {}", hard_.epoch, hard_.leader,
                           leader.leader));
    else if (leader_endpoints_.empty())
      leader_endpoints_ = endpoints;
    // Told by the leader itself, or of it, while we were about to stand against it or had given up.
    if (hard_.leader == leader.leader && role() == RoleName::unattached)
      become_follower(leader, endpoints);
    return;
  }
  become_follower(leader, endpoints);
}

// --- What each role does when it is its turn ---

void Core::run(Unattached& role) {
  if (is_voter() && !stopping_ && !loading_ && role.election_at <= now_.instant)
    return become_prospective();
  find_leader();
}

void Core::run(Prospective& role) {
  if (!is_voter() || loading_) return become_unattached(hard_.epoch);
  if (role.ballot.won()) return become_candidate();
  if (role.ballot.lost() || role.election_at <= now_.instant) {
    // The others hear the leader, or nobody can be reached: as before.
    bool known = hard_.leader.value >= 0 && hard_.leader != config_.local.id;
    if (known) return become_follower(leader(), leader_endpoints_);
    return become_unattached(hard_.epoch);
  }
  ask_votes(role.ballot, true);
}

void Core::run(Candidate& role) {
  if (!all_persisted()) return;
  role.ballot.grant(config_.local.id);
  if (role.ballot.won()) {
    Ballot ballot = role.ballot;
    return become_leader(ballot);
  }
  if (role.ballot.lost() && !role.again_at) {
    int64_t most = std::min<int64_t>(config_.election_backoff_max.millis(),
                                     int64_t{100} << std::min<uint32_t>(role.losses, 10));
    role.again_at = now_.instant + milliseconds(random_.between(0, most));
  }
  if (role.again_at.value_or(role.election_at) <= now_.instant) return become_prospective();
  if (!role.again_at) ask_votes(role.ballot, false);
}

void Core::run(Leader& role) {
  if (role.view.resign_at() <= now_.instant) return become_resigned();
  if (role.announce_at > now_.instant) return;
  Duration half{config_.fetch_timeout.nanos / 2};
  role.announce_at = now_.instant + half;
  for (const Voter& voter : voters_.voters().voters()) {
    if (voter.key.id == config_.local.id || !role.view.silent(voter.key, now_, half)) continue;
    send(voter.key.id,
         BeginQuorumRequest{config_.cluster_id, voter.key, leader(), config_.endpoints});
  }
}

void Core::run(Follower& role) {
  bool late = role.fetch_by <= now_.instant;
  if (late && is_voter() && !loading_ && !stopping_) return become_prospective();
  if (late) find_leader();
  ask_leader(role);
}

void Core::run(Resigned& role) {
  if (role.until <= now_.instant && !stopping_)
    return become_unattached(LeaderEpoch(hard_.epoch.value + 1));
  for (BrokerId voter : role.unaware)
    send(voter, EndQuorumRequest{config_.cluster_id, leader(), role.successors, config_.endpoints});
}

void Core::ask_votes(const Ballot& ballot, bool pre_vote) {
  for (const Voter& voter : ballot.voters().voters()) {
    if (voter.key.id == config_.local.id || ballot.answered(voter.key.id)) continue;
    send(voter.key.id, VoteRequest{config_.cluster_id, voter.key, config_.local, hard_.epoch,
                                   log_.end_id(), pre_vote});
  }
}

// Asks any of those that may know; their answer names the leader. One at a time. It may be the
// leader itself, which counts our position: so only from a log that is on stable storage.
void Core::find_leader() {
  if (stopping_ || loading_ || !log_.settled()) return;
  std::vector<BrokerId> known;
  for (const Voter& voter : voters_.voters().voters())
    if (voter.key.id != config_.local.id) known.push_back(voter.key.id);
  for (size_t i = 0; i < config_.bootstrap.size(); i++)
    known.emplace_back(static_cast<int32_t>(-2) - static_cast<int32_t>(i));
  if (std::ranges::any_of(peers_, [](const auto& peer) { return peer.second.sent.has_value(); }))
    return;
  std::erase_if(known, [&](BrokerId id) { return !ready(id); });
  if (known.empty()) return;
  BrokerId chosen = known[random_.below(known.size())];
  send(chosen, FetchRequest{config_.cluster_id, config_.local, hard_.epoch, log_.end_id(),
                            Duration(), config_.fetch_max_bytes, high_watermark_});
}

}  // namespace moldau::raft
