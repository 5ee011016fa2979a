// Equality of fields, for generated code: floating point by bits, borrowed bytes and arrays by
// content.
#pragma once
#include <bit>
#include <concepts>

#include "base/ids.h"
#include "wire/types.h"

namespace moldau::wire {

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
