// Shared immutable bytes: a counted block of memory and a view of a part of it. What a producer
// sent travels from the socket to the log's tail and out to consumers as views of the one block it
// was received into. A block is filled by one owner before it is shared; after that nobody writes
// to the shared part. Counting is atomic because the last view may be dropped on another loop.
#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace moldau {

// Header of a block; its maker decides where the memory comes from and where it goes back to.
struct Block {
  std::atomic<uint32_t> references{1};
  uint8_t* data = nullptr;
  size_t capacity = 0;
  void (*release)(Block*) = nullptr;  // called once, by whoever drops the last reference
  void* owner = nullptr;              // for release: the pool
};

class BlockRef {
 public:
  BlockRef() = default;
  explicit BlockRef(Block* adopted) : block_(adopted) {}
  BlockRef(const BlockRef& o) : block_(o.block_) {
    if (block_) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  BlockRef(BlockRef&& o) noexcept : block_(std::exchange(o.block_, nullptr)) {}
  BlockRef& operator=(BlockRef o) noexcept {
    std::swap(block_, o.block_);
    return *this;
  }
  ~BlockRef() { drop(); }

  // From the heap, not accounted: for tests, tools and rare big things. The broker uses
  // host::BufferPool.
  static BlockRef allocate(size_t capacity);

  explicit operator bool() const { return block_ != nullptr; }
  uint8_t* data() const { return block_->data; }
  size_t capacity() const { return block_->capacity; }
  bool unique() const { return block_->references.load(std::memory_order_acquire) == 1; }

 private:
  void drop();
  Block* block_ = nullptr;
};

class SharedBytes {
 public:
  SharedBytes() = default;
  // bytes lies inside block, or block is empty and bytes lives for ever (static data).
  SharedBytes(BlockRef block, Bytes bytes) : block_(std::move(block)), bytes_(bytes) {}
  SharedBytes(const SharedBytes&) = default;
  SharedBytes& operator=(const SharedBytes&) = default;
  // What was moved from is empty: it must not keep a view of a block that it no longer holds.
  SharedBytes(SharedBytes&& o) noexcept
      : block_(std::move(o.block_)), bytes_(std::exchange(o.bytes_, {})) {}
  SharedBytes& operator=(SharedBytes&& o) noexcept {
    block_ = std::move(o.block_);
    bytes_ = std::exchange(o.bytes_, {});
    return *this;
  }
  static SharedBytes copy_of(Bytes bytes);

  Bytes bytes() const { return bytes_; }
  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }
  // Shares the block. The caller keeps offset + length within size().
  SharedBytes slice(size_t offset, size_t length) const {
    return {block_, bytes_.subspan(offset, length)};
  }
  const BlockRef& block() const { return block_; }

 private:
  BlockRef block_;
  Bytes bytes_;
};

}  // namespace moldau
