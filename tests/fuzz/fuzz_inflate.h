// Any bytes through one decoder. A build of fuzz_inflate_<codec> for each.
#pragma once
#include "base/check.h"
#include "wire/compress.h"
#include "wire/inflate.h"

namespace moldau::wire {

// The first byte says the format and the steps of reading, the rest is the block. Whatever comes
// out is the same in small steps as in one, stays within the limit, and survives being compressed.
inline void fuzz_inflate(Codec codec, Bytes in) {
  if (in.empty()) return;
  int8_t magic = static_cast<int8_t>(in[0] % 3);
  size_t step = 1 + in[0] / 3u * 50;
  Bytes block = in.subspan(1);
  constexpr size_t kLimit = size_t{1} << 20;
  static Inflater inflater({.ratio = 16, .least = kLimit});
  auto whole = inflate_all(inflater, codec, magic, block);
  std::vector<uint8_t> steps, some(step);
  bool failed = !inflater.begin(codec, magic, block);
  while (!failed) {
    auto n = inflater.read(some);
    failed = !n;
    if (!n || *n == 0) break;
    steps.insert(steps.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(*n));
  }
  CHECK(failed == !whole, "in steps of {} {}", step, failed ? "it fails" : "it does not fail");
  CHECK(steps.size() <= std::max(kLimit, block.size() * 16), "{} bytes", steps.size());
  if (!whole) return;
  CHECK(equal(*whole, steps), "{} bytes, in steps {}", whole->size(), steps.size());
  std::vector<uint8_t> again;
  compress(codec, level_range(codec).usual, magic, *whole, again);
  Inflater trusting;
  auto back = inflate_all(trusting, codec, magic, again);
  CHECK(back && equal(*back, *whole), "{} bytes do not come back", whole->size());
}

}  // namespace moldau::wire
