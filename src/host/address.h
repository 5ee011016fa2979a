// Where a connection goes: an IPv4 or IPv6 address and a port. A value; printed as 127.0.0.1:9092
// or [::1]:9092.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace moldau::host {

struct IpAddress {
  bool v6 = false;
  std::array<uint8_t, 16> bytes{};  // IPv4: the first four
  auto operator<=>(const IpAddress&) const = default;
  static IpAddress v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
  static IpAddress any_v6() { return {.v6 = true}; }
  // Numbers only ("10.0.0.1", "::1"); names are Network::resolve's.
  static Result<IpAddress> parse(std::string_view text);
  bool is_any() const { return bytes == std::array<uint8_t, 16>{}; }
  std::string to_string() const;
};

struct Address {
  IpAddress ip;
  uint16_t port = 0;
  auto operator<=>(const Address&) const = default;
  std::string to_string() const;
};

// "host:9092", "[::1]:9092", ":9092" (empty host), "host" with default_port.
struct HostPort {
  std::string host;
  uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
  static Result<HostPort> parse(std::string_view text, uint16_t default_port);
  std::string to_string() const;
};

}  // namespace moldau::host
