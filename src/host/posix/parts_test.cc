#include "host/posix/parts.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace moldau::host::posix {
namespace {

// All that the parts show, advancing by at most `step` bytes at a time.
std::vector<uint8_t> walk(std::span<const Bytes> parts, size_t step) {
  std::vector<uint8_t> seen;
  Parts walker(parts);
  while (!walker.done()) {
    size_t taken = 0;
    for (const iovec& piece : walker.next()) {
      EXPECT_GT(piece.iov_len, 0u);
      size_t n = std::min(piece.iov_len, step - taken);
      const auto* bytes = static_cast<const uint8_t*>(piece.iov_base);
      seen.insert(seen.end(), bytes, bytes + n);
      taken += n;
      if (taken == step) break;
    }
    walker.advance(taken);
  }
  return seen;
}

TEST(Parts, ShowsEveryByteOnceWhateverTheSystemTakes) {
  std::vector<uint8_t> bytes(5'000);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  std::vector<Bytes> parts;
  Bytes rest(bytes);
  for (size_t size = 0; !rest.empty();
       size = (size + 1) % 60) {  // more than the system takes at once, some empty
    parts.push_back(rest.first(std::min(size, rest.size())));
    rest = rest.subspan(parts.back().size());
  }
  ASSERT_GT(parts.size(), 2 * Parts::kMost);
  for (size_t step : {1u, 7u, 100u, 1'000u, 10'000u})
    EXPECT_EQ(walk(parts, step), bytes) << "by " << step;
}

TEST(Parts, NothingIsDoneAtOnce) {
  EXPECT_TRUE(Parts({}).done());
  std::vector<Bytes> empty(100);
  EXPECT_TRUE(Parts(empty).done());
}

TEST(Parts, SaysWhetherItShowsAll) {
  uint8_t byte = 0;
  std::vector<Bytes> few(3, Bytes(&byte, 1)), many(Parts::kMost + 1, Bytes(&byte, 1));
  Parts all(few), some(many);
  EXPECT_EQ(all.next().size(), 3u);
  EXPECT_TRUE(all.complete());
  EXPECT_EQ(some.next().size(), Parts::kMost);
  EXPECT_FALSE(some.complete());
}

}  // namespace
}  // namespace moldau::host::posix
