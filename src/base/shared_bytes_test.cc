#include "base/shared_bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

namespace moldau {
namespace {

// A block whose release is counted.
struct Counted {
  std::array<uint8_t, 64> memory{};
  int released = 0;
  Block block;
  Counted() {
    block.data = memory.data();
    block.capacity = memory.size();
    block.owner = this;
    block.release = [](Block* b) { static_cast<Counted*>(b->owner)->released++; };
  }
};

TEST(BlockRef, ReleasesOnceAfterTheLastReference) {
  Counted counted;
  {
    BlockRef a(&counted.block);
    EXPECT_TRUE(a.unique());
    BlockRef b = a;
    EXPECT_FALSE(a.unique());
    BlockRef c = std::move(a);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(counted.block.references.load(), 2u);
    b = c;
    BlockRef& self = b;
    b = self;
    EXPECT_EQ(counted.block.references.load(), 2u);
    c = {};
    EXPECT_TRUE(b.unique());
    EXPECT_EQ(counted.released, 0);
  }
  EXPECT_EQ(counted.released, 1);
}

TEST(BlockRef, AllocatesWhatWasAskedFor) {
  BlockRef block = BlockRef::allocate(1000);
  EXPECT_EQ(block.capacity(), 1000u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block.data()) % 16, 0u);
  std::memset(block.data(), 0xab, 1000);
  EXPECT_TRUE(BlockRef::allocate(0).unique());
}

TEST(BlockRef, ReleasesOnceWhenThreadsDropTogether) {
  for (int round = 0; round < 20; round++) {
    Counted counted;
    BlockRef first(&counted.block);
    auto copy_and_drop = [copy = first]() mutable {
      for (int i = 0; i < 200; i++) BlockRef another = copy;
      copy = {};
    };
    std::thread one(copy_and_drop), two(std::move(copy_and_drop));
    first = {};
    one.join();
    two.join();
    ASSERT_EQ(counted.released, 1);
  }
}

TEST(SharedBytes, SlicesKeepTheBlockAlive) {
  Counted counted;
  for (size_t i = 0; i < counted.memory.size(); i++) counted.memory[i] = static_cast<uint8_t>(i);
  SharedBytes slice;
  {
    SharedBytes whole(BlockRef(&counted.block), Bytes(counted.memory));
    slice = whole.slice(10, 20).slice(5, 3);
  }
  EXPECT_EQ(counted.released, 0);
  ASSERT_EQ(slice.size(), 3u);
  EXPECT_EQ(slice.data()[0], 15);
  slice = {};
  EXPECT_EQ(counted.released, 1);
}

TEST(SharedBytes, IsEmptyAfterItWasMovedFrom) {
  SharedBytes a = SharedBytes::copy_of(as_bytes("hello"));
  SharedBytes b = std::move(a);
  EXPECT_TRUE(
      a.empty());  // NOLINT(bugprone-use-after-move): no view of a block that a does not hold
  EXPECT_EQ(as_text(b.bytes()), "hello");
  SharedBytes c;
  c = std::move(b);
  EXPECT_TRUE(b.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(as_text(c.bytes()), "hello");
}

TEST(SharedBytes, CopiesAndStaticDataNeedNoCare) {
  std::string text = "hello";
  SharedBytes copy = SharedBytes::copy_of(as_bytes(text));
  text = "other";
  EXPECT_EQ(as_text(copy.bytes()), "hello");
  EXPECT_TRUE(SharedBytes::copy_of({}).empty());
  SharedBytes still({}, as_bytes("for ever"));
  EXPECT_EQ(as_text(still.slice(4, 4).bytes()), "ever");
}

}  // namespace
}  // namespace moldau
