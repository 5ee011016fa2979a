// How a simulated world behaves while nothing is broken. Faults (sim/fault.h) come on top.
#pragma once
#include <cstddef>
#include <cstdint>

#include <functional>
#include <string>

#include "base/time.h"

namespace moldau::sim {

// Which of the ready tasks runs next. fifo gives the same run for every seed as far as order goes:
// for reading.
enum class Scheduling : uint8_t { random, fifo };

struct NetworkOptions {
  Duration latency = microseconds(50);  // one way
  Duration jitter = microseconds(100);  // at most this on top
  int64_t bytes_per_second = 1'000'000'000;
  size_t window = 64 * 1024;  // bytes of one direction that the receiver has not read yet
  unsigned short_io = 8;      // one in n reads and sends moves less than it could
  unsigned late = 4;          // one in n operations that could finish at once does so later
  size_t backlog = 128;       // connections that wait for accept
  Duration connect_timeout = seconds(10);
  Duration stall_timeout = seconds(30);  // data that nobody acknowledges breaks the connection
};

struct DiskOptions {
  Duration read = microseconds(100);
  Duration write = microseconds(30);
  Duration sync = milliseconds(2);
  Duration name = microseconds(200);  // open, rename, remove, list ...
  unsigned late = 2;  // one in n reads and writes takes its time, the others are cached
  int64_t quota = int64_t{1} << 40;
  // What a power loss may do to what was not synced.
  int64_t sector = 512;    // torn writes: each sector on its own
  bool garbage = false;    // a torn sector may hold neither the old nor the new bytes
  bool ext4_like = false;  // file sync makes earlier names durable, names survive in order
};

struct WorldOptions {
  uint64_t seed = 1;
  Scheduling scheduling = Scheduling::random;
  // Each incarnation of a node gets a monotonic clock with another start.
  bool distinct_clocks = true;
  NetworkOptions network;
  DiskOptions disk;
  // Told what happens, for people; nothing may depend on it.
  std::function<void(Instant, const std::string&)> narrate;
};

}  // namespace moldau::sim
