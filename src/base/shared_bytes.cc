#include "base/shared_bytes.h"

#include <new>

namespace moldau {
namespace {
constexpr size_t kHeader = (sizeof(Block) + 15) & ~size_t{15};
}

BlockRef BlockRef::allocate(size_t capacity) {
  void* memory = ::operator new(kHeader + capacity);
  Block* block = new (memory) Block;
  block->data = static_cast<uint8_t*>(memory) + kHeader;
  block->capacity = capacity;
  block->release = [](Block* b) {
    b->~Block();
    ::operator delete(b);
  };
  return BlockRef(block);
}

void BlockRef::drop() {
  if (block_ && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
    block_->release(block_);
}

SharedBytes SharedBytes::copy_of(Bytes bytes) {
  BlockRef block = BlockRef::allocate(bytes.size());
  if (!bytes.empty()) std::memcpy(block.data(), bytes.data(), bytes.size());
  Bytes view(block.data(), bytes.size());
  return {std::move(block), view};
}

}  // namespace moldau
