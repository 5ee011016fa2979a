// Groups at random: members that join, sync, commit, heartbeat, leave, fall silent and come back
// with what they knew; a coordinator that dies and starts again from its log. Checked: one owner of
// each part in a generation, and only members own (G1); a group that is left alone becomes stable
// and gives everything away (G2); commits of older generations do not land (G3); what was committed
// is there (G4); offsets expire only in groups that are empty (G6); one member an instance (G8).
#include <gtest/gtest.h>

#include <set>

#include "base/bug.h"
#include "base/random.h"
#include "coordinator/group/test_table.h"

namespace moldau::coordinator::group {
namespace {

constexpr int kParts = 6;  // partitions of the topic that the members share

// A client: what it knows of itself, which may be out of date.
struct Client {
  std::optional<std::string> instance;
  std::string member;
  int32_t generation = -1;
  std::string leader;
  std::vector<JoinedMember> others;  // told to the leader
  std::string protocol = "range";
  std::set<int> parts;
  std::optional<Token> joining, syncing;
  bool owns = false;  // of `generation`, as far as it knows
};

class Story {
 public:
  explicit Story(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 5; i++) {
      Client& c = clients_.emplace_back();
      if (random_.one_in(2)) c.instance = "instance" + std::to_string(i % 3);
    }
  }
  // The first thing that was wrong; empty: nothing.
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

  void step() {
    Client& c = clients_[random_.below(clients_.size())];
    switch (random_.below(14)) {
      case 0:
      case 1:
      case 2:
        return join(c);
      case 3:
      case 4:
        return sync(c);
      case 5:
      case 6:
        return commit(c);
      case 7:
        return heartbeat(c);
      case 8:
        if (random_.one_in(3)) leave(c);
        return;
      case 9:
        return table_.pass(milliseconds(random_.between(1, 4000)));
      case 10:
        if (random_.one_in(4)) restart();
        return;
      case 11:
        if (random_.one_in(4)) expire();
        return;
      case 12:
        return arrive_late();
      default:
        if (random_.one_in(10)) c = {.instance = c.instance};  // a client that starts anew
    }
  }

  void join(Client& c) {
    if (c.joining) return;
    c.owns = false;
    bool skips = random_.one_in(2);
    c.joining = table_.join({.member = c.member,
                             .instance = c.instance,
                             .session = seconds(10),
                             .rebalance = seconds(15),
                             .two_steps = !c.instance && random_.one_in(2),
                             .may_skip = skips});
  }

  void sync(Client& c) {
    if (c.generation < 0 || c.syncing || c.joining) return;
    std::vector<Assignment> parts;
    if (c.leader == c.member)
      for (size_t i = 0; i < c.others.size(); i++) {
        std::string mine;
        for (int p = 0; p < kParts; p++)
          if (static_cast<size_t>(p) % c.others.size() == i) mine += static_cast<char>('0' + p);
        parts.push_back({c.others[i].id, mine});
      }
    if (random_.one_in(4)) {
      late_.push_back({c.member, c.generation, parts});
      return;
    }
    c.syncing = table_.sync(c.member, c.generation, parts);
  }

  // Offsets of a group that is empty for long enough go, and no others.
  void expire() {
    const Group* group = table_.core.group("g");
    bool empty = !group || group->phase == Phase::empty;
    table_.moment.wall.millis += random_.between(0, 4) * 24 * 3600 * 1000;
    table_.core.expire_offsets(table_.moment.wall);
    table_.take();
    if (table_.offset() >= 0) return;
    if (expected_ >= 0 && !empty) complain("G6: offsets of a group that lives have expired");
    expected_ = -1;
  }

  // A request that was long on its way; nobody waits for the answer any more.
  void arrive_late() {
    if (late_.empty()) return;
    Late late = std::move(late_.front());
    late_.erase(late_.begin());
    (void)table_.sync(late.member, late.generation, late.parts);
  }

  void commit(Client& c) {
    if (c.generation < 0) return;
    bool stale = true;
    if (const Group* group = table_.core.group("g"))
      stale = group->generation != c.generation || !group->members.contains(c.member);
    int64_t offset = ++next_offset_;
    ErrorCode error = table_.commit(c.member, c.generation, offset);
    if (error != ErrorCode::none) return;
    if (stale) complain("G3: a commit of an older generation has landed");
    expected_ = offset;
  }

