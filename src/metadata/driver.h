// The cluster's metadata at work on one node: follows the committed log into images that anybody
// may hold, and decides, while this node leads the quorum, as the controller. A decision looks at
// the tip, the cluster as of the last record that was appended; its records are appended at once,
// and it is answered when they are committed and the image here has them. When the leadership is
// lost the tip is dropped, and who still waits is told so. Of one loop, but for image().
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "host/env.h"
#include "host/logging.h"
#include "host/monitor.h"
#include "host/scope.h"
#include "host/wait_set.h"
#include "metadata/controller/broker_heartbeat.h"
#include "metadata/controller/broker_registration.h"
#include "metadata/controller/settings.h"
#include "metadata/controller/topics.h"
#include "metadata/loader.h"
#include "raft/driver.h"

namespace moldau::metadata {

// What a request is answered with.
template <class Request>
struct ReplyOf {
  using Type = Verdict;
};
template <>
struct ReplyOf<RegisterBroker> {
  using Type = BrokerRegistered;
};
template <>
struct ReplyOf<BrokerHeartbeat> {
  using Type = BrokerState;
};
template <>
struct ReplyOf<CreateTopic> {
  using Type = TopicCreated;
};
template <>
struct ReplyOf<AllocateProducerIds> {
  using Type = ProducerIdsAllocated;
};

struct DriverConfig {
  ControllerSettings settings;
  Features bootstrap;                          // levels of a new cluster
  Duration session_timeout = seconds(9);       // broker.session.timeout.ms
  Duration max_idle = milliseconds(500);       // metadata.max.idle.interval.ms; 0: no no-op records
  int64_t snapshot_bytes = 20 << 20;           // metadata.log.max.record.bytes.between.snapshots
  Duration snapshot_interval = seconds(3600);  // metadata.log.max.snapshot.interval.ms; 0: never
};

class Driver {
 public:
  // Reads the newest snapshot, and begins to follow. raft, its log and the logger outlive it.
  // Errors: corrupt and unsupported (a snapshot that cannot be read), the disk's.
  static host::Task<Result<std::unique_ptr<Driver>>> open(host::Env& env, raft::Driver& raft,
                                                          DriverConfig config,
                                                          host::Logger& logger);
  Driver(host::Env& env, raft::Driver& raft, DriverConfig config, host::Logger& logger);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  // The cluster as far as it is committed and read here. From any loop.
  std::shared_ptr<const Image> image() const;
  // Raised when the image moves, when this node begins or ends to be the controller, and at a
  // failure.
  host::Signal& moved() { return moved_; }
  bool is_controller() const { return tip_.has_value(); }
  // Why it follows no more: the log cannot be understood, or raft has failed.
  const std::optional<Error>& failure() const { return failure_; }

  // Asks the controller. A refusal is a reply. Errors: refused (this node is not the controller, or
  // not any more; it may have been done), failure(), closed.
  template <class Request>
  host::Task<Result<typename ReplyOf<Request>::Type>> ask(Request request);
  // Returns when this node is the controller. Errors: failure(), closed.
  host::Task<Result<void>> wait_to_lead();
  // Returns when the image has everything before that offset. Errors: failure(), closed.
  host::Task<Result<void>> wait_for(Offset next);

  // Follows no more; who waits is told closed. Raft goes on.
  host::Task<void> stop();

 private:
  using Appended = raft::Driver::Appended;
  View view() const;
  Decision<BrokerRegistered> judge(const RegisterBroker& request);
  Decision<BrokerState> judge(const BrokerHeartbeat& request);
  template <class Request>
  auto judge(const Request& request) {
    return decide(view(), request);
  }
  Result<void> append(const Records& records);
  host::Task<Result<void>> settled(Appended last);
  Result<void> ready_to_decide() const;

  host::Task<Result<void>> load();
  host::Task<Result<void>> load_snapshot(raft::OffsetAndEpoch id);
  host::Task<void> follow();
  host::Task<Result<void>> read_on();
  void publish();
  void fail_with(Error error);
  void look_at_role();
  void begin_to_lead();
  void end_to_lead();
  host::Task<void> keep_watch();
  void fence_silent_brokers();
  void write_if_idle();
  Instant next_due() const;
  bool snapshot_is_due() const;
  host::Task<void> keep_snapshots();
  host::Task<Result<void>> take_snapshot(std::shared_ptr<const Image> image);
  bool ended() const { return stopping_ || failure_; }

  host::Env& env_;
  raft::Driver& raft_;
  const DriverConfig config_;
  host::Logger& logger_;
  Loader loader_;
  host::Monitor<std::shared_ptr<const Image>> image_;
  std::optional<Delta> tip_;  // while this node is the controller
  Appended last_;             // what the tip ends with
  LeaderEpoch leads_in_{-1};  // of the tip
  Sessions sessions_;
  Instant last_append_;
  int64_t bytes_since_snapshot_ = 0;
  Instant last_snapshot_;
  Offset snapshot_end_;
  std::optional<Error> failure_;
  bool stopping_ = false;
  host::Signal moved_, wake_;
  host::Scope scope_;
};

}  // namespace moldau::metadata
