// One core whose state and log are on stable storage at once, and what it answers: for tests.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>

#include "raft/core.h"

namespace moldau::raft::test {

inline Uuid directory(uint8_t n) {
  Uuid id;
  id.bytes[15] = n;
  return id;
}
inline ReplicaKey replica(int32_t id, uint8_t dir = 0) { return {BrokerId(id), directory(dir)}; }

// A core whose state and log are on stable storage at once, and its answers by token.
struct Bench {
  Now now{Instant{seconds(10).nanos}, WallTime{1'700'000'000'000}};
  std::unique_ptr<Core> core;
  std::vector<Send> sends;
  std::vector<Answer> answers;
  std::vector<LogWrite> writes;
  std::vector<SnapshotStep> steps;
  std::optional<std::string> halt;
  bool stopped = false;
  bool instant_disk = true;

  explicit Bench(int voters, std::optional<QuorumState> state = {}, LogState::Opened log = {}) {
    std::vector<Voter> set;
    for (int id = 1; id <= voters; id++) set.push_back({replica(id), {}, 0, 1});
    Config config;
    config.local = replica(1, 11);
    config.cluster_id = "us";
    Recovered found{std::move(state), std::move(log), VoterHistory(VoterSet(set), 0)};
    core = std::make_unique<Core>(config, std::move(found), 7);
    take(core->start(now));
  }
  void take(Effects e) {
    std::ranges::move(e.sends, std::back_inserter(sends));
    std::ranges::move(e.answers, std::back_inserter(answers));
    std::ranges::move(e.writes, std::back_inserter(writes));
    std::ranges::move(e.snapshot, std::back_inserter(steps));
    if (e.halt) halt = e.halt;
    stopped |= e.stopped;
    if (!instant_disk) return;
    if (e.persist) take(core->persisted(now, e.persist->number));
    if (!core->log().settled()) take(core->log_durable(now, writes.back().number));
  }
  template <class R>
  auto ask(const R& request) {
    answers.clear();
    take(core->request(now, 1, request));
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? Response() : answers[0].response;
  }
  void pass(Duration time) {
    now.instant = now.instant + time;
    now.wall.millis += time.millis();
    take(core->tick(now));
  }
  void answer_last(const Response& response) {
    Send send = sends.back();
    take(core->response(now, send.to, send.id, response));
  }
  void become_follower_of(int32_t leader, int32_t epoch) {
    for (const Send& send : std::vector<Send>(sends))
      take(core->send_failed(now, send.to, send.id));
    sends.clear();
    ask(BeginQuorumRequest{"us", replica(1), {BrokerId(leader), LeaderEpoch(epoch)}, {}});
    pass(milliseconds(20));
  }
  // The fetch that is under way.
  const Send& fetch() {
    EXPECT_TRUE(std::holds_alternative<FetchRequest>(sends.back().request));
    return sends.back();
  }
};

inline VoteRequest vote(int32_t epoch, int32_t by, uint8_t dir, bool pre = false,
                        OffsetAndEpoch end = {}) {
  return {"us", replica(1), replica(by, dir), LeaderEpoch(epoch), end, pre};
}
inline OffsetAndEpoch end_at(int64_t offset, int32_t epoch) {
  return {Offset(offset), LeaderEpoch(epoch)};
}

// error, leader, epoch, granted: as in one line of a table.
inline std::string brief(const Response& response) {
  if (auto* v = std::get_if<VoteResponse>(&response))
    return fmt::format("{} {} {} {}", static_cast<int>(v->error), v->leader.leader, v->leader.epoch,
                       v->granted ? "yes" : "no");
  return std::visit(
      [](const auto& r) {
        int error = static_cast<int>(r.top != ErrorCode::none ? r.top : r.error);
        return fmt::format("{} {} {}", error, r.leader.leader, r.leader.epoch);
      },
      response);
}

}  // namespace moldau::raft::test
