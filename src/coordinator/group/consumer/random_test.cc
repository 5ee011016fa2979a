// Consumer groups at random: members of both protocols that join, heartbeat, give up and get
// partitions, commit, leave, fall silent and come back; topics that grow; a coordinator that dies
// and starts again from its log, whole or compacted. Checked: nobody reads what another one reads
// (G1); a group that is left alone becomes stable and gives everything away (G2); stale heartbeats
// and commits do not count (G3); a restart changes nothing (G4); one member an instance (G8);
// epochs only grow.
#include <gtest/gtest.h>

#include <set>

#include "base/bug.h"
#include "base/random.h"
#include "coordinator/group/consumer/protocol_bytes.h"
#include "coordinator/group/test_table.h"

namespace moldau::coordinator::group {
namespace {

// A client: what it knows of itself, which may be out of date.
struct Client {
  bool classic = false;
  std::optional<std::string> instance;
  std::string member;         // empty: not in
  int32_t epoch = 0;          // or generation
  Parts reads;                // what it works on
  std::optional<Parts> told;  // what it is to have, where that is something else
  bool acknowledges = false;  // its next heartbeat says what it has
  std::optional<Token> joining, syncing;
  bool must_join = true;
  bool synced = false;
  std::vector<JoinedMember> others;  // told to a classic leader
  bool leads = false;
};

// What was sent long ago.
struct Late {
  std::string member;
  int32_t epoch;
  Parts owned;
};

class Story {
 public:
  explicit Story(uint64_t seed) : random_(seed) {
    table_.set_topics({{"t", 5}, {"u", 2}});
    for (int i = 0; i < 5; i++) {
      Client& c = clients_.emplace_back();
      c.classic = random_.one_in(3);
      if (random_.one_in(3)) c.instance = "instance" + std::to_string(i % 2);
    }
  }
  const std::string& fault() const { return fault_; }

  void run(int steps) {
    for (int i = 0; i < steps && fault_.empty(); i++) {
      step();
      look();
    }
    if (fault_.empty()) calm_down();
  }

 private:
  void complain(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }
  const ConsumerGroup* group() const { return table_.core.state().consumer("g"); }

  void step() {
    Client& c = clients_[random_.below(clients_.size())];
    switch (random_.below(12)) {
      case 0:
        if (random_.one_in(3)) leave(c);
        return;
      case 1:
        return table_.pass(milliseconds(random_.between(1, 3000)));
      case 2:
        if (random_.one_in(3)) restart();
        return;
      case 3:
        return arrive_late();
      case 4:
        return commit(c);
      case 5:
        if (random_.one_in(8)) grow();
        return;
      case 6:
        if (random_.one_in(8)) lost(c);  // a client that starts anew
        return;
      default:
        return act(c);
    }
  }

  void act(Client& c) {
    if (c.classic)
      act_classic(c);
    else
      beat(c);
  }

  // --- The consumer protocol ---

  void lost(Client& c) { c = {.classic = c.classic, .instance = c.instance}; }

  void beat(Client& c) {
    // First it gives up, then it takes what is new, then it says so.
    if (c.told && random_.one_in(2)) {
      c.reads = *std::exchange(c.told, {});
      c.acknowledges = true;
    }
    ConsumerHeartbeat r;
    if (c.member.empty()) {
      r = joining("c" + std::to_string(next_id_++), {"t"});
      if (random_.one_in(2)) r.topics->push_back("u");
    } else {
      r = beating(c.member, c.epoch);
      if (c.acknowledges || random_.one_in(4)) r.owned = c.reads;
    }
    r.instance = c.instance;
    CurrentAssignment before = group() ? group()->current(r.member) : CurrentAssignment();
    ConsumerAnswer answer = table_.beat(r);
    if (answer.refusal) return lost(c);
    if (r.epoch > 0) check_epoch(r, before);
    c.acknowledges = false;
    c.member = answer.member;
    c.epoch = answer.epoch;
    if (answer.assignment) c.told = answer.assignment;
    if (random_.one_in(6)) late_.push_back({c.member, c.epoch, c.reads});
  }

  void check_epoch(const ConsumerHeartbeat& r, const CurrentAssignment& before) {
    if (r.epoch == before.epoch) return;
    bool may = r.epoch == before.previous && r.owned && is_subset(*r.owned, before.assigned);
    if (!may) complain("G3: a heartbeat of another epoch was taken");
  }

