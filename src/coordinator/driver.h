// The coordinator at work: one shard a partition of __consumer_offsets, each a GroupCore and the
// log that keeps what it decides. A shard reads its log when it begins; until then its groups are
// told COORDINATOR_LOAD_IN_PROGRESS. Then each step is: ask the core, append what it wants kept,
// and answer, when that is committed where the answer depends on it. Of one loop.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/driver_port.h"
#include "coordinator/group/core.h"
#include "host/env.h"
#include "host/event.h"
#include "host/logging.h"
#include "host/scope.h"
#include "wire/codec.h"

namespace moldau::coordinator {

struct DriverConfig {
  group::GroupConfig group;
  Duration expiry_check = seconds(600);   // offsets.retention.check.interval.ms
  size_t max_batch_bytes = 1'048'588;     // message.max.bytes
  wire::Codec codec = wire::Codec::none;  // offsets.topic.compression.codec
};

class Driver {
 public:
  // All outlive it.
  Driver(host::Env& env, const DriverConfig& config, Port& port, host::Logger& logger);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // The topic is there, with so many partitions; or there are partitions that can be opened again.
  void topic_is_there(int32_t partitions);
  // Who waits gets NOT_COORDINATOR. Returns when its tasks have ended.
  host::Task<void> stop();
  // So that nobody waits any more; before stop.
  void refuse_all();

  using ErrorCode = wire::ErrorCode;
  // All return when what they say is durable. Requests are values: they outlive their callers'
  // await.
  host::Task<group::JoinAnswer> join(group::JoinRequest request);
  host::Task<group::SyncAnswer> sync(group::SyncRequest request);
  ErrorCode heartbeat(const group::Speaker& who);
  host::Task<group::ConsumerAnswer> consumer_heartbeat(group::ConsumerHeartbeat request);
  host::Task<group::LeaveAnswer> leave(std::string group,
                                       std::vector<group::LeavingMember> members);
  host::Task<std::vector<ErrorCode>> commit(group::CommitRequest request);
  host::Task<group::DeleteOffsetsAnswer> delete_offsets(std::string group,
                                                        std::vector<group::OffsetPlace> places);
  host::Task<ErrorCode> delete_group(std::string group);
  // What is kept of a group, committed. core: to be read before the next await; null with an error.
  struct View {
    ErrorCode error = ErrorCode::none;
    const group::GroupCore* core = nullptr;
  };
  host::Task<View> view(std::string group);
  // Of all shards that are loaded. error: some are still being loaded.
  struct Listed {
    ErrorCode error = ErrorCode::none;
    std::vector<group::ListedGroup> groups;
  };
  host::Task<Listed> list();
  // The offsets that were committed for it go.
  void forget_topic(const std::string& topic);

  struct Stats {
    size_t loaded = 0;  // shards
    size_t loading = 0;
    size_t groups = 0;
    size_t offsets = 0;
  };
  Stats stats() const;

 private:
  struct Shard;
  template <class Answer>
  struct Slot;
  // Where the answers of a step go that is still to come.
  struct Found {
    Shard* shard = nullptr;
    ErrorCode error = ErrorCode::none;
  };
  Found find(std::string_view group);
  // The shard's core, which knows the topics as they are now.
  group::GroupCore& core_of(Shard& shard);
  group::Moment moment() const;
  void carry_out(Shard& shard);
  void append(Shard& shard, const std::vector<group::RecordBytes>& records);
  void append_batch(Shard& shard, std::vector<uint8_t> batch);
  host::Task<bool> settled(Shard& shard);
  host::Task<void> run(Shard& shard);
  host::Task<bool> load(Shard& shard);
  host::Task<void> serve(Shard& shard);
  void settle(Shard& shard);
  void do_what_is_due(Shard& shard);
  void unload(Shard& shard);

  host::Env& env_;
  const DriverConfig config_;
  Port& port_;
  host::Logger& logger_;
  std::vector<std::unique_ptr<Shard>> shards_;
  int32_t partitions_ = 0;  // 0: there is no such topic yet
  group::Token next_token_ = 1;
  std::map<group::Token, Slot<group::JoinAnswer>*> joins_;
  std::map<group::Token, Slot<group::SyncAnswer>*> syncs_;
  bool stopping_ = false;
  host::Scope tasks_;  // dies first: they use all of the above
};

}  // namespace moldau::coordinator
