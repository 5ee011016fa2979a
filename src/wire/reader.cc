#include "wire/reader.h"

#include <fmt/format.h>

#include <limits>

#include "base/varint.h"

namespace moldau::wire {
namespace {
constexpr int64_t kMaxString = std::numeric_limits<int16_t>::max();  // of either encoding
}

void Reader::fail(const char* field, Errc code, const char* what, int64_t value) {
  if (failed()) return;
  field_ = field;
  code_ = code;
  what_ = what;
  value_ = value;
  at_ = end_;
}

Error Reader::error(std::string_view message, int16_t version) const {
  return Error(code_, fmt::format("{} v{}: {}: {} {}", message, version, field_, what_, value_));
}

const uint8_t* Reader::take(const char* field, size_t n) {
  if (n > remaining()) {
    fail(field, Errc::truncated, "bytes missing:", static_cast<int64_t>(n - remaining()));
    return nullptr;
  }
  const uint8_t* p = at_;
  at_ += n;
  return p;
}

int8_t Reader::i8(const char* field) {
  const uint8_t* p = take(field, 1);
  return p ? static_cast<int8_t>(*p) : int8_t{0};
}
int16_t Reader::i16(const char* field) {
  const uint8_t* p = take(field, 2);
  return p ? load_be<int16_t>(p) : int16_t{0};
}
uint16_t Reader::u16(const char* field) { return static_cast<uint16_t>(i16(field)); }
int32_t Reader::i32(const char* field) {
  const uint8_t* p = take(field, 4);
  return p ? load_be<int32_t>(p) : 0;
}
uint32_t Reader::u32(const char* field) { return static_cast<uint32_t>(i32(field)); }
int64_t Reader::i64(const char* field) {
  const uint8_t* p = take(field, 8);
  return p ? load_be<int64_t>(p) : 0;
}
double Reader::f64(const char* field) { return std::bit_cast<double>(i64(field)); }
bool Reader::boolean(const char* field) { return i8(field) != 0; }

Uuid Reader::uuid(const char* field) {
  Uuid out;
  if (const uint8_t* p = take(field, out.bytes.size()))
    std::memcpy(out.bytes.data(), p, out.bytes.size());
  return out;
}

uint32_t Reader::varint(const char* field) {
  uint32_t value = 0;
  size_t n = read_varint(rest(), &value);
  if (n == 0) {
    bool cut = remaining() < kMaxVarint32;
    fail(field, cut ? Errc::truncated : Errc::invalid,
         "not a varint, bytes left:", static_cast<int64_t>(remaining()));
    return 0;
  }
  at_ += n;
  return value;
}

int64_t Reader::length(const char* field, bool flexible, bool wide, bool nullable) {
  int64_t n;
  if (flexible)
    n = int64_t{varint(field)} - 1;
  else
    n = wide ? int64_t{i32(field)} : int64_t{i16(field)};
  if (failed()) return 0;
  if (n >= 0) return n;
  if (!nullable) fail(field, Errc::invalid, "null where null is not allowed, length", n);
  return nullable ? -1 : 0;
}

NullableString Reader::nullable_string(const char* field, bool flexible, bool nullable) {
  int64_t n = length(field, flexible, false, nullable);
  if (n < 0) return std::nullopt;
  if (n > kMaxString) fail(field, Errc::invalid, "string too long:", n);
  const uint8_t* p = take(field, static_cast<size_t>(n));
  if (!p) return std::string_view();
  return std::string_view(reinterpret_cast<const char*>(p), static_cast<size_t>(n));
}
std::string_view Reader::string(const char* field, bool flexible) {
  return nullable_string(field, flexible, false).value_or(std::string_view());
}

NullableBytes Reader::nullable_bytes(const char* field, bool flexible, bool nullable) {
  int64_t n = length(field, flexible, true, nullable);
  if (n < 0) return std::nullopt;
  const uint8_t* p = take(field, static_cast<size_t>(n));
  return p ? Bytes(p, static_cast<size_t>(n)) : Bytes();
}
Bytes Reader::bytes(const char* field, bool flexible) {
  return nullable_bytes(field, flexible, false).value_or(Bytes());
}

Records Reader::records(const char* field, bool flexible, bool nullable) {
  NullableBytes b = nullable_bytes(field, flexible, nullable);
  return {.bytes = b.value_or(Bytes()), .pieces = {}, .null = !b};
}

bool Reader::present(const char* field, bool nullable) { return !nullable || i8(field) >= 0; }

bool Reader::present_in_tag(const char* field) { return varint(field) != 0; }

int32_t Reader::count(const char* field, bool flexible, bool nullable, size_t min_size) {
  int64_t n = length(field, flexible, true, nullable);
  if (n > 0 && static_cast<uint64_t>(n) > remaining() / min_size) {
    fail(field, Errc::truncated, "more elements than bytes, count", n);
    return 0;
  }
  return static_cast<int32_t>(n);
}

template <class T>
void Reader::read_numbers(Array<T>& out, const char* field, bool flexible, bool nullable) {
  out.count = count(field, flexible, nullable, sizeof(T));
  if (out.count <= 0) return;
  std::span<T> all = arena_.array<T>(out.size());
  const uint8_t* p = take(field, all.size_bytes());
  for (size_t i = 0; i < all.size(); i++) all[i] = load_be<T>(p + i * sizeof(T));
  out.elements = all.data();
}
void Reader::numbers(Array<int8_t>& out, const char* field, bool flexible, bool nullable) {
  read_numbers(out, field, flexible, nullable);
}
void Reader::numbers(Array<int16_t>& out, const char* field, bool flexible, bool nullable) {
  read_numbers(out, field, flexible, nullable);
}
void Reader::numbers(Array<int32_t>& out, const char* field, bool flexible, bool nullable) {
  read_numbers(out, field, flexible, nullable);
}
void Reader::numbers(Array<int64_t>& out, const char* field, bool flexible, bool nullable) {
  read_numbers(out, field, flexible, nullable);
}

void Reader::uuids(Array<Uuid>& out, const char* field, bool flexible, bool nullable) {
  out.count = count(field, flexible, nullable, sizeof(Uuid));
  if (out.count <= 0) return;
  std::span<Uuid> all = arena_.array<Uuid>(out.size());
  for (Uuid& one : all) one = uuid(field);
  out.elements = all.data();
}

void Reader::strings(Array<std::string_view>& out, const char* field, bool flexible,
                     bool nullable) {
  out.count = count(field, flexible, nullable, flexible ? 1 : 2);
  if (out.count <= 0) return;
  std::span<std::string_view> all = arena_.array<std::string_view>(out.size());
  out.elements = all.data();
  for (std::string_view& one : all) {
    if (failed()) return;
    one = string(field, flexible);
  }
}

Array<RawTag> Reader::unknown_tags(const char* field) {
  TagReader tags(*this, field);
  while (tags.next()) tags.keep();
  return tags.unknown();
}

bool TagReader::next() {
  if (left_ == 0 || reader_.failed()) return false;
  if (left_ > reader_.remaining() / 2) {  // a tag and a size take a byte each
    reader_.fail(field_, Errc::truncated, "more tagged fields than bytes, count", left_);
    return false;
  }
  tag_ = reader_.varint(field_);
  size_ = reader_.varint(field_);
  left_--;
  return !reader_.failed();
}

void TagReader::keep() {
  const uint8_t* p = reader_.take(field_, size_);
  if (!p) return;
  if (kept_.empty()) kept_ = reader_.arena().array<RawTag>(size_t{left_} + 1);
  kept_[kept_count_++] = {tag_, Bytes(p, size_)};
}

Array<RawTag> TagReader::unknown() const { return kept_.first(kept_count_); }

}  // namespace moldau::wire
