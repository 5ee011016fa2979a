#include "metadata/controller/placement.h"

#include <fmt/format.h>

#include <algorithm>

namespace moldau::metadata {

using wire::ErrorCode;

namespace {

// Nothing new is put where every directory is cordoned (KIP-1066).
bool takes_replicas(const Broker& broker) {
  if (!broker.cordoned_log_dirs || broker.log_dirs.empty()) return true;
  const std::vector<Uuid>& cordoned = *broker.cordoned_log_dirs;
  return !std::ranges::all_of(broker.log_dirs, [&](const Uuid& one) {
    return std::ranges::find(cordoned, one) != cordoned.end();
  });
}

}  // namespace

Placement::Placement(const Image& image, uint64_t seed) : random_(seed) {
  std::map<std::string, Rack> racks;  // brokers without a rack are one of their own
  for (const auto& [id, broker] : *image.brokers) {
    if (!takes_replicas(broker)) continue;
    bool active = is_active(image, id.value);
    Rack& rack = racks[broker.rack.value_or("")];
    (active ? rack.active : rack.fenced).push_back(id.value);
    active_ += active;
    all_++;
  }
  for (auto& [name, rack] : racks) racks_.push_back(std::move(rack));
  shuffle();
}

void Placement::shuffle() {
  auto mix = [&](auto& list) {
    for (size_t i = list.size(); i > 1; i--) {
      size_t other = random_.below(i);
      std::swap(list[i - 1], list[other]);
    }
  };
  mix(racks_);
  for (Rack& rack : racks_) {
    mix(rack.active);
    mix(rack.fenced);
    rack.at = 0;
  }
  given_ = 0;
}

Verdict Placement::check(int32_t replication) const {
  constexpr ErrorCode kBad = ErrorCode::invalid_replication_factor;
  if (replication <= 0)
    return {kBad, fmt::format("Invalid replication factor {}: the replication factor must be "
                              "positive.",
                              replication)};
  std::string cannot = fmt::format("Unable to replicate the partition {} time(s): ", replication);
  if (all_ < static_cast<size_t>(replication))
    return {kBad, cannot + fmt::format("The target replication factor of {} cannot be reached "
                                       "because only {} broker(s) are registered or some brokers "
                                       "have all their log directories cordoned.",
                                       replication, all_)};
  if (active_ == 0) return {kBad, cannot + "All brokers are currently fenced."};
  return {};
}

// Round by round one replica of each rack, so that they are spread; within a rack the stripe moves
// on by one with each partition, and those that are fenced come last.
std::vector<int32_t> Placement::next(int32_t replication) {
  if (given_ >= active_ && active_ > 1) shuffle();
  size_t leader_rack = first_rack_ % racks_.size();
  while (racks_[leader_rack].active.empty()) leader_rack = (leader_rack + 1) % racks_.size();
  std::vector<int32_t> out;
  auto wanted = static_cast<size_t>(replication);
  for (size_t round = 0; out.size() < wanted; round++) {
    for (size_t i = 0; i < racks_.size() && out.size() < wanted; i++) {
      Rack& rack = racks_[(leader_rack + i) % racks_.size()];
      size_t active = rack.active.size();
      if (round < active)
        out.push_back(rack.active[(rack.at + round) % active]);
      else if (round - active < rack.fenced.size())
        out.push_back(rack.fenced[round - active]);
    }
  }
  racks_[leader_rack].at++;
  first_rack_++;
  given_++;
  return out;
}

Uuid first_directory(const Image& image, int32_t broker) {
  auto at = image.brokers->find(BrokerId(broker));
  if (at == image.brokers->end() || at->second.log_dirs.empty()) return kMigratingDirectory;
  return at->second.log_dirs.size() == 1 ? at->second.log_dirs.front() : kUnassignedDirectory;
}

Partition new_partition(const Image& image, const std::vector<int32_t>& replicas) {
  Partition out;
  out.replicas = replicas;
  for (int32_t replica : replicas) {
    out.directories.push_back(first_directory(image, replica));
    if (is_active(image, replica)) out.isr.push_back(replica);
  }
  if (!out.isr.empty()) out.leader = out.isr.front();
  return out;
}

}  // namespace moldau::metadata
