// Time as values. Instant: monotonic, for deadlines. WallTime: milliseconds since 1970, for
// timestamps. Both come from a host::Clock; nothing else in Moldau asks the system for the time.
// Arithmetic saturates: Kafka's settings say "for ever" with the largest number, and that plus
// something stays that.
#pragma once
#include <compare>
#include <cstdint>
#include <limits>

namespace moldau {

namespace time_detail {
constexpr int64_t kMax = std::numeric_limits<int64_t>::max(),
                  kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t add(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? kMax : kMin) : sum;
}
constexpr int64_t subtract(int64_t a, int64_t b) {
  int64_t difference = 0;
  return __builtin_sub_overflow(a, b, &difference) ? (b < 0 ? kMax : kMin) : difference;
}
constexpr int64_t multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? ((a < 0) == (b < 0) ? kMax : kMin) : product;
}
}  // namespace time_detail

struct Duration {
  int64_t nanos = 0;
  auto operator<=>(const Duration&) const = default;
  constexpr int64_t millis() const { return nanos / 1'000'000; }  // towards zero
  constexpr double seconds() const { return static_cast<double>(nanos) / 1e9; }
  friend constexpr Duration operator+(Duration a, Duration b) {
    return {time_detail::add(a.nanos, b.nanos)};
  }
  friend constexpr Duration operator-(Duration a, Duration b) {
    return {time_detail::subtract(a.nanos, b.nanos)};
  }
  friend constexpr Duration operator*(Duration a, int64_t k) {
    return {time_detail::multiply(a.nanos, k)};
  }
};
constexpr Duration nanoseconds(int64_t n) { return {n}; }
constexpr Duration microseconds(int64_t n) { return Duration{1'000} * n; }
constexpr Duration milliseconds(int64_t n) { return Duration{1'000'000} * n; }
constexpr Duration seconds(int64_t n) { return Duration{1'000'000'000} * n; }

struct Instant {
  int64_t nanos = 0;  // since an arbitrary start
  auto operator<=>(const Instant&) const = default;
  friend constexpr Duration operator-(Instant a, Instant b) {
    return {time_detail::subtract(a.nanos, b.nanos)};
  }
  // Never plus anything stays never, also if that is negative.
  friend constexpr Instant operator+(Instant a, Duration d) {
    return {a.nanos == time_detail::kMax ? a.nanos : time_detail::add(a.nanos, d.nanos)};
  }
};
constexpr Instant kNever{time_detail::kMax};

struct WallTime {
  int64_t millis = 0;  // since 1970-01-01 UTC
  auto operator<=>(const WallTime&) const = default;
};

}  // namespace moldau
