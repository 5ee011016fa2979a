// What of groups is kept: the groups and the committed offsets of one partition of
// __consumer_offsets. It changes by `apply` only, live and when the partition is loaded again, so
// that both ways lead to the same state. Pure. What is not kept (who waits, timers) is Group's
// (group.h).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "coordinator/group/consumer/stored.h"

namespace moldau::coordinator::group {

struct StoredOffset {
  int64_t offset = 0;
  int32_t leader_epoch = -1;  // -1: none
  std::string metadata;
  int64_t commit_millis = 0;
  std::optional<int64_t> expire_millis;  // asked for by a client of the time before Kafka 2.1
  Uuid topic_id;                         // zero: not known
  bool operator==(const StoredOffset&) const = default;
};

// A member as the last finished generation left it. Byte strings are the clients' own.
struct StoredMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  int32_t rebalance_millis = 0;
  int32_t session_millis = 0;
  std::string subscription;
  std::string assignment;
  bool operator==(const StoredMember&) const = default;
};

struct StoredGroup {
  std::string protocol_type;
  int32_t generation = 0;
  std::optional<std::string> protocol;
  std::optional<std::string> leader;
  int64_t since_millis = -1;  // when it came into this state; -1: not known
  std::vector<StoredMember> members;
  bool operator==(const StoredGroup&) const = default;
  const StoredMember* find(std::string_view member) const;
};

using PartitionOffsets = std::map<int32_t, StoredOffset>;
using TopicOffsets = std::map<std::string, PartitionOffsets, std::less<>>;

struct Kept {
  // Neither: offsets that were committed without a group. While a log is loaded that has changed a
  // group's protocol there may be both for a moment.
  std::optional<StoredGroup> group;
  std::optional<ConsumerGroup> consumer;
  TopicOffsets offsets;
  bool operator==(const Kept&) const = default;
};

// Records, as values. An empty value is a tombstone.
struct OffsetRecord {
  std::string group;
  std::string topic;
  int32_t partition = 0;
  std::optional<StoredOffset> value;
  bool operator==(const OffsetRecord&) const = default;
};
struct GroupRecord {
  std::string group;
  std::optional<StoredGroup> value;
  bool operator==(const GroupRecord&) const = default;
};
using Record = std::variant<OffsetRecord, GroupRecord, GroupEpochRecord, ConsumerMemberRecord,
                            TargetEpochRecord, TargetMemberRecord, CurrentRecord, RegexRecord,
                            OldTopicsRecord>;

class State {
 public:
  // producer: -1, or the offset was committed inside of that producer's transaction: it counts when
  // the transaction is committed. Takes every record in every state.
  void apply(const Record& record, int64_t producer = -1);
  // The marker of the producer's transaction.
  void end_transaction(int64_t producer, bool commit);

  const std::map<std::string, Kept, std::less<>>& groups() const { return groups_; }
  const Kept* find(std::string_view group) const;
  const StoredGroup* stored(std::string_view group) const;
  const ConsumerGroup* consumer(std::string_view group) const;
  const StoredOffset* offset(std::string_view group, std::string_view topic,
                             int32_t partition) const;
  // A transaction that is not decided has an offset for it.
  bool pending(std::string_view group, std::string_view topic, int32_t partition) const;
  bool pending(std::string_view group) const;
  size_t offset_count() const { return offsets_; }

 private:
  using Place = std::tuple<std::string, std::string, int32_t>;  // group, topic, partition
  void apply_offset(const OffsetRecord& record);
  void apply_group(const GroupRecord& record);
  template <class R>
  void apply_consumer(const R& record, bool tombstone);
  void drop_if_empty(std::string_view group);
  std::map<std::string, Kept, std::less<>> groups_;
  // What a transaction holds until it is decided.
  struct Undecided {
    std::optional<StoredOffset> value;
    bool overtaken = false;  // a later commit without transaction has said something newer
  };
  std::map<int64_t, std::map<Place, Undecided>> transactions_;  // by producer
  size_t offsets_ = 0;
};

}  // namespace moldau::coordinator::group
