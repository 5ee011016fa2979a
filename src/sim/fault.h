// Faults as values: what breaks, where, when, for how long. A plan is drawn from a seed, or written
// down: each run can be repeated, and shrunk, from its text:
// power@1200ms+300ms:0,cut@2s+1s:0-2,sync_error@1s+500ms:0=4
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace moldau::sim {

enum class FaultKind : uint8_t {
  crash,         // kill -9, started again at the end
  power,         // power loss, started again at the end
  power_all,     // of all servers at once
  pause,         // the node's tasks stand still
  wall_step,     // the wall clock jumps by `level` milliseconds, either way
  wall_drift,    // it runs wrong by `level` parts per million
  slow_cpu,      // each step costs `level` times more
  cut,           // nothing passes between two nodes, or between one and all others
  cut_one_way,   // nothing passes from the first to the second
  slow_link,     // `level` ms more delay, a thousandth of the bandwidth
  loss,          // `level` per mille of the packets have to be sent again
  reset,         // one in `level` of the node's connections breaks
  blackhole,     // one in `level` of its connections carries nothing any more, ever
  slow_disk,     // `level` times slower
  read_error,    // one in `level` reads fails
  write_error,   // one in `level` writes fails
  sync_error,    // one in `level` file syncs fails
  name_error,    // one in `level` opens, renames, removes fails
  sticky_error,  // a path that has failed keeps failing
  full,          // no space beyond `level` KiB more
  flip,          // `level` bits at rest are wrong from now on
  read_flip,     // one in `level` reads shows a wrong bit
  count_,
};
std::string_view fault_name(FaultKind kind);

using FaultKinds = uint32_t;  // a set: bits by FaultKind
constexpr FaultKinds only(FaultKind kind) { return FaultKinds{1} << static_cast<unsigned>(kind); }
constexpr FaultKinds kAllFaults = (FaultKinds{1} << static_cast<unsigned>(FaultKind::count_)) - 1;
// The disk returns what it was not given: only for systems that promise to notice.
constexpr FaultKinds kDamage = only(FaultKind::flip) | only(FaultKind::read_flip);

struct Fault {
  FaultKind kind = FaultKind::crash;
  int32_t node = 0;
  int32_t other = -1;  // of a link; -1: all
  Duration start{};    // since the world began; whole microseconds, as all of these
  Duration duration{};
  int64_t level = 0;
  bool operator==(const Fault&) const = default;
};

struct FaultPlan {
  std::vector<Fault> faults;
  std::string to_string() const;
  static Result<FaultPlan> parse(std::string_view text);
  bool operator==(const FaultPlan&) const = default;
};

// What a scenario allows to break.
struct FaultSpace {
  uint32_t servers = 1;  // nodes [0, servers) crash, lose power, have disks
  uint32_t nodes = 1;    // nodes [0, nodes) have clocks and links
  Duration from{};       // no fault starts before, none lasts beyond `until`
  Duration until = seconds(10);
  FaultKinds kinds = kAllFaults & ~kDamage;
};
// Swarm: each kind is off, rare, normal or a storm in this run, drawn from a stream of its own.
FaultPlan draw_faults(const Random& root, const FaultSpace& space);

}  // namespace moldau::sim
