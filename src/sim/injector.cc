#include "sim/injector.h"

#include "sim/disk.h"
#include "sim/network.h"
#include "sim/world.h"

namespace moldau::sim {

void Injector::schedule(const FaultPlan& plan) {
  for (const Fault& fault : plan.faults) {
    if (static_cast<size_t>(fault.node) >= world_.size()) continue;
    if (fault.other >= static_cast<int32_t>(world_.size())) continue;
    world_.call_at(Instant{fault.start.nanos}, [this, fault] {
      if (!healed_) begin(fault);
    });
  }
}

void Injector::until_end(const Fault& fault, std::function<void()> undo) {
  uint64_t id = next_++;
  undo_[id] = std::move(undo);
  world_.call_at(world_.now() + fault.duration, [this, id] {
    auto found = undo_.find(id);
    if (found == undo_.end()) return;
    std::function<void()> call = std::move(found->second);
    undo_.erase(found);
    call();
  });
}

void Injector::heal() {
  healed_ = true;
  world_.tell("everything is healed");
  for (auto& [id, undo] : std::exchange(undo_, {})) undo();
  for (size_t i = 0; i < world_.size(); i++) world_.node(i).start();
}

void Injector::begin(const Fault& fault) {
  happened_++;
  world_.tell("fault {}", FaultPlan{{fault}}.to_string());
  world_.note(static_cast<uint64_t>(fault.kind) << 32 | static_cast<uint32_t>(fault.node));
  switch (fault.kind) {
    case FaultKind::cut:
    case FaultKind::cut_one_way:
    case FaultKind::slow_link:
    case FaultKind::loss:
      return begin_link(fault);
    case FaultKind::slow_disk:
    case FaultKind::read_error:
    case FaultKind::write_error:
    case FaultKind::sync_error:
    case FaultKind::name_error:
    case FaultKind::sticky_error:
    case FaultKind::full:
    case FaultKind::flip:
    case FaultKind::read_flip:
      return begin_disk(fault);
    default:
      return begin_process(fault);
  }
}

void Injector::crash(uint32_t node, const Fault& fault) {
  world_.node(node).crash(fault.kind == FaultKind::crash ? Crash::process : Crash::power);
  until_end(fault, [this, node] { world_.node(node).start(); });
}

void Injector::begin_process(const Fault& fault) {
  auto id = static_cast<uint32_t>(fault.node);
  Node& node = world_.node(id);
  // The stream is the fault's own: whoever removes a fault does not change the others.
  Random random = world_.stream(fault_name(fault.kind), static_cast<uint64_t>(fault.start.nanos));
  auto one_in = static_cast<uint64_t>(std::max<int64_t>(1, fault.level));
  switch (fault.kind) {
    case FaultKind::crash:
    case FaultKind::power:
      return crash(id, fault);
    case FaultKind::power_all:
      for (uint32_t i = 0; i < servers_; i++) crash(i, fault);
      return;
    case FaultKind::pause:
      node.freeze(fault.duration);
      return until_end(fault, [&node] { node.thaw(); });
    case FaultKind::wall_step:
      return node.step_wall(milliseconds(fault.level));
    case FaultKind::wall_drift:
      node.drift_wall(fault.level);
      return until_end(fault, [&node] { node.drift_wall(0); });
    case FaultKind::slow_cpu:
      node.slow_down(fault.level);
      return until_end(fault, [&node, fault] { node.slow_down(-fault.level); });
    case FaultKind::reset:
      world_.network().reset_connections(id, random, one_in);
      return;
    case FaultKind::blackhole:
      world_.network().blackhole_connections(id, random, one_in);
      return;
    default:
      return;
  }
}

void Injector::begin_link(const Fault& fault) {
  auto change = [this, fault](int sign) {
    for (uint32_t i = 0; i < world_.size(); i++) {
      bool chosen = fault.other < 0 ? static_cast<int32_t>(i) != fault.node
                                    : static_cast<int32_t>(i) == fault.other;
      if (!chosen) continue;
      for (bool back : {false, true}) {
        if (back && fault.kind == FaultKind::cut_one_way) continue;
        auto node = static_cast<uint32_t>(fault.node);
        Link& link = back ? world_.network().link(i, node) : world_.network().link(node, i);
        if (fault.kind == FaultKind::cut || fault.kind == FaultKind::cut_one_way) link.cut += sign;
        if (fault.kind == FaultKind::loss)
          link.lost_per_mille += static_cast<int>(fault.level) * sign;
        if (fault.kind == FaultKind::slow_link) {
          link.extra = link.extra + milliseconds(fault.level) * sign;
          link.slowdown += 1000 * sign;
        }
      }
    }
  };
  change(1);
  until_end(fault, [change] { change(-1); });
}

void Injector::begin_disk(const Fault& fault) {
  Disk& disk = world_.node(static_cast<size_t>(fault.node)).disk();
  Random random = world_.stream(fault_name(fault.kind), static_cast<uint64_t>(fault.start.nanos));
  DiskTrouble trouble{.one_in = static_cast<uint64_t>(std::max<int64_t>(1, fault.level))};
  switch (fault.kind) {
    case FaultKind::slow_disk:
      disk.slow_down(fault.level);
      return until_end(fault, [&disk, fault] { disk.slow_down(-fault.level); });
    case FaultKind::full: {
      disk.set_quota(disk.image().used() + fault.level * 1024);
      int64_t before = world_.options().disk.quota;
      return until_end(fault, [&disk, before] { disk.set_quota(before); });
    }
    case FaultKind::flip:
      for (int64_t i = 0; i < fault.level; i++) disk.image().flip_bit(random, "");
      return;
    case FaultKind::read_error:
      trouble.calls = kDiskRead;
      break;
    case FaultKind::write_error:
      trouble.calls = kDiskWrite;
      break;
    case FaultKind::sync_error:
      trouble.calls = kDiskSync;
      break;
    case FaultKind::name_error:
      trouble.calls = kDiskName;
      break;
    case FaultKind::sticky_error:
      trouble.sticky = true;
      break;
    case FaultKind::read_flip:
      trouble.calls = kDiskRead;
      trouble.flips = true;
      break;
    default:
      return;
  }
  uint64_t id = disk.add_trouble(trouble, random);
  until_end(fault, [&disk, id] { disk.remove_trouble(id); });
}

}  // namespace moldau::sim
