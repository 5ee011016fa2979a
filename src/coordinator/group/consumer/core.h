// The decisions for groups of the consumer protocol (KIP-848), pure; a part of GroupCore, which
// knows which groups are of it. Everything about such a group but its timers is kept (stored.h).
//
// A member's life: it joins with epoch 0 and says what it reads; is told its epoch and partitions,
// and says with every heartbeat in which epoch it is, now and then what it has. A change of who
// reads what raises the group's epoch; then, at most once in an interval, an assignor makes the
// target of that epoch; then each member is led there by its own heartbeats (reconcile.h).
#pragma once
#include "coordinator/group/consumer/requests.h"
#include "coordinator/group/group.h"
#include "coordinator/group/ledger.h"
#include "coordinator/group/timers.h"

namespace moldau::coordinator::group {

class ConsumerGroups {
 public:
  ConsumerGroups(const ConsumerConfig& config, Ledger& ledger)
      : config_(config), ledger_(ledger), topics_(std::make_shared<const KnownTopics>()) {}

  const ConsumerGroup* find(std::string_view name) const { return ledger_.state.consumer(name); }
  const ConsumerConfig& config() const { return config_; }
  // The topics that there are from now on.
  void know(TopicsRef topics);
  void loaded(Moment moment);
  void unload();

  // What is wrong with a request whatever the group.
  Refusal check(const ConsumerHeartbeat& request) const;
  static Refusal check_regex(const std::string& expression);
  // The group is one of this protocol, or there is none.
  ConsumerAnswer heartbeat(const ConsumerHeartbeat& request, Moment moment);
  void tick(Moment moment);
  Instant next_deadline() const { return timers_.next(); }

  // --- Members that speak the classic protocol (classic_side.cc). The group is there. ---
  // Answers by an effect, at once.
  void join(Token token, const JoinRequest& request, Moment moment);
  void sync(Token token, const SyncRequest& request, Moment moment);
  ErrorCode heartbeat(const Speaker& who, Moment moment);
  LeaveAnswer leave(const std::string& group, const std::vector<LeavingMember>& members,
                    Moment moment);

  // This member's coming makes all of the group classic: it is the old one of the only member that
  // speaks the new protocol. Then that one is gone, and the group is released.
  void make_way(const JoinRequest& request, Moment moment);

  ErrorCode check_commit(const ConsumerGroup& group, const CommitRequest& request) const;
  ErrorCode check_fetch(const ConsumerGroup& group, const std::string& member, int32_t epoch) const;
  DescribedConsumers describe(const ConsumerGroup& group) const;
  // All records of a group without members go.
  void remove(const std::string& name);

  // A classic group that lives becomes one of this protocol, with what its members had.
  struct Adopted {
    std::string id;
    ConsumerMember member;
    Parts parts;
  };
  // stored: with what it had. Nothing: what it reads cannot be understood.
  std::optional<Adopted> as_consumer(const Member& member, const std::string& metadata,
                                     const StoredMember* stored) const;
  void adopt(const std::string& name, int32_t generation, const std::vector<Adopted>& members,
             Moment moment);
  // Groups whose members all speak the classic protocol since the last call, made classic again:
  // what of each is to go on. Their records of this protocol have been taken away.
  struct Released {
    std::string name;
    StoredGroup group;
    std::map<std::string, std::vector<Protocol>> protocols;  // of each member
  };
  std::vector<Released> take_released() { return std::exchange(released_, {}); }

 private:
  enum class Due : uint8_t { session, rebalance, rejoin, sync };
  struct TimerKey {
    Due due;
    std::string group;
    std::string member;
    auto operator<=>(const TimerKey&) const = default;
  };
  // What is known of a group in this life only.
  struct Memory {
    TopicsRef hashed;    // the topics of which the group's hash is
    TopicsRef resolved;  // those that its expressions were matched with
    Instant looked;      // when they were
  };
  // One member's request.
  struct Step {
    const std::string& name;
    std::string id;
    const std::optional<Parts>& owned;
    Moment moment;
    ConsumerMember said = {};                  // what it says of itself now
    std::optional<ConsumerMember> old = {};    // before; nothing: it is new
    std::optional<std::string> replaces = {};  // the static member whose place it takes
    bool bump = false;                         // the group's epoch is to rise
  };

  const ConsumerGroup& group(const std::string& name) const;
  // core.cc
  Refusal admit(const ConsumerHeartbeat& request, Step& s);
  Refusal admit_static(const ConsumerHeartbeat& request, Step& s);
  Refusal check_epoch(const ConsumerHeartbeat& request) const;
  ConsumerMember updated(const ConsumerHeartbeat& request,
                         const std::optional<ConsumerMember>& old) const;
  Refusal room_for(const std::string& name, const std::string& member) const;
  bool put(const Record& record) { return ledger_.put(record); }
  void replace(const Step& s, const std::string& old_id);
  Refusal go_on(Step& s);
  void reread(Step& s);
  void refresh_regexes(Step& s);
  int64_t hash_of(const ConsumerGroup& group) const;
  void raise_epoch(const std::string& name, bool bump);
  void drop_unused_regexes(const std::string& name);
  // targets.cc
  void make_target(const std::string& name, Moment moment);
  std::string preferred_assignor(const ConsumerGroup& group) const;
  std::set<Uuid> topic_ids(const ConsumerGroup& group, const ConsumerMember& member) const;
  // leave.cc
  ConsumerAnswer leave(const ConsumerHeartbeat& request, Moment moment);
  void go_away(const std::string& name, const std::string& member);
  void fence(const std::string& name, const std::vector<std::string>& members, Moment moment);
  void forget_member(const std::string& name, const std::string& member);
  static std::string common_protocol(const ConsumerGroup& group);
  bool release_if_classic(const std::string& name, Moment moment);
  // classic_side.cc
  ErrorCode check_join(const JoinRequest& request) const;
  ErrorCode admit_classic(const JoinRequest& request, Step& s) const;
  ErrorCode check_speaker(const ConsumerGroup& group, const Speaker& who) const;
  void refuse_join(Token token, ErrorCode error, const std::string& member);
  void expect_rejoin(const Speaker& who, Moment moment);
  std::string assignment_bytes(const ConsumerGroup& group, const std::string& member) const;

  void alive(const std::string& group, const std::string& member, Moment moment);
  void cancel_timers(const std::string& group, const std::string& member);

  const ConsumerConfig config_;
  Ledger& ledger_;
  TopicsRef topics_;
  std::map<std::string, Memory, std::less<>> memory_;
  Timers<TimerKey> timers_;
  std::vector<Released> released_;
};

}  // namespace moldau::coordinator::group
