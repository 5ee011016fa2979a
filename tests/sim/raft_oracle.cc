#include "raft_oracle.h"

#include <fmt/format.h>

#include "base/random.h"

namespace moldau::raftsim {

using raft::Request;
using raft::Response;

void Oracle::vote(BrokerId voter, LeaderEpoch epoch, BrokerId candidate) {
  auto [at, first] = told_[voter].votes.emplace(epoch, candidate);
  if (!first && at->second != candidate)
    report("voted_twice", fmt::format("K2: node {} votes for {} and for {} in epoch {}", voter,
                                      at->second, candidate, epoch));
}

void Oracle::on_start(BrokerId node, const raft::Core& core) {
  const Told& told = told_[node];
  const raft::QuorumState& state = core.state();
  if (state.epoch < told.epoch)
    report("epoch_forgotten", fmt::format("K2: node {} told others of epoch {}, and knows {} now",
                                          node, told.epoch, state.epoch));
  auto vote = told.votes.find(state.epoch);
  bool forgotten =
      vote != told.votes.end() && state.leader.value < 0 && state.voted.id != vote->second;
  if (forgotten)
    report("vote_forgotten", fmt::format("K2: node {} voted for {} in epoch {}, and knows {} now",
                                         node, vote->second, state.epoch, state.voted.id));
  if (core.log().end() < told.position)
    report("position_lost",
           fmt::format("node {} said that it has all up to {} on stable storage, and ends at {}",
                       node, told.position, core.log().end()));
  told_[node].position = core.log().end();
}

// K1, K3.
void Oracle::on_moved(BrokerId node, const raft::Core& core) {
  if (core.role() != raft::RoleName::leader) return;
  LeaderEpoch epoch = core.state().epoch;
  auto [at, first] = leaders_.emplace(epoch, node);
  if (at->second != node)
    report("two_leaders",
           fmt::format("K1: epoch {} is led by {} and by {}", epoch, at->second, node));
  if (!first) return;
  for (const auto& [base, batch] : ledger_)
    if (batch.shown < epoch && core.log().end() < batch.next)
      return report("leader_lacks",
                    fmt::format("K3: node {} leads epoch {} with a log up to {}, and "
                                "{} was committed",
                                node, epoch, core.log().end(), base));
}

void Oracle::on_ask(BrokerId from, const Request& request) {
  Told& told = told_[from];
  if (auto* asked = std::get_if<raft::VoteRequest>(&request); asked && !asked->pre_vote) {
    vote(from, asked->epoch, from);
    told.epoch = std::max(told.epoch, asked->epoch);
  }
  if (auto* fetch = std::get_if<raft::FetchRequest>(&request)) told.position = fetch->end.offset;
}

void Oracle::on_answer(BrokerId from, BrokerId to, const Request& request,
                       const Response& response) {
  if (to.value >= 0) {
    LeaderEpoch epoch = std::visit([](const auto& r) { return r.leader.epoch; }, response);
    told_[to].epoch = std::max(told_[to].epoch, epoch);
  }
  auto* asked = std::get_if<raft::VoteRequest>(&request);
  auto* given = std::get_if<raft::VoteResponse>(&response);
  if (asked && given && given->granted && !asked->pre_vote) vote(to, asked->epoch, from);
  if (auto* fetched = std::get_if<raft::FetchResponse>(&response)) {
    Offset& position = told_[from].position;
    if (fetched->diverging) position = std::min(position, fetched->diverging->offset);
    // Where it differs before the snapshot, all that goes is what nobody else has.
    if (fetched->snapshot) position = std::min(position, fetched->snapshot->offset);
  }
}

// K4, K6.
uint64_t Oracle::show(BrokerId node, const Shown& batch, LeaderEpoch epoch, uint64_t state) {
  uint64_t next_state = Random(state ^ batch.hash).next();
  auto [at, first] =
      ledger_.emplace(batch.base, Committed{batch.next, batch.hash, next_state, epoch});
  const Committed& known = at->second;
  if (known.hash != batch.hash)
    report("another_record",
           fmt::format("K4: node {} shows another committed record at {} than was "
                       "shown first: {:x}, {:x}",
                       node, batch.base, batch.hash, known.hash));
  if (known.state != next_state)
    report("another_state", fmt::format("K10: node {} has another state behind {} than others had",
                                        node, batch.base));
  if (first && batch.base < end_)
    report("another_record", fmt::format("K4: node {} shows a record at {} that nobody had before",
                                         node, batch.base));
  end_ = std::max(end_, batch.next);
  auto acked = acked_.find(batch.base);
  if (acked == acked_.end()) return next_state;
  if (acked->second != batch.hash)
    report("acked_lost", fmt::format("K6: node {} shows another record at {} than was acknowledged",
                                     node, batch.base));
  acked_.erase(acked);
  return next_state;
}

// K10.
void Oracle::show_snapshot(BrokerId node, Offset end, uint64_t state) {
  auto after = ledger_.lower_bound(end);
  bool known = after != ledger_.begin() && std::prev(after)->second.next == end;
  if (known && std::prev(after)->second.state != state)
    report("another_snapshot",
           fmt::format("K10: node {} goes on from a snapshot at {} that is not what was committed",
                       node, end));
  if (!known && end <= end_ && end.value > 0)
    report("another_snapshot",
           fmt::format("K10: node {} goes on from a snapshot that ends inside a batch at {}", node,
                       end));
}

void Oracle::acked(Offset base, uint64_t hash) {
  acks_++;
  auto known = ledger_.find(base);
  if (known == ledger_.end()) {
    acked_[base] = hash;
    return;
  }
  if (known->second.hash != hash)
    report("acked_lost", fmt::format("K6: what was acknowledged at {} is another record", base));
}

}  // namespace moldau::raftsim
