// A seeded generator with the same numbers on every compiler (splitmix64), for the simulator and
// for tests. One draw a statement: the order in which arguments are evaluated is not specified.
#pragma once
#include <cstdint>
#include <string_view>

namespace moldau {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // Uniform in [0, n); 0 for n = 0.
  uint64_t below(uint64_t n) {
    return n ? static_cast<uint64_t>(static_cast<unsigned __int128>(next()) * n >> 64) : 0;
  }
  int64_t between(int64_t low, int64_t high) {  // both ends included
    uint64_t count = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;  // 0: all 2^64
    uint64_t step = count ? below(count) : next();
    return static_cast<int64_t>(static_cast<uint64_t>(low) + step);
  }
  bool one_in(uint64_t n) { return n != 0 && below(n) == 0; }  // never for n = 0
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
  }
  // An independent stream for one purpose: drawing from it never shifts what the others draw. Seed,
  // index and every letter are mixed one after the other, so that no two of them can cancel each
  // other out.
  Random fork(std::string_view purpose, uint64_t index = 0) const {
    uint64_t h = Random(~state_).next();
    h = Random(h ^ index).next();
    for (char c : purpose) h = Random(h ^ static_cast<uint8_t>(c)).next();
    return Random(h);
  }

 private:
  uint64_t state_;
};

}  // namespace moldau
