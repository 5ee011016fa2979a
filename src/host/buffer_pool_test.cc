#include "host/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

namespace moldau::host {
namespace {

TEST(BufferPool, GivesThePowerOfTwoThatFits) {
  BufferPool pool(0);
  EXPECT_EQ(pool.get(1).capacity(), 4096u);
  EXPECT_EQ(pool.get(4096).capacity(), 4096u);
  EXPECT_EQ(pool.get(4097).capacity(), 8192u);
  EXPECT_EQ(pool.get(16u << 20).capacity(), 16u << 20);
  EXPECT_EQ(pool.get((16u << 20) + 1).capacity(), (16u << 20) + 1);
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(BufferPool, HandsOutAKeptBlockAgain) {
  BufferPool pool(1 << 20);
  uint8_t* first = nullptr;
  {
    BlockRef block = pool.get(5000);
    first = block.data();
    EXPECT_EQ(pool.in_use(), 8192u);
  }
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_EQ(pool.kept(), 8192u);
  BlockRef again = pool.get(8000);
  EXPECT_EQ(again.data(), first);
  EXPECT_TRUE(again.unique());
  EXPECT_EQ(pool.kept(), 0u);
}

TEST(BufferPool, KeepsNoMoreThanItsLimit) {
  BufferPool pool(10'000);
  {
    std::vector<BlockRef> blocks{pool.get(4096), pool.get(4096), pool.get(4096)};
  }
  EXPECT_EQ(pool.kept(), 8192u);
}

TEST(BufferPool, MemoryIsWritableToItsLastByteAndAligned) {
  BufferPool pool(0);
  for (size_t size : {size_t{1}, size_t{100'000}, size_t{17} << 20}) {
    BlockRef block = pool.get(size);
    std::memset(block.data(), 0xab, block.capacity());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block.data()) % 64, 0u);
  }
}

TEST(BufferPool, BlocksMayBeDroppedOnOtherThreads) {
  BufferPool pool(1 << 16);
  std::vector<BlockRef> handed_over;
  std::mutex mutex;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; k++) {
        BlockRef block = pool.get(4096);
        block.data()[0] = static_cast<uint8_t>(k);
        std::scoped_lock lock(mutex);
        if (handed_over.size() > 10) handed_over.clear();  // drops what others have taken
        handed_over.push_back(std::move(block));
      }
    });
  }
  for (auto& t : threads) t.join();
  handed_over.clear();
  EXPECT_EQ(pool.in_use(), 0u);
  EXPECT_LE(pool.kept(), 1u << 16);
}

TEST(BufferPoolDeathTest, BlocksDoNotOutliveIt) {
  auto outlive = [] {
    BlockRef block;
    BufferPool pool(0);
    block = pool.get(1);
  };
  EXPECT_DEATH(outlive(), "4096 bytes are still held");
}

}  // namespace
}  // namespace moldau::host
