#include "base/ids.h"

namespace moldau {
namespace {
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kTextLength = 22;  // 128 bits in sixes
}  // namespace

std::string Uuid::to_string() const {
  std::string out;
  uint32_t pending = 0;
  int bits = 0;
  for (uint8_t byte : bytes) {
    pending = pending << 8 | byte;
    for (bits += 8; bits >= 6; bits -= 6) out += kAlphabet[pending >> (bits - 6) & 63];
  }
  out += kAlphabet[pending << (6 - bits) & 63];
  return out;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() == kTextLength + 2 && text.ends_with("==")) text.remove_suffix(2);
  if (text.size() != kTextLength)
    return fail(Errc::invalid,
                fmt::format("'{}' is not a UUID: {} characters, wanted 22", text, text.size()));
  Uuid out;
  uint32_t pending = 0;
  int bits = 0;
  size_t at = 0;
  for (char c : text) {
    size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos)
      return fail(Errc::invalid,
                  fmt::format("'{}' is not a UUID: '{}' is not URL-safe base64", text, c));
    pending = pending << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8 && at < out.bytes.size()) {
      bits -= 8;
      out.bytes[at++] = static_cast<uint8_t>(pending >> bits);
    }
  }
  return out;
}

}  // namespace moldau
