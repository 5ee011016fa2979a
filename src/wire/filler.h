// Random valid values for messages, and the trip there and back. For tests and fuzz targets; the generated
// round_trip.cc uses it.
#pragma once
#include <string>

#include "base/arena.h"
#include "base/chain.h"
#include "base/random.h"
#include "base/result.h"
#include "wire/reader.h"
#include "wire/writer.h"

namespace moldau::wire {

class Filler {
 public:
  Filler(Random random, Arena& arena) : random_(random), arena_(arena) {}
  bool boolean() { return random_.one_in(2); }
  int8_t int8() { return static_cast<int8_t>(random_.next()); }
  int16_t int16() { return static_cast<int16_t>(random_.next()); }
  uint16_t uint16() { return static_cast<uint16_t>(random_.next()); }
  int32_t int32() { return static_cast<int32_t>(random_.next()); }
  uint32_t uint32() { return static_cast<uint32_t>(random_.next()); }
  int64_t int64() { return static_cast<int64_t>(random_.next()); }
  double float64() { return static_cast<double>(random_.between(-1000, 1000)) / 8; }
  Uuid uuid();
  std::string_view string();
  Blob bytes() { return {as_bytes(string())}; }
  Records records() { return {.bytes = as_bytes(string())}; }
  template <class T>
  std::span<T> array() { return arena_.array<T>(random_.below(4)); }
  TaggedFields unknown_tags();
  bool one_in(uint64_t n) { return random_.one_in(n); }

 private:
  Random random_;
  Arena& arena_;
};

template <class T>
using Decode = Result<T> (*)(Reader&, int16_t);

// Encodes x, decodes the bytes, compares; out keeps the bytes.
template <class T>
Result<void> trip(const T& x, int16_t version, Decode<T> decode, Chain& out) {
  Writer w(out);
  encode(w, version, x);
  std::vector<uint8_t> bytes = out.flatten();
  Arena arena;
  Reader r(bytes, arena, "message");
  TRY(y, decode(r, version));
  if (r.remaining() != 0) return fail(Errc::invalid, "bytes are left over");
  if (!(x == y)) return fail(Errc::invalid, "what was decoded differs from what was encoded");
  return {};
}

// Decodes any bytes; if they are a message, encodes and decodes it again and compares.
template <class T>
Result<void> again(Bytes in, Arena& arena, const char* name, int16_t version, Decode<T> decode) {
  Reader r(in, arena, name);
  TRY(x, decode(r, version));
  Chain out;
  return trip(x, version, decode, out);
}

}  // namespace moldau::wire
