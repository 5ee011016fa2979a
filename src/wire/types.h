// The values that messages are made of. Nothing here owns memory: decoded messages are views into the request's bytes
// and arrays in its arena; messages to be encoded show what the handler keeps alive until they are encoded.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/shared_bytes.h"

namespace moldau::wire {

template <class T>
class Array {
 public:
  Array() = default;
  Array(std::span<T> items) : items_(items) {}
  static Array null() { Array a; a.null_ = true; return a; }

  bool is_null() const { return null_; }
  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  T* begin() const { return items_.data(); }
  T* end() const { return items_.data() + items_.size(); }
  T& operator[](size_t i) const { return items_[i]; }
  bool operator==(const Array& o) const {
    return null_ == o.null_ && std::equal(begin(), end(), o.begin(), o.end());
  }

 private:
  std::span<T> items_;
  bool null_ = false;
};

struct Blob {
  Bytes bytes;
  bool operator==(const Blob& o) const { return equal(bytes, o.bytes); }
};

// A part of the records of a message that is encoded: shared memory, or a range of a file (Chain::Piece).
struct RecordsPiece {
  SharedBytes bytes;
  int32_t file = -1;          // if >= 0: this range of it instead of bytes
  int64_t position = 0;
  size_t length = 0;
  size_t size() const { return file >= 0 ? length : bytes.size(); }
};

// Record batches, opaque. Decoded: `bytes`, a view into the request. To be encoded: bytes, then the pieces.
struct Records {
  Bytes bytes;
  std::span<const RecordsPiece> pieces;
  size_t size() const;
  bool operator==(const Records& o) const { return equal(bytes, o.bytes) && pieces.empty() && o.pieces.empty(); }
};

// A tagged field that this version of us does not know; it survives decode and encode.
struct TaggedField {
  uint32_t tag = 0;
  Bytes data;
  bool operator==(const TaggedField& o) const { return tag == o.tag && equal(data, o.data); }
};
using TaggedFields = Array<TaggedField>;

}  // namespace moldau::wire
