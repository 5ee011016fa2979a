#include "host/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace moldau::host {
namespace {

Result<uint16_t> parse_port(std::string_view text, std::string_view whole) {
  uint32_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port > 65535)
    return fail(Errc::invalid, fmt::format("'{}': '{}' is not a port (0 to 65535)", whole, text));
  return static_cast<uint16_t>(port);
}

Result<IpAddress> parse_v4(std::string_view text) {
  IpAddress out;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  for (size_t i = 0; i < 4; i++) {
    unsigned part = 256;
    auto [next, error] = std::from_chars(at, end, part);
    bool last = i == 3;
    if (error != std::errc() || part > 255 || (last ? next != end : next == end || *next != '.'))
      return fail(Errc::invalid, fmt::format("'{}' is not an IPv4 address", text));
    out.bytes[i] = static_cast<uint8_t>(part);
    at = next + 1;
  }
  return out;
}

// One side of "::": groups of up to four hex digits between colons.
Result<size_t> parse_groups(std::string_view text, uint8_t* out, size_t room) {
  size_t n = 0;
  while (!text.empty()) {
    unsigned group = 0;
    auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), group, 16);
    size_t used = static_cast<size_t>(next - text.data());
    bool more = used < text.size();
    if (error != std::errc() || used > 4 || n + 2 > room ||
        (more && (text[used] != ':' || used + 1 == text.size())))
      return fail(Errc::invalid);
    out[n++] = static_cast<uint8_t>(group >> 8);
    out[n++] = static_cast<uint8_t>(group);
    text.remove_prefix(more ? used + 1 : used);
  }
  return n;
}

Result<IpAddress> parse_v6(std::string_view text) {
  IpAddress out{.v6 = true};
  size_t gap = text.find("::");
  std::array<uint8_t, 16> tail{};
  auto head_bytes = parse_groups(text.substr(0, gap), out.bytes.data(), 16);
  Result<size_t> tail_bytes = 0;
  if (gap != std::string_view::npos && head_bytes)
    tail_bytes =
        parse_groups(text.substr(gap + 2), tail.data(), 14 - std::min<size_t>(*head_bytes, 14));
  bool whole = gap == std::string_view::npos;
  if (!head_bytes || !tail_bytes || (whole ? *head_bytes != 16 : *head_bytes > 14))
    return fail(Errc::invalid, fmt::format("'{}' is not an IPv6 address", text));
  std::copy_n(tail.begin(), *tail_bytes,
              out.bytes.begin() + (16 - static_cast<ptrdiff_t>(*tail_bytes)));
  return out;
}

std::string print_v6(const std::array<uint8_t, 16>& b) {
  std::array<unsigned, 8> groups{};
  for (size_t i = 0; i < 8; i++) groups[i] = static_cast<unsigned>(b[2 * i] << 8 | b[2 * i + 1]);
  size_t best = 8,
         best_length = 1;  // the longest run of at least two zero groups becomes "::" (RFC 5952)
  for (size_t i = 0, run = 0; i < 8; i++) {
    run = groups[i] == 0 ? run + 1 : 0;
    if (run > best_length) best_length = run, best = i + 1 - run;
  }
  std::string out;
  for (size_t i = 0; i < 8; i++) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && out.back() != ':') out += ':';
    out += fmt::format("{:x}", groups[i]);
  }
  return out;
}

}  // namespace

IpAddress IpAddress::v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress out;
  out.bytes[0] = a, out.bytes[1] = b, out.bytes[2] = c, out.bytes[3] = d;
  return out;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  return text.find(':') == std::string_view::npos ? parse_v4(text) : parse_v6(text);
}

std::string IpAddress::to_string() const {
  if (v6) return print_v6(bytes);
  return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

std::string Address::to_string() const {
  return ip.v6 ? fmt::format("[{}]:{}", ip.to_string(), port)
               : fmt::format("{}:{}", ip.to_string(), port);
}

Result<HostPort> HostPort::parse(std::string_view text, uint16_t default_port) {
  HostPort out{.port = default_port};
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    size_t close = rest.find(']');
    if (close == std::string_view::npos)
      return fail(Errc::invalid, fmt::format("'{}': no closing ']'", text));
    out.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest[0] != ':')
      return fail(Errc::invalid, fmt::format("'{}': ':' expected behind ']'", text));
  } else {
    size_t colon = rest.rfind(':');
    if (colon != std::string_view::npos && rest.find(':') != colon)
      return fail(Errc::invalid,
                  fmt::format("'{}': write an IPv6 address in brackets: [::1]:9092", text));
    out.host = rest.substr(0, colon);
    rest = colon == std::string_view::npos ? "" : rest.substr(colon);
  }
  if (!rest.empty()) {
    TRY(port, parse_port(rest.substr(1), text));
    out.port = port;
  }
  return out;
}

std::string HostPort::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

}  // namespace moldau::host
