#include "raft/test_oracle.h"

namespace moldau::raft::test {

void Oracle::fail(std::string what) {
  if (finding_.empty()) finding_ = std::move(what);
}

uint64_t Oracle::chain(Offset end) const {
  auto after = ledger_.lower_bound(end);
  return after == ledger_.begin() ? 0 : std::prev(after)->second.chain;
}

// K7.
void Oracle::on_write(const TestNode& node, const LogWrite& write) {
  if (write.truncates() && write.at < node.seen)
    fail(fmt::format("K7: node {} cuts to {}, below its high watermark {}", node.key.id, write.at,
                     node.seen));
}

// K2, and that a position says only what is on stable storage.
void Oracle::on_send(const TestNode& node, const Send& send) {
  const QuorumState& durable = node.disk.known;
  if (auto* vote_request = std::get_if<VoteRequest>(&send.request);
      vote_request && !vote_request->pre_vote) {
    bool kept = durable.epoch == vote_request->epoch && durable.voted.id == node.key.id;
    if (!kept && durable.epoch <= vote_request->epoch)
      fail(fmt::format("K2: node {} stands for election in {} and has not written that down",
                       node.key.id, vote_request->epoch));
    vote(node.key, vote_request->epoch, node.key);
  }
  if (auto* fetch = std::get_if<FetchRequest>(&send.request)) {
    if (fetch->end.offset > node.disk.durable.end())
      fail(fmt::format("node {} asks from {} and has {} on stable storage", node.key.id,
                       fetch->end.offset, node.disk.durable.end()));
  }
}

void Oracle::on_answer(const TestNode& node, const Request& request, const Response& response) {
  const QuorumState& durable = node.disk.known;
  LeaderEpoch epoch = std::visit([](const auto& r) { return r.leader.epoch; }, response);
  if (epoch > durable.epoch)
    fail(
        fmt::format("K2: node {} answers with epoch {}, and {} is what it would know after a crash",
                    node.key.id, epoch, durable.epoch));
  auto* asked = std::get_if<VoteRequest>(&request);
  auto* given = std::get_if<VoteResponse>(&response);
  if (!asked || !given || !given->granted || asked->pre_vote) return;
  if (durable.epoch == asked->epoch && durable.voted.id != asked->replica.id)
    fail(fmt::format("K2: node {} votes for {} in {} before that is on stable storage", node.key.id,
                     asked->replica.id, asked->epoch));
  vote(node.key, asked->epoch, asked->replica);
}

void Oracle::vote(const ReplicaKey& voter, LeaderEpoch epoch, const ReplicaKey& candidate) {
  auto [at, first] = votes_.emplace(std::pair(voter, epoch), candidate);
  if (!first && at->second != candidate)
    fail(fmt::format("K2: node {} votes for {} and for {} in epoch {}", voter.id, at->second.id,
                     candidate.id, epoch));
}

void Oracle::on_step(TestNode& node, bool role_changed) {
  const Core& core = *node.core;
  if (core.state().epoch < node.epoch_seen)
    fail(fmt::format("K1: node {} goes from epoch {} back to {}", node.key.id, node.epoch_seen,
                     core.state().epoch));
  node.epoch_seen = core.state().epoch;
  if (role_changed && core.role() == RoleName::leader) on_leader(node);
  std::optional<Offset> changed = core.voters().changed_at();
  if (core.role() == RoleName::leader && changed > node.voters_seen &&
      node.voters_seen >= std::optional(node.seen))
    fail(fmt::format("K8: node {} changes the voters at {} before the change at {} is committed",
                     node.key.id, *changed, *node.voters_seen));
  node.voters_seen = changed;
  if (core.high_watermark() < node.seen)
    fail(fmt::format("K5: the high watermark of node {} goes from {} to {}", node.key.id, node.seen,
                     core.high_watermark()));
  if (core.high_watermark() > core.log().end())
    fail(fmt::format("K5: the high watermark of node {} is {}, its log ends at {}", node.key.id,
                     core.high_watermark(), core.log().end()));
  if (core.high_watermark() <= node.seen) return;
  const auto& batches = node.disk.log.batches;
  auto b = std::ranges::lower_bound(batches, node.seen, {}, &StoredBatch::base);
  for (; b != batches.end() && b->next <= core.high_watermark(); ++b) on_commit(node, *b);
  node.seen = core.high_watermark();
  if (node.seen > committed_)
    fail(fmt::format("K5: node {} takes {} for committed, {} is", node.key.id, node.seen,
                     committed_));
}

// K1, K3: one leader an epoch, who has all that was committed in the epochs before.
void Oracle::on_leader(const TestNode& node) {
  LeaderEpoch epoch = node.core->state().epoch;
  auto [at, first] = leaders_.emplace(epoch, node.key.id);
  if (!first)
    fail(fmt::format("K1: epoch {} is led by {} and by {}", epoch, at->second, node.key.id));
  if (!node.core->is_voter()) fail(fmt::format("K9: observer {} leads", node.key.id));
  for (const auto& [base, entry] : ledger_) {
    if (base < node.disk.log.start.offset || entry.by >= epoch) continue;
    const StoredBatch* have = node.disk.log.find(base);
    if (have && have->hash == entry.hash) continue;
    return fail(fmt::format("K3: node {} leads epoch {} without the committed record at {}",
                            node.key.id, epoch, base));
  }
}

// K4, K5, K9.
void Oracle::on_commit(const TestNode& node, const StoredBatch& batch) {
  auto known = ledger_.find(batch.base);
  if (known != ledger_.end()) {
    if (known->second.hash != batch.hash)
      fail(fmt::format("K4: node {} has another committed record at {} than was committed first",
                       node.key.id, batch.base));
    return;
  }
  if (batch.base < committed_) return;  // below the first that was looked at
  // It may have given up leading in the same step: its own removal was committed.
  if (node.core->leader().leader != node.key.id)
    return fail(fmt::format("K5: node {} is told that {} is committed before the leader is",
                            node.key.id, batch.base));
  if (batch.base != committed_)
    fail(fmt::format("K4: {} is committed, and {} before it is not", batch.base, committed_));
  if (!majority_holds(node, batch))
    fail(fmt::format("K5: node {} commits {} in epoch {} without a majority of the voters",
                     node.key.id, batch.base, node.core->state().epoch));
  uint64_t before = chain(batch.base);
  ledger_[batch.base] = {batch.next, node.core->state().epoch, batch.hash,
                         Random(before ^ batch.hash).next()};
  committed_ = batch.next;
}

bool Oracle::majority_holds(const TestNode& leader, const StoredBatch& batch) const {
  const VoterSet& voters = leader.core->voters().voters();
  size_t held = 0;
  for (const auto& [id, node] : nodes_) {
    if (!voters.contains(node.key)) continue;
    const StoredBatch* have = node.disk.durable.find(batch.base);
    held += (have && have->hash == batch.hash) || batch.next <= node.disk.durable.start.offset;
  }
  return held >= voters.majority();
}

}  // namespace moldau::raft::test
