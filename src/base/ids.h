// Strong integers: ids and offsets of different spaces do not mix, and nothing converts by itself.
// The difference of two offsets is a count; an offset plus a count is an offset.
#pragma once
#include <fmt/format.h>

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"

namespace moldau {

template <class Tag, class Rep>
struct Id {
  Rep value{};
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  auto operator<=>(const Id&) const = default;
};

// A position in a sequence: Offset and other things that count up.
template <class Tag>
struct Position {
  int64_t value{};
  constexpr Position() = default;
  constexpr explicit Position(int64_t v) : value(v) {}
  auto operator<=>(const Position&) const = default;
  friend constexpr Position operator+(Position p, int64_t n) { return Position(p.value + n); }
  friend constexpr Position operator-(Position p, int64_t n) { return Position(p.value - n); }
  friend constexpr int64_t operator-(Position a, Position b) { return a.value - b.value; }
  Position& operator+=(int64_t n) {
    value += n;
    return *this;
  }
};

using Offset = Position<struct OffsetTag>;               // of a record in a partition
using LeaderEpoch = Id<struct LeaderEpochTag, int32_t>;  // -1: unknown
using BrokerId = Id<struct BrokerIdTag, int32_t>;        // node.id
using PartitionIndex = Id<struct PartitionIndexTag, int32_t>;
using ProducerId = Id<struct ProducerIdTag, int64_t>;  // -1: none
using ProducerEpoch = Id<struct ProducerEpochTag, int16_t>;

// 128 bits, printed as Kafka prints them: 22 characters of URL-safe base64 without padding.
struct Uuid {
  std::array<uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
  bool is_zero() const { return *this == Uuid{}; }
  std::string to_string() const;
  // 22 characters; the two '=' of padding may follow, as Kafka accepts them.
  static Result<Uuid> parse(std::string_view text);
};

}  // namespace moldau

template <class Tag, class Rep>
struct fmt::formatter<moldau::Id<Tag, Rep>> : fmt::formatter<Rep> {
  auto format(const moldau::Id<Tag, Rep>& id, format_context& ctx) const {
    return fmt::formatter<Rep>::format(id.value, ctx);
  }
};
template <class Tag>
struct fmt::formatter<moldau::Position<Tag>> : fmt::formatter<int64_t> {
  auto format(const moldau::Position<Tag>& p, format_context& ctx) const {
    return fmt::formatter<int64_t>::format(p.value, ctx);
  }
};