  void heartbeat(Client& c) {
    if (c.generation < 0) return;
    ErrorCode error = table_.heartbeat(c.member, c.generation, c.instance);
    if (error != ErrorCode::none) c.owns = false;
    if (error == ErrorCode::unknown_member_id || error == ErrorCode::fenced_instance_id)
      c.member = "";
  }

  void leave(Client& c) {
    if (c.member.empty()) return;
    (void)table_.leave(c.member);
    c = {.instance = c.instance};
  }

  // The table's log is committed at once: nothing that was acknowledged may be missing.
  void restart() {
    table_.restart();
    for (Client& c : clients_) hear(c);
  }

  void hear(Client& c) {
    if (c.joining && table_.joined(*c.joining)) {
      JoinAnswer answer = table_.joins[*std::exchange(c.joining, {})];
      if (answer.error == ErrorCode::none) {
        c.member = answer.member;
        c.generation = answer.generation;
        c.leader = answer.skip_assignment ? "" : answer.leader;
        c.others = answer.members;
      } else {
        c.member = answer.error == ErrorCode::member_id_required ? answer.member : "";
      }
    }
    if (!c.syncing || !table_.synced(*c.syncing)) return;
    SyncAnswer answer = table_.syncs[*std::exchange(c.syncing, {})];
    c.owns = answer.error == ErrorCode::none;
    c.parts.clear();
    for (char p : answer.assignment) c.parts.insert(p - '0');
  }

  void look() {
    for (Client& c : clients_) hear(c);
    const Group* group = table_.core.group("g");
    if (!group) return;
    if (expected_ >= 0 && table_.offset() != expected_) complain("G4: a commit is gone");
    std::map<std::string, int> instances;
    for (const auto& [id, member] : group->members)
      if (member.instance && ++instances[*member.instance] > 1)
        complain("G8: an instance has two members");
    const StoredGroup* stored = table_.core.state().stored("g");
    if (!stored || stored->members.empty()) return;
    std::set<char> given;
    for (const StoredMember& member : stored->members)
      for (char p : member.assignment)
        if (!given.insert(p).second) complain("G1: a part has two owners");
    if (group->phase != Phase::stable) return;
    for (const auto& [id, member] : group->members)
      if (!stored->find(id)) complain("G1: a member of a stable group is not among its owners");
    if (stored->generation != group->generation) complain("G1: parts of another generation");
    if (given.size() != kParts) complain("G2: a stable group has parts without an owner");
  }

  // Everybody does what a client does, nothing goes wrong: the group becomes stable.
  void calm_down() {
    for (int round = 0; round < 60; round++) {
      for (size_t i = 0; i < clients_.size(); i++) {
        Client& c = clients_[i];
        hear(c);
        if (c.instance && i >= 3) continue;  // its twin is the one that lives
        if (c.joining || c.syncing) continue;
        ErrorCode error = c.generation < 0 || c.member.empty()
                              ? ErrorCode::unknown_member_id
                              : table_.heartbeat(c.member, c.generation, c.instance);
        if (error != ErrorCode::none) {
          if (error != ErrorCode::rebalance_in_progress && error != ErrorCode::illegal_generation)
            c.member = "";
          join(c);
        } else if (!c.owns) {
          sync(c);
        }
        hear(c);
      }
      table_.pass(seconds(3));
      look();
    }
    const Group* group = table_.core.group("g");
    bool stable = group && group->phase == Phase::stable;
    if (!stable) complain("G2: a group that is left alone does not become stable");
  }

  struct Late {
    std::string member;
    int32_t generation;
    std::vector<Assignment> parts;
  };
  std::vector<Late> late_;
  Random random_;
  Table table_;
  std::vector<Client> clients_;
  int64_t next_offset_ = 0;
  int64_t expected_ = -1;
  std::string fault_;
};

std::string first_fault(uint64_t seeds) {
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    Story story(seed);
    story.run(200);
    if (!story.fault().empty()) return story.fault() + ", seed " + std::to_string(seed);
  }
  return {};
}

TEST(GroupsAtRandom, KeepTheirPromises) { EXPECT_EQ(first_fault(30), ""); }

#ifdef MOLDAU_PLANTED_BUGS
TEST(GroupsAtRandom, PlantedBugsAreFound) {
  for (Bug bug : {Bug::group_commit_stale, Bug::group_sync_stale, Bug::group_static_twice}) {
    plant(bug);
    EXPECT_NE(first_fault(300), "") << bug_name(bug);
    plant(Bug::none);
  }
}
#endif

}  // namespace
}  // namespace moldau::coordinator::group
