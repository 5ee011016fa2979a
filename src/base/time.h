// Time as values. Instant: monotonic, for deadlines. WallTime: milliseconds since 1970, for timestamps.
// Both come from a host::Clock; nothing else in Moldau asks the system for the time.
#pragma once
#include <compare>
#include <cstdint>
#include <limits>

namespace moldau {

struct Duration {
  int64_t nanos = 0;
  auto operator<=>(const Duration&) const = default;
  constexpr int64_t millis() const { return nanos / 1'000'000; }
  constexpr double seconds() const { return static_cast<double>(nanos) / 1e9; }
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.nanos + b.nanos}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.nanos - b.nanos}; }
  friend constexpr Duration operator*(Duration a, int64_t k) { return {a.nanos * k}; }
};
constexpr Duration nanoseconds(int64_t n) { return {n}; }
constexpr Duration microseconds(int64_t n) { return {n * 1'000}; }
constexpr Duration milliseconds(int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(int64_t n) { return {n * 1'000'000'000}; }

struct Instant {
  int64_t nanos = 0;  // since an arbitrary start
  auto operator<=>(const Instant&) const = default;
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.nanos - b.nanos}; }
  // Saturates: never + anything stays never.
  friend constexpr Instant operator+(Instant a, Duration d) {
    constexpr int64_t max = std::numeric_limits<int64_t>::max();
    return {d.nanos > 0 && a.nanos > max - d.nanos ? max : a.nanos + d.nanos};
  }
};
constexpr Instant kNever{std::numeric_limits<int64_t>::max()};

struct WallTime {
  int64_t millis = 0;  // since 1970-01-01 UTC
  auto operator<=>(const WallTime&) const = default;
};

}  // namespace moldau