  // A heartbeat of an older epoch that was long on its way.
  void arrive_late() {
    if (late_.empty()) return;
    Late late = std::move(late_.front());
    late_.erase(late_.begin());
    const ConsumerGroup* g = group();
    if (!g || !g->find(late.member) || g->find(late.member)->instance) return;
    CurrentAssignment before = g->current(late.member);
    if (late.epoch == before.epoch) return;
    ConsumerHeartbeat r = beating(late.member, late.epoch);
    if (!table_.beat(r).refusal) check_epoch(r, before);
  }

  void commit(Client& c) {
    if (c.member.empty() || c.reads.empty() || !group()) return;
    late_commits_.push_back({c.member, c.epoch, c.reads});
    if (random_.one_in(2)) return;
    size_t which = random_.below(late_commits_.size());
    Late late = late_commits_[which];
    if (random_.one_in(2))
      late_commits_.erase(late_commits_.begin() + static_cast<ptrdiff_t>(which));
    const auto& [topic, partitions] = *late.owned.begin();
    int32_t partition = *partitions.begin();
    CommitRequest request{.who = {"g", late.member, std::nullopt, late.epoch},
                          .new_protocol_version = true,
                          .retention_millis = std::nullopt,
                          .offsets = {{.topic = "t",
                                       .topic_id = topic,
                                       .partition = partition,
                                       .offset = 1,
                                       .leader_epoch = -1,
                                       .metadata = {},
                                       .commit_millis = std::nullopt}}};
    CurrentAssignment now = group()->current(late.member);
    std::vector<ErrorCode> codes = table_.core.commit(request, table_.moment);
    table_.take();
    if (codes[0] != ErrorCode::none || late.epoch == now.epoch) return;
    const int32_t* since = epoch_of(now.assigned, topic, partition);
    if (!since) since = epoch_of(now.pending, topic, partition);
    if (!since || late.epoch < *since || late.epoch > now.epoch)
      complain("G3: a commit of another epoch has landed");
  }

  // --- The classic protocol, with eager consumers: they stop reading before they join ---

  void act_classic(Client& c) {
    hear(c);
    if (c.joining || c.syncing) return;
    if (c.must_join) return join(c);
    if (!c.synced) return sync(c);
    ErrorCode error = table_.heartbeat(c.member, c.epoch, c.instance);
    if (error == ErrorCode::rebalance_in_progress)
      c.must_join = true;
    else if (error != ErrorCode::none)
      lost(c);
  }

  void join(Client& c) {
    c.reads.clear();
    c.synced = false;
    c.joining = table_.join({.member = c.member,
                             .instance = c.instance,
                             .protocols = {{"range", subscription({"t", "u"})}},
                             .session = seconds(10),
                             .rebalance = seconds(15)});
    hear(c);
  }

  void sync(Client& c) {
    std::vector<Assignment> given;
    if (c.leads) {
      std::vector<Parts> parts(c.others.size());
      size_t next = 0;
      for (const KnownTopic& topic : table_.topics->all())
        for (int32_t p = 0; p < topic.partitions; p++)
          parts[next++ % parts.size()][topic.id].insert(p);
      for (size_t i = 0; i < parts.size(); i++)
        given.push_back({c.others[i].id, write_assignment(parts[i], 0, *table_.topics)});
    }
    c.syncing = table_.sync(c.member, c.epoch, given);
    hear(c);
  }

  void hear(Client& c) {
    if (c.joining && table_.joined(*c.joining)) {
      JoinAnswer answer = table_.joins[*std::exchange(c.joining, {})];
      if (answer.error != ErrorCode::none) return lost(c);
      c.member = answer.member;
      c.epoch = answer.generation;
      c.others = answer.members;
      c.leads = answer.leader == answer.member && !answer.members.empty();
      c.must_join = false;
    }
    if (!c.syncing || !table_.synced(*c.syncing)) return;
    SyncAnswer answer = table_.syncs[*std::exchange(c.syncing, {})];
    if (answer.error == ErrorCode::rebalance_in_progress) {
      c.must_join = true;
    } else if (answer.error != ErrorCode::none) {
      lost(c);
    } else {
      c.reads = read_assignment(answer.assignment, *table_.topics);
      c.synced = true;
    }
  }

  void leave(Client& c) {
    if (c.member.empty() || c.joining || c.syncing) return;
    if (c.classic) {
      (void)table_.leave(c.member);
    } else {
      bool for_a_while = c.instance && random_.one_in(2);
      ConsumerHeartbeat r = beating(c.member, for_a_while ? kLeavingForAWhile : kLeaving);
      r.instance = c.instance;
      (void)table_.beat(r);
    }
    lost(c);
  }

