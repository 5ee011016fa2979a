// The few types that message fields are made of. None of them owns memory: a decoded message
// consists of views into the received bytes and of arrays in the request's arena; a message to be
// encoded borrows from its maker.
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"

namespace moldau {
class SharedBytes;
}

namespace moldau::wire {

// Null differs from empty on the wire and in Kafka's logic ("all topics" against "no topics").
using NullableString = std::optional<std::string_view>;
using NullableBytes = std::optional<Bytes>;

// What Array<T> is without its type, for code that walks any message by its description
// (wire/info.h).
struct ArrayBase {
  const void* elements = nullptr;
  int32_t count = 0;  // -1: null

  bool is_null() const { return count < 0; }
  size_t size() const { return count > 0 ? static_cast<size_t>(count) : 0; }
  bool empty() const { return count <= 0; }
};

// A borrowed array that may be null. A null one has no elements.
template <class T>
struct Array : ArrayBase {
  Array() = default;
  Array(const T* first, size_t n) : ArrayBase{first, static_cast<int32_t>(n)} {}
  template <size_t kExtent>
  Array(std::span<const T, kExtent> s) : Array(s.data(), s.size()) {}
  template <size_t kExtent>
  Array(std::span<T, kExtent> s) : Array(s.data(), s.size()) {}
  static constexpr Array null() {
    Array a;
    a.count = -1;
    return a;
  }

  const T* begin() const { return static_cast<const T*>(elements); }
  const T* end() const { return begin() + size(); }
  const T& operator[](size_t i) const { return begin()[i]; }
};

// What a struct that may be null is before anything is set, where the schema does not say null.
template <class T>
inline constexpr T kDefault{};

// A tagged field that this version's schema does not know, kept as it came.
struct RawTag {
  uint32_t tag = 0;
  Bytes data;
};

// A run of record data that goes out without being copied: shared memory, or a range of a file.
struct RecordsPiece {
  const SharedBytes* shared = nullptr;  // used if not null
  int32_t file = -1;                    // else as Chain::append_file has it
  int64_t position = 0;
  size_t length = 0;  // of the file range
};

// A `records` field. Decoded: `bytes`. To be encoded: `pieces` in order if there are any, else a
// copy of `bytes`. The pieces' shared memory is counted by the chain from then on; the pieces
// themselves may go.
struct Records {
  Bytes bytes;
  std::span<const RecordsPiece> pieces;
  bool null = false;

  size_t size() const;
};

// --- Equality of fields, for generated code: floating point by bits, borrowed bytes and arrays by
// content. ---

inline bool same(std::string_view a, std::string_view b) { return a == b; }
inline bool same(const NullableString& a, const NullableString& b) { return a == b; }
inline bool same(const Uuid& a, const Uuid& b) { return a == b; }
template <std::integral T>
bool same(T a, T b) {
  return a == b;
}
inline bool same(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}
inline bool same(Bytes a, Bytes b) { return equal(a, b); }
inline bool same(const NullableBytes& a, const NullableBytes& b) {
  return a.has_value() == b.has_value() && (!a || equal(*a, *b));
}
// Pieces are compared by identity: what they name may be a range of a file.
inline bool same(const Records& a, const Records& b) {
  return a.null == b.null && equal(a.bytes, b.bytes) && a.pieces.data() == b.pieces.data() &&
         a.pieces.size() == b.pieces.size();
}
inline bool same(const RawTag& a, const RawTag& b) {
  return a.tag == b.tag && equal(a.data, b.data);
}
template <class T>
  requires requires(const T& t) { &T::read; }
bool same(const T& a, const T& b) {
  return a == b;
}
template <class T>
bool same(const T* a, const T* b) {
  return a == b || (a && b && *a == *b);
}
template <class T>
bool same(const Array<T>& a, const Array<T>& b) {
  if (a.count != b.count) return false;
  for (size_t i = 0; i < a.size(); i++)
    if (!same(a[i], b[i])) return false;
  return true;
}

}  // namespace moldau::wire
