#include "host/buffer_pool.h"

#include <bit>
#include <new>

#include "base/check.h"

namespace moldau::host {
namespace {
constexpr size_t kHeader = 64;  // the block's own, in front of its memory

void destroy(Block* block) {
  block->~Block();
  ::operator delete(block, std::align_val_t{kHeader});
}
}  // namespace

size_t BufferPool::class_of(size_t size) {
  if (size <= kSmallest) return 0;
  return static_cast<size_t>(std::bit_width(size - 1)) - 12;
}

BlockRef BufferPool::get(size_t size) {
  size_t c = class_of(size);
  size_t capacity = c < kClasses ? kSmallest << c : size;
  {
    std::scoped_lock lock(mutex_);
    in_use_ += capacity;
    if (c < kClasses && !free_[c].empty()) {
      Block* block = free_[c].back();
      free_[c].pop_back();
      kept_ -= capacity;
      block->references.store(1, std::memory_order_relaxed);
      return BlockRef(block);
    }
  }
  void* memory = ::operator new(kHeader + capacity, std::align_val_t{kHeader});
  Block* block = new (memory) Block;
  block->data = static_cast<uint8_t*>(memory) + kHeader;
  block->capacity = capacity;
  block->release = &BufferPool::release;
  block->owner = this;
  return BlockRef(block);
}

void BufferPool::release(Block* block) { static_cast<BufferPool*>(block->owner)->take_back(block); }

void BufferPool::take_back(Block* block) {
  size_t c = class_of(block->capacity);
  {
    std::scoped_lock lock(mutex_);
    in_use_ -= block->capacity;
    if (c < kClasses && kept_ + block->capacity <= keep_) {
      kept_ += block->capacity;
      free_[c].push_back(block);
      return;
    }
  }
  destroy(block);
}

size_t BufferPool::in_use() const {
  std::scoped_lock lock(mutex_);
  return in_use_;
}

size_t BufferPool::kept() const {
  std::scoped_lock lock(mutex_);
  return kept_;
}

BufferPool::~BufferPool() {
  CHECK(in_use_ == 0, "{} bytes are still held", in_use_);
  for (auto& list : free_)
    for (Block* block : list) destroy(block);
}

}  // namespace moldau::host
