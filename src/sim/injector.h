// Makes the faults of a plan happen in a world, and takes them back: each at its end, all of them
// at heal().
#pragma once
#include <functional>
#include <map>

#include "sim/fault.h"

namespace moldau::sim {

class World;

class Injector {
 public:
  // The servers are nodes [0, servers). The injector outlives the world's runs.
  Injector(World& world, uint32_t servers) : world_(world), servers_(servers) {}
  void schedule(const FaultPlan& plan);
  // Nothing is broken any more, nothing breaks from now on, all nodes run.
  void heal();
  uint64_t happened() const { return happened_; }
  bool healed() const { return healed_; }

 private:
  void begin(const Fault& fault);
  void until_end(const Fault& fault, std::function<void()> undo);
  void begin_process(const Fault& fault);
  void begin_link(const Fault& fault);
  void begin_disk(const Fault& fault);
  void crash(uint32_t node, const Fault& fault);

  World& world_;
  const uint32_t servers_;
  bool healed_ = false;
  uint64_t happened_ = 0;
  std::map<uint64_t, std::function<void()>> undo_;  // of what is broken now
  uint64_t next_ = 0;
};

}  // namespace moldau::sim
