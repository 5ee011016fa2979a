#include "base/varint.h"

#include <bit>

namespace moldau {

size_t varint_size(uint64_t v) { return (static_cast<size_t>(std::bit_width(v | 1)) + 6) / 7; }

size_t write_varint(uint8_t* p, uint64_t v) {
  size_t n = 0;
  for (; v >= 0x80; v >>= 7) p[n++] = static_cast<uint8_t>(v | 0x80);
  p[n++] = static_cast<uint8_t>(v);
  return n;
}

namespace {
template <class T, size_t kMax>
size_t read(Bytes in, T* value) {
  T v = 0;
  for (size_t i = 0; i < in.size() && i < kMax; i++) {
    uint8_t byte = in[i];
    constexpr size_t kLastBits = sizeof(T) * 8 - 7 * (kMax - 1);  // of the last possible byte
    if (i == kMax - 1 && byte >> kLastBits != 0) return 0;
    v |= static_cast<T>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = v;
      return i + 1;
    }
  }
  return 0;
}
}  // namespace

size_t read_varint(Bytes in, uint32_t* value) { return read<uint32_t, kMaxVarint32>(in, value); }
size_t read_varint(Bytes in, uint64_t* value) { return read<uint64_t, kMaxVarint64>(in, value); }

}  // namespace moldau