  void grow() {
    partitions_++;
    table_.set_topics({{"t", partitions_}, {"u", 2}});
  }

  void restart() {
    auto before = table_.core.state().groups();
    if (random_.one_in(2)) table_.compact();
    table_.restart();
    if (table_.core.state().groups() != before) complain("G4: a restart has changed something");
    for (Client& c : clients_) hear(c);
  }

  // --- What must hold ---

  void look() {
    for (Client& c : clients_) hear(c);
    look_at_clients();
    const ConsumerGroup* g = group();
    if (!g) {
      epoch_ = 0;
      return;
    }
    if (g->epoch() < epoch_) complain("a group's epoch has gone back");
    epoch_ = g->epoch();
    if (g->target_epoch() > g->epoch()) complain("a target is ahead of its group");
    std::map<std::string, int> instances;
    std::map<std::pair<Uuid, int32_t>, std::string> owners;
    for (const auto& [id, member] : g->members) {
      if (member.instance && ++instances[*member.instance] > 1)
        complain("G8: an instance has two members");
      const CurrentAssignment& now = g->current(id);
      if (now.epoch > g->target_epoch()) complain("a member is ahead of its target");
      for (const EpochParts* held : {&now.assigned, &now.pending})
        for (const auto& [topic, partitions] : *held)
          for (const auto& [p, since] : partitions)
            if (!owners.emplace(std::pair(topic, p), id).second)
              complain("G1: a partition has two owners");
    }
  }

  bool is_in(const Client& c) const {
    if (c.member.empty() || c.reads.empty()) return false;
    if (const ConsumerGroup* g = group())
      return g->find(c.member) && g->current(c.member).epoch != kLeavingForAWhile &&
             g->find(c.member)->classic.has_value() == c.classic;
    const Group* classic = table_.core.group("g");
    return classic && c.classic && classic->members.contains(c.member) &&
           classic->generation == c.epoch;
  }

  void look_at_clients() {
    std::set<std::pair<Uuid, int32_t>> read;
    for (const Client& c : clients_) {
      if (!is_in(c)) continue;
      for (const auto& [topic, partitions] : c.reads)
        for (int32_t p : partitions)
          if (!read.insert({topic, p}).second) complain("G1: two read the same partition");
    }
  }

  // Everybody does what a client does, nothing goes wrong.
  void calm_down() {
    for (Client& c : clients_) {
      if (c.instance) lost(c);  // of a pair of twins one has to go: all instances do
      c.instance.reset();
    }
    for (int round = 0; round < 60 && fault_.empty(); round++) {
      for (Client& c : clients_)
        for (int i = 0; i < 3; i++) act(c);
      table_.pass(seconds(3));
      look();
    }
    bool all_classic = !group();
    if (group() && group()->state_name() != "Stable")
      complain("G2: a group that is left alone does not become stable");
    if (all_classic && table_.phase() != Phase::stable) complain("G2: nor a classic one");
    size_t read = 0;
    for (const Client& c : clients_)
      if (is_in(c)) read += count(c.reads);
    if (read < static_cast<size_t>(partitions_)) complain("G2: nobody reads some partitions");
  }

  Random random_;
  Table table_;
  std::vector<Client> clients_;
  std::vector<Late> late_, late_commits_;
  int32_t partitions_ = 5;
  int32_t epoch_ = 0;
  int next_id_ = 0;
  std::string fault_;
};

std::string first_fault(uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    Story story(seed);
    story.run(150);
    if (!story.fault().empty()) return story.fault() + ", seed " + std::to_string(seed);
  }
  return {};
}

TEST(ConsumersAtRandom, KeepTheirPromises) { EXPECT_EQ(first_fault(20), ""); }

#ifdef MOLDAU_PLANTED_BUGS
TEST(ConsumersAtRandom, PlantedBugsAreFound) {
  for (Bug bug :
       {Bug::consumer_takes_unreleased, Bug::consumer_skips_revocation,
        Bug::consumer_epoch_unchecked, Bug::consumer_commit_stale, Bug::consumer_static_twice}) {
    plant(bug);
    EXPECT_NE(first_fault(200), "") << bug_name(bug);
    plant(Bug::none);
  }
}
#endif

}  // namespace
}  // namespace moldau::coordinator::group
