#include "wire/xxh32.h"

#include <bit>
#include <cstring>

namespace moldau::wire {
namespace {

constexpr uint32_t kP1 = 0x9E3779B1, kP2 = 0x85EBCA77, kP3 = 0xC2B2AE3D, kP4 = 0x27D4EB2F,
                   kP5 = 0x165667B1;

uint32_t load_le(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof v);
  if constexpr (std::endian::native == std::endian::big) v = std::byteswap(v);
  return v;
}

uint32_t stir(uint32_t lane, uint32_t word) { return std::rotl(lane + word * kP2, 13) * kP1; }

}  // namespace

uint32_t xxh32(Bytes in, uint32_t seed) {
  uint32_t h = seed + kP5;
  const uint8_t* p = in.data();
  size_t left = in.size();
  if (left >= 16) {
    uint32_t lanes[4] = {seed + kP1 + kP2, seed + kP2, seed, seed - kP1};
    for (; left >= 16; left -= 16, p += 16)
      for (int i = 0; i < 4; i++) lanes[i] = stir(lanes[i], load_le(p + 4 * i));
    h = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
        std::rotl(lanes[3], 18);
  }
  h += static_cast<uint32_t>(in.size());
  for (; left >= 4; left -= 4, p += 4) h = std::rotl(h + load_le(p) * kP3, 17) * kP4;
  for (; left > 0; left--, p++) h = std::rotl(h + *p * kP5, 11) * kP1;
  h = (h ^ (h >> 15)) * kP2;
  h = (h ^ (h >> 13)) * kP3;
  return h ^ (h >> 16);
}

}  // namespace moldau::wire
