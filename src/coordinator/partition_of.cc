#include "coordinator/partition_of.h"

#include <cstddef>
#include <limits>

namespace moldau::coordinator {

namespace {

constexpr uint32_t kReplacement = 0xFFFD;

// Takes the first character off. What is malformed is one replacement for each maximal part that a
// character could have begun with, as Java decodes.
uint32_t take_character(std::string_view& text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 0 || first > 0xF4) {
    text.remove_prefix(1);
    return kReplacement;
  }
  uint32_t value = length == 1 ? first : first & (0x7Fu >> length);
  size_t at = 1;
  for (; at < length; at++) {
    if (at >= text.size()) break;
    uint8_t next = byte(at);
    uint8_t low = 0x80, high = 0xBF;
    if (at == 1 && first == 0xE0) low = 0xA0;  // longer than needed
    if (at == 1 && first == 0xF0) low = 0x90;
    if (at == 1 && first == 0xF4) high = 0x8F;
    if (next < low || next > high) break;
    value = (value << 6) | (next & 0x3Fu);
  }
  text.remove_prefix(at);
  bool surrogate = value >= 0xD800 && value < 0xE000;
  return at == length && !surrogate ? value : kReplacement;
}

}  // namespace

int32_t java_hash(std::string_view utf8) {
  uint32_t hash = 0;
  while (!utf8.empty()) {
    uint32_t c = take_character(utf8);
    if (c < 0x10000) {
      hash = hash * 31 + c;
      continue;
    }
    hash = hash * 31 + (0xD800 + ((c - 0x10000) >> 10));
    hash = hash * 31 + (0xDC00 + ((c - 0x10000) & 0x3FF));
  }
  return static_cast<int32_t>(hash);
}

int32_t partition_of(std::string_view name, int32_t partitions) {
  int32_t hash = java_hash(name);
  if (hash == std::numeric_limits<int32_t>::min()) return 0;
  return (hash < 0 ? -hash : hash) % partitions;
}

}  // namespace moldau::coordinator
