#include "base/chain.h"

#include <algorithm>

#include "base/check.h"

namespace moldau {
namespace {
constexpr size_t kSmallBlock = 1024;
}

MutableBytes Chain::extend(size_t n) {
  if (!open_ || at_ + n > open_.capacity()) {
    seal();
    size_t wanted = open_ ? open_.capacity() * 4 : kSmallBlock;
    open_ = BlockRef::allocate(std::max(n, std::min<size_t>(wanted, 64 * 1024)));
    start_ = at_ = 0;
  }
  MutableBytes out(open_.data() + at_, n);
  at_ += n;
  size_ += n;
  return out;
}

void Chain::append(Bytes copied) {
  if (copied.empty()) return;
  std::memcpy(extend(copied.size()).data(), copied.data(), copied.size());
}

void Chain::append(SharedBytes shared) {
  if (shared.empty()) return;
  seal();
  size_ += shared.size();
  size_t length = shared.size();
  pieces_.push_back({.bytes = std::move(shared), .length = length});
}

void Chain::append_file(int32_t file, int64_t position, size_t length) {
  CHECK(file >= 0, "file {}", file);
  if (length == 0) return;
  seal();
  size_ += length;
  pieces_.push_back({.file = file, .position = position, .length = length});
}

void Chain::seal() {
  if (at_ == start_) return;
  pieces_.push_back({.bytes = SharedBytes(open_, Bytes(open_.data() + start_, at_ - start_)),
                     .length = at_ - start_});
  start_ = at_;
}

std::vector<Chain::Piece> Chain::take() {
  seal();
  open_ = {};
  start_ = at_ = size_ = 0;
  return std::move(pieces_);
}

std::vector<uint8_t> Chain::flatten() const {
  std::vector<uint8_t> out;
  out.reserve(size_);
  for (const Piece& piece : pieces_) {
    CHECK(piece.file < 0, "a chain with a file range cannot be flattened");
    out.insert(out.end(), piece.bytes.bytes().begin(), piece.bytes.bytes().end());
  }
  if (open_) out.insert(out.end(), open_.data() + start_, open_.data() + at_);
  return out;
}

}  // namespace moldau
