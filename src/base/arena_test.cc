#include "base/arena.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"

namespace moldau {
namespace {

bool aligned(const void* p, size_t to) { return reinterpret_cast<uintptr_t>(p) % to == 0; }

TEST(Arena, AlignsWhatItGives) {
  Arena arena;
  for (size_t align : {1u, 2u, 4u, 8u, 16u}) {
    arena.copy("x");
    EXPECT_TRUE(aligned(arena.allocate(3, align), align)) << align;
  }
}

TEST(Arena, GivesEveryoneMemoryOfHisOwn) {
  Arena arena;
  Random random(8);
  std::vector<std::span<uint8_t>> parts;
  size_t total = 0;
  for (int i = 0; i < 500; i++) {
    size_t n = random.below(random.one_in(20) ? 50'000 : 200);
    parts.push_back(arena.array<uint8_t>(n));
    total += n;
    for (uint8_t& b : parts.back()) {
      ASSERT_EQ(b, 0);  // value-initialised
      b = static_cast<uint8_t>(i);
    }
  }
  EXPECT_EQ(arena.bytes_used(), total);
  for (size_t i = 0; i < parts.size(); i++)
    for (uint8_t b : parts[i]) ASSERT_EQ(b, static_cast<uint8_t>(i));
}

TEST(Arena, CopiesTextAndArrays) {
  Arena arena;
  std::string text = "topic";
  std::string_view kept = arena.copy(text);
  text = "other";
  EXPECT_EQ(kept, "topic");
  EXPECT_EQ(arena.copy(""), "");
  EXPECT_TRUE(arena.array<int64_t>(0).empty());
  std::span<int64_t> numbers = arena.array<int64_t>(10'000);
  EXPECT_TRUE(aligned(numbers.data(), alignof(int64_t)));
  EXPECT_EQ(numbers[9999], 0);
}

TEST(Arena, UsesTheFirstBlockAgainAfterReset) {
  Arena arena;
  void* first = arena.allocate(100, 16);
  arena.allocate(100'000, 16);
  arena.reset();
  EXPECT_EQ(arena.bytes_used(), 0u);
  EXPECT_EQ(arena.allocate(100, 16), first);
}

TEST(Arena, DoesNotKeepABigFirstBlock) {
  Arena arena;
  arena.array<uint8_t>(1 << 20);
  arena.reset();
  std::span<uint8_t> next = arena.array<uint8_t>(4096);
  EXPECT_EQ(next.size(), 4096u);
  EXPECT_EQ(arena.bytes_used(), 4096u);
}

}  // namespace
}  // namespace moldau
