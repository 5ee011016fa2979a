#include <algorithm>
#include <numeric>

#include "coordinator/group/consumer/assignor.h"

namespace moldau::coordinator::group {

// Of names in ASCII, which ids are; others get some order as well.
uint32_t java_hash(std::string_view text) {
  uint32_t hash = 0;
  for (char c : text) hash = hash * 31 + static_cast<uint8_t>(c);
  return hash;
}

uint32_t java_hash(const Uuid& id) {
  uint32_t hash = 0;
  for (size_t i = 0; i < id.bytes.size(); i += 4)
    hash ^= static_cast<uint32_t>(id.bytes[i]) << 24 |
            static_cast<uint32_t>(id.bytes[i + 1]) << 16 |
            static_cast<uint32_t>(id.bytes[i + 2]) << 8 | static_cast<uint32_t>(id.bytes[i + 3]);
  return hash;
}

std::vector<size_t> java_order(const std::vector<uint32_t>& hashes) {
  size_t slots = 16;
  while (hashes.size() > slots * 3 / 4) slots *= 2;
  auto slot = [&](size_t i) { return std::pair((hashes[i] ^ hashes[i] >> 16) & (slots - 1), i); };
  std::vector<size_t> order(hashes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, slot);
  return order;
}

}  // namespace moldau::coordinator::group
