#include "base/arena.h"

#include <algorithm>

namespace moldau {

void* Arena::allocate(size_t bytes, size_t align) {
  used_ += bytes;
  size_t start = (at_ + align - 1) & ~(align - 1);
  if (blocks_.empty() || start + bytes > blocks_.back().size) {
    size_t grown =
        blocks_.empty() ? kFirstBlock : std::min<size_t>(blocks_.back().size * 2, 1 << 20);
    size_t size = std::max(grown, bytes);
    blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    start = 0;
  }
  at_ = start + bytes;
  return blocks_.back().memory.get() + start;
}

void Arena::reset() {
  if (blocks_.size() > 1) blocks_.resize(1);
  if (!blocks_.empty() && blocks_[0].size > kFirstBlock) blocks_.clear();
  at_ = used_ = 0;
}

}  // namespace moldau
