// A quorum of cores in one process with virtual time: messages are delayed, lost, doubled and
// overtaken, links cut one way or both, disks slow, nodes lose power. A seed decides everything.
// First faults, then healing: afterwards a leader must commit and all replicas must follow.
#pragma once
#include <functional>
#include <set>

#include "raft/test_oracle.h"

namespace moldau::raft::test {

struct QuorumOptions {
  uint64_t seed = 1;
  int voters = 3;
  int observers = 0;
  bool faults = true;
  bool snapshots = true;
  Duration chaos = seconds(3);
  bool dynamic = false;         // voters in the log, which change
  bool single_batches = false;  // a fetch brings one; else by the seed
};

class Quorum {
 public:
  explicit Quorum(const QuorumOptions& options);
  // What was found, empty if nothing. Starts with the seed.
  std::string run();
  uint64_t events() const { return events_; }
  uint64_t leaders() const { return oracle_.leaders(); }
  Offset committed() const { return oracle_.committed(); }
  const TestNodes& nodes() const { return nodes_; }

 private:
  using Link = std::pair<BrokerId, BrokerId>;  // from, to
  struct Asked {
    BrokerId from;
    BrokerId to;  // as it was written: maybe a bootstrap server
    uint64_t incarnation, id;
    Request request;  // as it arrives
    int16_t version = 0;
  };

  void at(Duration later, std::function<void()> what);
  void at_node(TestNode& node, Duration later, std::function<void()> what);
  void run_until(Instant end);
  Now now() const;
  Duration latency();
  Duration disk_delay(TestNode& node);
  bool delivered(BrokerId from, BrokerId to);

  void boot(TestNode& node);
  void lose_power(TestNode& node);
  void execute(TestNode& node, Effects effects);
  void write(TestNode& node, LogWrite w);
  void sync(TestNode& node);
  void snapshot_step(TestNode& node, const SnapshotStep& step);
  void load_snapshot(TestNode& node, OffsetAndEpoch id);
  void persist(TestNode& node);
  void post(TestNode& node, const Send& send);
  void arrive(BrokerId to, const Asked& asked);
  void reply(TestNode& node, const Answer& answer);
  void set_wake(TestNode& node, Instant wake);

  void client();
  void fault();
  void take_snapshot(TestNode& node);
  void change_voters();
  void replace_disk(TestNode& node);
  TestNode* leader();
  TestNode& any_node();
  void heal();
  std::string check_alive();
  std::string check_description(Offset wanted);
  std::string check_quiet();

  QuorumOptions options_;
  Random random_;
  Instant now_{seconds(1'000).nanos};
  std::map<std::pair<Instant, uint64_t>, std::function<void()>> queue_;
  uint64_t sequence_ = 0, events_ = 0, tokens_ = 0;
  TestNodes nodes_;
  VoterHistory configured_;
  std::map<Offset, VoterHistory> snapshot_voters_;
  uint8_t disks_ = 1;
  std::map<uint64_t, Asked> asked_;
  std::set<Link> cut_;
  std::set<BrokerId> slow_;
  bool healed_ = false;
  double loss_ = 0, doubled_ = 0, late_ = 0;
  int32_t fetch_max_bytes_ = 4'000;
  uint64_t crash_weight_ = 0, cut_weight_ = 0, pause_weight_ = 0, slow_weight_ = 0,
           client_millis_ = 10;
  Oracle oracle_{nodes_};
};

}  // namespace moldau::raft::test
