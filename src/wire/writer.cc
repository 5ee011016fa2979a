#include "wire/writer.h"

#include <limits>

#include "base/varint.h"

namespace moldau::wire {
namespace {

constexpr size_t kMaxString = static_cast<size_t>(std::numeric_limits<int16_t>::max());

// The longest prefix that a string can hold, not cutting a UTF-8 sequence.
std::string_view fitting(std::string_view v) {
  if (v.size() <= kMaxString) return v;
  size_t n = kMaxString;
  while (n > kMaxString - 4 && (static_cast<uint8_t>(v[n]) & 0xc0) == 0x80) n--;
  return v.substr(0, n);
}

}  // namespace

size_t Records::size() const {
  size_t n = 0;
  for (const RecordsPiece& piece : pieces) n += piece.shared ? piece.shared->size() : piece.length;
  return pieces.empty() ? bytes.size() : n;
}

void Writer::flush() {
  if (out_) out_->append(Bytes(window_, used_));
  flushed_ += used_;
  used_ = 0;
}

uint8_t* Writer::space(size_t n) {
  if (used_ + n > kWindow) flush();
  uint8_t* p = window_ + used_;
  used_ += n;
  return p;
}

void Writer::raw(Bytes v) {
  if (v.size() <= kWindow / 4) {
    if (!v.empty()) std::memcpy(space(v.size()), v.data(), v.size());
    return;
  }
  flush();
  if (out_) out_->append(v);
  flushed_ += v.size();
}

void Writer::i8(int8_t v) { *space(1) = static_cast<uint8_t>(v); }
void Writer::i16(int16_t v) { store_be(space(2), v); }
void Writer::u16(uint16_t v) { store_be(space(2), v); }
void Writer::i32(int32_t v) { store_be(space(4), v); }
void Writer::u32(uint32_t v) { store_be(space(4), v); }
void Writer::i64(int64_t v) { store_be(space(8), v); }
void Writer::f64(double v) { i64(std::bit_cast<int64_t>(v)); }
void Writer::boolean(bool v) { *space(1) = v ? 1 : 0; }
void Writer::uuid(const Uuid& v) {
  std::memcpy(space(v.bytes.size()), v.bytes.data(), v.bytes.size());
}

void Writer::varint(uint32_t v) {
  uint8_t encoded[kMaxVarint32];
  size_t n = write_varint(encoded, v);
  std::memcpy(space(n), encoded, n);
}

void Writer::length(int64_t n, bool flexible, bool wide) {
  if (flexible)
    varint(static_cast<uint32_t>(n + 1));
  else if (wide)
    i32(static_cast<int32_t>(n));
  else
    i16(static_cast<int16_t>(n));
}

void Writer::string(std::string_view v, bool flexible) {
  v = fitting(v);
  length(static_cast<int64_t>(v.size()), flexible, false);
  raw(as_bytes(v));
}
void Writer::nullable_string(const NullableString& v, bool flexible, bool nullable) {
  if (!v && nullable)
    length(-1, flexible, false);
  else
    string(v.value_or(std::string_view()), flexible);
}
void Writer::bytes(Bytes v, bool flexible) {
  length(static_cast<int64_t>(v.size()), flexible, true);
  raw(v);
}
void Writer::nullable_bytes(const NullableBytes& v, bool flexible, bool nullable) {
  if (!v && nullable)
    length(-1, flexible, true);
  else
    bytes(v.value_or(Bytes()), flexible);
}

void Writer::records(const Records& v, bool flexible, bool nullable) {
  if (v.null && nullable) return length(-1, flexible, true);
  if (v.pieces.empty()) return bytes(v.bytes, flexible);
  length(static_cast<int64_t>(v.size()), flexible, true);
  flush();
  for (const RecordsPiece& piece : v.pieces) {
    if (out_ && piece.shared) out_->append(*piece.shared);
    if (out_ && !piece.shared) out_->append_file(piece.file, piece.position, piece.length);
  }
  flushed_ += v.size();
}

bool Writer::present(bool has_value, bool nullable) {
  if (!nullable) return true;
  i8(has_value ? 1 : -1);
  return has_value;
}

bool Writer::present_in_tag(bool has_value) {
  varint(has_value ? 1 : 0);
  return has_value;
}

void Writer::count(const ArrayBase& v, bool flexible, bool nullable) {
  length(v.is_null() && nullable ? -1 : static_cast<int64_t>(v.size()), flexible, true);
}
void Writer::numbers(const Array<int8_t>& v, bool flexible, bool nullable) {
  count(v, flexible, nullable);
  for (int8_t one : v) i8(one);
}
void Writer::numbers(const Array<int16_t>& v, bool flexible, bool nullable) {
  count(v, flexible, nullable);
  for (int16_t one : v) i16(one);
}
void Writer::numbers(const Array<int32_t>& v, bool flexible, bool nullable) {
  count(v, flexible, nullable);
  for (int32_t one : v) i32(one);
}
void Writer::numbers(const Array<int64_t>& v, bool flexible, bool nullable) {
  count(v, flexible, nullable);
  for (int64_t one : v) i64(one);
}
void Writer::uuids(const Array<Uuid>& v, bool flexible, bool nullable) {
  count(v, flexible, nullable);
  for (const Uuid& one : v) uuid(one);
}
void Writer::strings(const Array<std::string_view>& v, bool flexible, bool nullable) {
  count(v, flexible, nullable);
  for (std::string_view one : v) string(one, flexible);
}

void Writer::tags(const Array<RawTag>& unknown) { TagWriter(*this, unknown, 0).end(); }

TagWriter::TagWriter(Writer& writer, const Array<RawTag>& unknown, size_t known)
    : writer_(writer), unknown_(unknown) {
  writer_.varint(static_cast<uint32_t>(known + unknown.size()));
}

void TagWriter::unknown_below(uint64_t tag) {
  for (; next_ < unknown_.size() && unknown_[next_].tag < tag; next_++) {
    writer_.varint(unknown_[next_].tag);
    writer_.varint(static_cast<uint32_t>(unknown_[next_].data.size()));
    writer_.raw(unknown_[next_].data);
  }
}

void TagWriter::begin(uint32_t tag, size_t size) {
  unknown_below(tag);
  writer_.varint(tag);
  writer_.varint(static_cast<uint32_t>(size));
}

void TagWriter::end() { unknown_below(uint64_t{1} << 32); }

}  // namespace moldau::wire
