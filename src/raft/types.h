// The words of the quorum: who a replica is, where a log ends, who leads since when.
#pragma once
#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace moldau::raft {

// A replica is a node and the directory that holds its log: a node whose disk was replaced is
// another replica (KIP-853, invariant K14). Zero directory: not known, as under
// controller.quorum.voters.
struct ReplicaKey {
  BrokerId id{-1};
  Uuid directory;
  auto operator<=>(const ReplicaKey&) const = default;
};

// The end of a log: the next offset, and the epoch of the record before it. Of two logs that one is
// more up to date whose last epoch is larger, then the longer one: hence the order.
struct OffsetAndEpoch {
  Offset offset;
  LeaderEpoch epoch;
  bool operator==(const OffsetAndEpoch&) const = default;
  std::strong_ordering operator<=>(const OffsetAndEpoch& other) const {
    if (auto by_epoch = epoch <=> other.epoch; by_epoch != 0) return by_epoch;
    return offset <=> other.offset;
  }
};

struct LeaderAndEpoch {
  BrokerId leader{-1};  // -1: none known
  LeaderEpoch epoch;
  bool operator==(const LeaderAndEpoch&) const = default;
};

struct Endpoint {
  std::string name;  // of the listener
  std::string host;
  uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

}  // namespace moldau::raft

template <>
struct fmt::formatter<moldau::raft::ReplicaKey> : fmt::formatter<std::string_view> {
  auto format(const moldau::raft::ReplicaKey& key, format_context& ctx) const {
    return fmt::format_to(ctx.out(), "{}@{}", key.id,
                          key.directory.is_zero() ? "?" : key.directory.to_string());
  }
};
template <>
struct fmt::formatter<moldau::raft::OffsetAndEpoch> : fmt::formatter<std::string_view> {
  auto format(const moldau::raft::OffsetAndEpoch& at, format_context& ctx) const {
    return fmt::format_to(ctx.out(), "{} of epoch {}", at.offset, at.epoch);
  }
};
