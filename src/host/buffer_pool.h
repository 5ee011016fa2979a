// Blocks of memory for what comes from and goes to the network: pooled, so that they stay warm, and
// accounted, so that the broker knows what it holds. Blocks may be dropped on any thread. The pool
// outlives its blocks.
#pragma once
#include <array>
#include <mutex>
#include <vector>

#include "base/shared_bytes.h"

namespace moldau::host {

class BufferPool {
 public:
  // keep: bytes of free blocks that stay for the next one; more goes back to the system.
  explicit BufferPool(size_t keep) : keep_(keep) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  // A block of at least `size` bytes: the next power of two from 4 KiB on, exactly `size` from 16
  // MiB on.
  BlockRef get(size_t size);

  size_t in_use() const;  // bytes of blocks that somebody holds
  size_t kept() const;    // bytes of free blocks

 private:
  static constexpr size_t kSmallest = 4096, kClasses = 13;
  static size_t class_of(size_t size);
  static void release(Block* block);
  void take_back(Block* block);
  const size_t keep_;
  mutable std::mutex mutex_;
  std::array<std::vector<Block*>, kClasses> free_;  // guarded by mutex_, as the counts
  size_t in_use_ = 0;
  size_t kept_ = 0;
};

}  // namespace moldau::host
