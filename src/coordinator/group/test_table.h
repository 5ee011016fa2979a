// A GroupCore on a table: a clock that is moved by hand, a log in memory, and members that say what
// the test tells them to. For tests.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "coordinator/group/core.h"

namespace moldau::coordinator::group {

// What a member says when it joins.
struct Joiner {
  std::string group = "g";
  std::string member = {};
  std::optional<std::string> instance = {};
  std::vector<Protocol> protocols = {{"range", "m"}};
  std::string type = "consumer";
  Duration session = seconds(10);
  Duration rebalance = seconds(60);
  bool two_steps = false;
  bool may_skip = false;
};

struct Table {
  explicit Table(const GroupConfig& c = quick()) : config(c), core(c) {}
  static GroupConfig quick();

  // --- What members say. The answer, if it is there at once, else it is in `joins` and `syncs`.
  // ---
  Token join(const Joiner& joiner);
  Token sync(const std::string& member, int32_t generation,
             const std::vector<Assignment>& assignments = {}, const std::string& group = "g");
  ErrorCode heartbeat(const std::string& member, int32_t generation,
                      std::optional<std::string> instance = {});
  ErrorCode leave(const std::string& member);
  ErrorCode commit(const std::string& member, int32_t generation, int64_t offset,
                   const std::string& group = "g", const std::string& topic = "t");

  // Of the consumer protocol.
  ConsumerAnswer beat(ConsumerHeartbeat request);
  // The topics that there are from now on: names with numbers of partitions.
  void set_topics(const std::vector<std::pair<std::string, int32_t>>& names);
  Uuid topic(std::string_view name) const { return topics->find(name)->id; }

  bool joined(Token token) const { return joins.contains(token); }
  bool synced(Token token) const { return syncs.contains(token); }
  // In a group that is stable with one member. Its id.
  std::string lone_member(const Joiner& joiner = {});

  // Lets time pass, and what is due happen.
  void pass(Duration time);
  void tick();
  // Carries out what the core wants done.
  void take();
  // A coordinator that has died and starts again from the first `kept` records of the log.
  void restart(size_t kept = SIZE_MAX);
  // The log as cleaning leaves it: the last record of each key, and no tombstones.
  void compact();

  int64_t offset(const std::string& group = "g", const std::string& topic = "t") const;
  Phase phase(const std::string& group = "g") const { return core.group(group)->phase; }

  GroupConfig config;
  GroupCore core;
  Moment moment{Instant{1'000'000'000}, WallTime{1'700'000'000'000}};
  std::vector<RecordBytes> log;
  TopicsRef topics = std::make_shared<const KnownTopics>();
  std::map<Token, JoinAnswer> joins;
  std::map<Token, SyncAnswer> syncs;
  Token next = 1;
  uint8_t unique = 0;
};

// A member's first words, and later ones.
ConsumerHeartbeat joining(const std::string& member, std::vector<std::string> topics = {"t"});
ConsumerHeartbeat beating(const std::string& member, int32_t epoch,
                          std::optional<Parts> owned = std::nullopt);

// A subscription of a consumer to topics, as clients write it.
std::string subscription(const std::vector<std::string>& topics);

}  // namespace moldau::coordinator::group
