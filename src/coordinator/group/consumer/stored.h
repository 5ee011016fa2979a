// What of a group of the consumer protocol (KIP-848) is kept: epochs, members, what each is to get
// and what it has. It changes by `apply` only, one record at a time, in any order that a compacted
// log may have left.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/group/consumer/parts.h"
#include "coordinator/group/requests.h"

namespace moldau::coordinator::group {

// Of a member that speaks the classic protocol inside of a consumer group.
struct ClassicSide {
  int32_t session_millis = 0;
  std::vector<Protocol> protocols;
  bool operator==(const ClassicSide&) const = default;
};

struct ConsumerMember {
  std::optional<std::string> instance;
  std::optional<std::string> rack;
  std::string client_id;
  std::string client_host;
  std::vector<std::string> topics;  // sorted, each once
  std::string regex;                // empty: none
  int32_t rebalance_millis = -1;
  std::optional<std::string> assignor;
  std::optional<ClassicSide> classic;
  bool operator==(const ConsumerMember&) const = default;
};

// stable: it has what it shall have in its epoch. unrevoked: it must give up `pending` before it
// may go on. unreleased: others have not given up yet what it shall get. Kafka's numbers.
enum class MemberState : int8_t { stable = 0, unrevoked = 1, unreleased = 2, unknown = 127 };

struct CurrentAssignment {
  int32_t epoch = 0;  // -2: a static member that is away
  int32_t previous = 0;
  MemberState state = MemberState::stable;
  EpochParts assigned;
  EpochParts pending;  // to be given up
  bool operator==(const CurrentAssignment&) const = default;
};

struct ResolvedRegex {
  std::vector<std::string> topics;  // sorted
  int64_t version = 0;
  int64_t millis = 0;
  bool operator==(const ResolvedRegex&) const = default;
};

struct GroupEpoch {
  int32_t epoch = 0;
  int64_t hash = 0;  // of the topics that its members read, as they were then
  bool operator==(const GroupEpoch&) const = default;
};
struct TargetEpoch {
  int32_t epoch = 0;
  int64_t millis = 0;  // when it was made; 0: not known
  bool operator==(const TargetEpoch&) const = default;
};

// Records, as values. An empty value is a tombstone.
struct GroupEpochRecord {
  std::string group;
  std::optional<GroupEpoch> value;
  bool operator==(const GroupEpochRecord&) const = default;
};
struct ConsumerMemberRecord {
  std::string group;
  std::string member;
  std::optional<ConsumerMember> value;
  bool operator==(const ConsumerMemberRecord&) const = default;
};
struct TargetEpochRecord {
  std::string group;
  std::optional<TargetEpoch> value;
  bool operator==(const TargetEpochRecord&) const = default;
};
struct TargetMemberRecord {
  std::string group;
  std::string member;
  std::optional<Parts> value;
  bool operator==(const TargetMemberRecord&) const = default;
};
struct CurrentRecord {
  std::string group;
  std::string member;
  std::optional<CurrentAssignment> value;
  bool operator==(const CurrentRecord&) const = default;
};
struct RegexRecord {
  std::string group;
  std::string regex;
  std::optional<ResolvedRegex> value;
  bool operator==(const RegexRecord&) const = default;
};
// Written by Kafka before 4.1 only; what it said is computed now. It is taken away with the group.
struct OldTopicsRecord {
  std::string group;
  bool there = false;
  bool operator==(const OldTopicsRecord&) const = default;
};

struct ConsumerGroup {
  static constexpr int32_t kFirstEpoch = 1;
  std::optional<GroupEpoch> epoch_record;
  std::optional<TargetEpoch> target_record;
  bool old_topics = false;
  std::map<std::string, ConsumerMember, std::less<>> members;
  std::map<std::string, CurrentAssignment, std::less<>> currents;
  std::map<std::string, Parts, std::less<>> targets;
  std::map<std::string, ResolvedRegex, std::less<>> regexes;
  // Derived: who has a partition, or has yet to give it up; and static members by instance.
  struct Owner {
    std::string member;
    int32_t epoch = 0;
    bool operator==(const Owner&) const = default;
  };
  std::map<std::pair<Uuid, int32_t>, Owner> owners;
  std::map<std::string, std::string, std::less<>> statics;
  bool operator==(const ConsumerGroup&) const = default;

  int32_t epoch() const { return epoch_record ? epoch_record->epoch : kFirstEpoch; }
  int64_t hash() const { return epoch_record ? epoch_record->hash : 0; }
  int32_t target_epoch() const { return target_record ? target_record->epoch : kFirstEpoch; }
  const ConsumerMember* find(std::string_view member) const;
  const CurrentAssignment& current(std::string_view member) const;
  const Parts& target(std::string_view member) const;
  const std::string* static_member(std::string_view instance) const;
  // The member's topics by name, those of its expression among them.
  std::set<std::string, std::less<>> topics_of(const ConsumerMember& member) const;
  bool reads(std::string_view topic) const;
  // Nothing is kept of it any more.
  bool gone() const;
  std::string_view state_name() const;  // as Kafka tells it

  void apply(const GroupEpochRecord& record) { epoch_record = record.value; }
  void apply(const TargetEpochRecord& record) { target_record = record.value; }
  void apply(const OldTopicsRecord& record) { old_topics = record.there; }
  void apply(const ConsumerMemberRecord& record);
  void apply(const TargetMemberRecord& record);
  void apply(const CurrentRecord& record);
  void apply(const RegexRecord& record);

 private:
  void disown(const std::string& member, const EpochParts& parts);
  void own(const std::string& member, int32_t epoch, const EpochParts& parts);
};

}  // namespace moldau::coordinator::group
