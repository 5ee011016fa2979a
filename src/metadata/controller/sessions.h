// When the controller last heard of each broker, and how far the broker has read: what no record
// keeps, because it dies with the leadership. Pure.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace moldau::metadata {

struct Session {
  int64_t epoch = -1;  // of the registration that it belongs to
  Instant heard;
  int64_t metadata_offset = -1;                 // the broker has read so far
  std::optional<int64_t> shutdown_offset = {};  // what its controlled shutdown wrote ends there
};

class Sessions {
 public:
  explicit Sessions(Duration timeout) : timeout_(timeout) {}
  void touch(BrokerId broker, int64_t epoch, int64_t metadata_offset, Instant now);
  // The first time counts: until everybody has read that far, it must not go.
  void begin_shutdown(BrokerId broker, int64_t offset);
  void end(BrokerId broker) { all_.erase(broker); }
  const Session* find(BrokerId broker) const;
  bool valid(BrokerId broker, int64_t epoch, Instant now) const;
  // Those that were silent for too long.
  std::vector<BrokerId> expired(Instant now) const;
  Instant next_expiry() const;
  const std::map<BrokerId, Session>& all() const { return all_; }

 private:
  Duration timeout_;  // broker.session.timeout.ms
  std::map<BrokerId, Session> all_;
};

}  // namespace moldau::metadata
