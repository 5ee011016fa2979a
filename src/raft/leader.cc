#include "raft/leader.h"

#include <algorithm>

#include "base/bug.h"

namespace moldau::raft {

LeaderView::LeaderView(const Options& options, const VoterSet& voters, Now now)
    : options_(options), high_watermark_(options.high_watermark) {
  set_voters(voters, now);
}

bool LeaderView::set_voters(const VoterSet& voters, Now now) {
  std::map<BrokerId, Progress> members;
  for (const Voter& voter : voters.voters()) {
    if (voter.key.id == options_.local.id) continue;
    const Voter* before = voters_.find(voter.key.id);
    if (before && before->key == voter.key) {
      members[voter.key.id] = members_[voter.key.id];
      continue;
    }
    auto observer = std::ranges::find_if(observers_, [&](const auto& o) {
      return o.first.id == voter.key.id && voters.contains(o.first);
    });
    Progress& p = members[voter.key.id];
    if (observer == observers_.end()) continue;
    p = observer->second;
    observers_.erase(observer);
  }
  for (const Voter& gone : voters_.voters())
    if (!members.contains(gone.key.id) && gone.key.id != options_.local.id)
      observers_[gone.key] = members_[gone.key.id];
  voters_ = voters;
  members_ = std::move(members);
  restart_majority(now);
  return advance();
}

bool LeaderView::on_local(Offset durable) {
  durable_ = std::max(durable_, durable);
  return advance();
}

Progress& LeaderView::progress(const ReplicaKey& replica, Now now) {
  if (voters_.contains(replica)) return members_[replica.id];
  std::erase_if(observers_, [&](const auto& o) {
    return now.instant - o.second.fetched.value_or(now.instant) > kObserverTimeout;
  });
  if (observers_.size() >= kMaxObservers && !observers_.contains(replica))
    observers_.erase(std::ranges::min_element(
        observers_, {}, [](const auto& o) { return o.second.fetched.value_or(Instant()); }));
  return observers_[replica];
}

bool LeaderView::on_fetch(const ReplicaKey& replica, Offset end, Offset leader_end, Now now) {
  Progress& p = progress(replica, now);
  if (end >= leader_end)
    p.last_caught_up = now.wall;
  else if (end >= p.leader_end_at_fetch && p.last_fetch.millis >= 0)
    p.last_caught_up = std::max(p.last_caught_up, p.last_fetch);
  p.leader_end_at_fetch = leader_end;
  p.end = end;
  touch(replica, p, now);
  return advance();
}

void LeaderView::on_contact(const ReplicaKey& replica, Now now) {
  touch(replica, progress(replica, now), now);
}

void LeaderView::touch(const ReplicaKey& replica, Progress& p, Now now) {
  p.fetched = now.instant;
  p.last_fetch = now.wall;
  p.knows_epoch = true;
  if (!voters_.contains(replica)) return;
  if (std::ranges::find(heard_, replica.id) == heard_.end()) heard_.push_back(replica.id);
  size_t listening = heard_.size() + (voters_.contains(options_.local) ? 1 : 0);
  if (listening >= voters_.majority()) restart_majority(now);
}

void LeaderView::restart_majority(Now now) {
  heard_.clear();
  bool alone = voters_.size() == 1 && voters_.contains(options_.local);
  Duration patience{options_.fetch_timeout.nanos / 2 * 3};
  resign_at_ = alone ? kNever : now.instant + patience;
}

bool LeaderView::silent(const ReplicaKey& voter, Now now, Duration since) const {
  const Progress* p = find(voter);
  return !p || !p->knows_epoch || !p->fetched || now.instant - *p->fetched >= since;
}

const Progress* LeaderView::find(const ReplicaKey& replica) const {
  if (voters_.contains(replica)) {
    auto found = members_.find(replica.id);
    return found == members_.end() ? nullptr : &found->second;
  }
  auto found = observers_.find(replica);
  return found == observers_.end() ? nullptr : &found->second;
}

std::vector<ReplicaKey> LeaderView::successors() const {
  std::vector<std::pair<Offset, ReplicaKey>> by_end;
  for (const Voter& voter : voters_.voters()) {
    if (voter.key.id == options_.local.id) continue;
    const Progress* p = find(voter.key);
    by_end.emplace_back(p && p->end ? *p->end : Offset(-1), voter.key);
  }
  std::ranges::sort(by_end, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<ReplicaKey> out;
  for (auto& [end, key] : by_end) out.push_back(key);
  return out;
}

// The line that moves the high watermark of the metadata log: the largest offset that a majority of
// the voters has on stable storage. Records of earlier epochs are committed only by one of our own
// behind them: a majority may hold them and still lose to a longer log of an epoch in between
// (Raft, 5.4.2).
bool LeaderView::advance() {
  std::vector<Offset> ends;
  for (const Voter& voter : voters_.voters()) {
    if (voters_.contains(options_.local) && voter.key.id == options_.local.id) {
      ends.push_back(durable_);
      continue;
    }
    auto found = members_.find(voter.key.id);
    ends.push_back(found == members_.end() ? Offset(-1) : found->second.end.value_or(Offset(-1)));
  }
  if (planted(Bug::raft_observer_counts))
    for (const auto& [key, p] : observers_) ends.push_back(p.end.value_or(Offset(-1)));
  if (ends.size() < voters_.majority()) return false;
  std::ranges::sort(ends, std::ranges::greater{});
  Offset held_by_majority = ends[voters_.majority() - 1];
  bool of_this_epoch = held_by_majority > options_.epoch_start;
  if (planted(Bug::raft_counts_old_epoch)) of_this_epoch = true;
  if (held_by_majority <= high_watermark_ || !of_this_epoch) return false;
  high_watermark_ = held_by_majority;
  return true;
}

}  // namespace moldau::raft
