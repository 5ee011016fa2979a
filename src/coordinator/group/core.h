// The decisions of the coordinator for the groups of one partition of __consumer_offsets, pure.
// In: requests with what a step sees of the outside (Moment), ticks, and while loading the records
// of the log. Out: answers, and records to be appended. What is kept changes by State::apply at
// once with the record; whether the record is committed is the driver's business, who holds back
// the answers that depend on it, and unloads everything if an append fails.
//
// A member's life: join (a new one gets an id first, and comes again with it), waits until all have
// joined or the rebalance timeout is over; is told the generation, the leader all members; sync,
// waits for the leader's assignment; heartbeats until it leaves, is silent for its session timeout,
// or is told to join again.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "coordinator/group/consumer/core.h"
#include "coordinator/group/group.h"
#include "coordinator/group/ledger.h"
#include "coordinator/group/requests.h"
#include "coordinator/group/timers.h"

namespace moldau::coordinator::group {

struct GroupConfig {
  Duration min_session_timeout = seconds(6);      // group.min.session.timeout.ms
  Duration max_session_timeout = seconds(1800);   // group.max.session.timeout.ms
  Duration initial_rebalance_delay = seconds(3);  // group.initial.rebalance.delay.ms
  size_t max_size = 2147483647;                   // group.max.size
  // Of a member that has just joined, until its first generation is complete.
  Duration first_join_timeout = seconds(300);
  int64_t offset_retention_millis = int64_t{10'080} * 60'000;  // offsets.retention.minutes
  size_t max_offset_metadata = 4096;                           // offset.metadata.max.bytes
  size_t max_record_bytes = 1'048'588 - 100;                   // of one record, in one batch
  ConsumerConfig consumer;
};

class GroupCore {
 public:
  explicit GroupCore(const GroupConfig& config)
      : config_(config), consumers_(config.consumer, ledger_) {
    ledger_.max_record_bytes = config.max_record_bytes;
  }
  GroupCore(const GroupCore&) = delete;
  GroupCore& operator=(const GroupCore&) = delete;

  // While loading: the records of the log in order, then `loaded`.
  void load(const Record& record, int64_t producer = -1) { state_.apply(record, producer); }
  void load_marker(int64_t producer, bool commit) { state_.end_transaction(producer, commit); }
  void loaded(Moment moment);
  // Forgets everything; whoever waits gets the error.
  void unload(ErrorCode error);

  // The topics that there are from now on.
  void know(TopicsRef topics) { consumers_.know(std::move(topics)); }

  // Of the consumer protocol. Also where a live classic group goes over to it.
  ConsumerAnswer consumer_heartbeat(const ConsumerHeartbeat& request, Moment moment);
  DescribedConsumers describe_consumers(std::string_view group) const;
  // Whether this member may see the offsets of its group now.
  ErrorCode check_fetch(std::string_view group, const std::optional<std::string>& member,
                        int32_t epoch) const;

  // Both answer by an effect, now or later.
  void join(Token token, const JoinRequest& request, Moment moment);
  void sync(Token token, const SyncRequest& request, Moment moment);
  ErrorCode heartbeat(const Speaker& who, Moment moment);
  LeaveAnswer leave(const std::string& group, const std::vector<LeavingMember>& members,
                    Moment moment);
  // One code an offset, in the request's order.
  std::vector<ErrorCode> commit(const CommitRequest& request, Moment moment);
  DeleteOffsetsAnswer delete_offsets(const std::string& group,
                                     const std::vector<OffsetPlace>& places);
  ErrorCode delete_group(const std::string& group);
  std::vector<ListedGroup> list() const;
  DescribedGroup describe(std::string_view group) const;
  const State& state() const { return state_; }

  // Offsets that are too old go, and groups that have nothing left.
  void expire_offsets(WallTime now);
  void forget_topic(std::string_view topic);

  void tick(Moment moment);
  Instant next_deadline() const { return std::min(timers_.next(), consumers_.next_deadline()); }
  // What the calls since the last take want done.
  Effects take() { return std::exchange(effects_, {}); }

  const Group* group(std::string_view name) const;

 private:
  enum class Due : uint8_t { session, join, sync };
  struct TimerKey {
    Due due;
    std::string group;
    std::string member;
    auto operator<=>(const TimerKey&) const = default;
  };
  // A group and the step that works on it.
  struct Step {
    const std::string& name;
    Group& group;
    Moment moment;
  };

  Group* find(std::string_view name);
  void restore(const std::string& name, const StoredGroup& stored, Moment moment);
  // False: too large for a record; nothing happened.
  bool put(const Record& record) { return ledger_.put(record); }
  bool put_group(Step& s, const std::vector<Assignment>& assignments);
  void drop_if_gone(const std::string& name);

  // core_join.cc
  void admit(Token token, const JoinRequest& request, Step& s);
  void join_new(Token token, const JoinRequest& request, Step& s);
  void join_again(Token token, const JoinRequest& request, Step& s);
  void add_member(Token token, const JoinRequest& request, const std::string& id, Step& s);
  void update_member(Token token, const JoinRequest& request, Member& member, Step& s);
  void replace_static(Token token, const JoinRequest& request, std::string old_id,
                      const std::string& id, Step& s);
  void answer_replaced(Token token, const JoinRequest& request, const std::string& old_leader,
                       const std::string& id, Step& s);
  bool has_room(const Group& group, std::string_view member) const;
  void refuse_join(Token token, ErrorCode error, const std::string& member);
  void answer_join(Member& member, JoinAnswer answer);
  JoinAnswer generation_of(const Group& group, const std::string& member) const;

  // core_rebalance.cc
  void rebalance_or_complete(Step& s);
  void prepare(Step& s);
  void complete_if_all_joined(Step& s);
  void complete_join(Step& s);
  void remove_absent(Step& s);
  bool elect(Group& group);
  void begin_generation(Step& s);
  void on_join_due(Step& s);
  void on_sync_due(Step& s);
  void on_session_due(Step& s, const std::string& member);
  void remove_member(Step& s, const std::string& member);
  void after_removal(Step& s);
  void cancel_syncs(Step& s, ErrorCode error);

  // core_member.cc
  ErrorCode check_sync(const Group& group, const SyncRequest& request) const;
  void complete_sync(Step& s, const std::vector<Assignment>& assignments);
  SyncAnswer assignment_of(const Step& s, const std::string& member) const;
  void alive(Step& s, const Member& member);
  void wake_at(const Step& s, const Member& member, Duration after);
  ErrorCode leave_one(Step& s, const LeavingMember& leaving, bool& removed);

  // core_consumer.cc
  Refusal make_room_for_consumer(const ConsumerHeartbeat& request, Moment moment);
  Refusal adopt(const std::string& name, Group& group, Moment moment);
  void settle_released(Moment moment);

  // core_offsets.cc
  ErrorCode check_commit(Group* group, const CommitRequest& request) const;
  bool reads(std::string_view group, std::string_view topic) const;
  bool expired(const std::string& name, const Kept& kept, std::string_view topic,
               const StoredOffset& offset, WallTime now) const;

  const GroupConfig config_;
  Ledger ledger_;
  State& state_ = ledger_.state;
  Effects& effects_ = ledger_.effects;
  std::map<std::string, Group, std::less<>> groups_;  // classic ones, and offsets without a group
  Timers<TimerKey> timers_;
  ConsumerGroups consumers_;
};

}  // namespace moldau::coordinator::group
