// A chain of bytes to be sent: own small pieces, shared pieces, and places where a range of a file
// goes. The encoder builds it, the connection sends it; record data is never copied into it.
#pragma once
#include <cstdint>
#include <vector>

#include "base/shared_bytes.h"

namespace moldau {

class Chain {
 public:
  // What `file` means is the sender's business: an index into the files it was given with the
  // chain.
  struct Piece {
    SharedBytes bytes;  // used if file < 0
    int32_t file = -1;
    int64_t position = 0;  // of the range in the file
    size_t length = 0;     // of the range, or bytes.size()
  };

  Chain() = default;
  // Space for n more bytes at the end, contiguous; what it returns is written by the caller at
  // once.
  MutableBytes extend(size_t n);
  void append(Bytes copied);
  void append(SharedBytes shared);
  void append_file(int32_t file, int64_t position, size_t length);
  // Total length, file ranges included.
  size_t size() const { return size_; }
  // The pieces in order. Call once, when the chain is complete.
  std::vector<Piece> take();
  // All bytes in one, for tests and for small messages. The chain holds no file range.
  std::vector<uint8_t> flatten() const;

 private:
  void seal();
  std::vector<Piece> pieces_;
  BlockRef open_;     // the block small pieces are written to
  size_t start_ = 0;  // first byte of open_ that no piece names yet
  size_t at_ = 0;
  size_t size_ = 0;
};

}  // namespace moldau
