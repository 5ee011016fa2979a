// Decodes the values of a message. The first failure sticks: later reads return zeros, error() tells where it was.
// Used by the generated code.
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "wire/types.h"

namespace moldau::wire {

class Reader {
 public:
  // message: its name for error texts. Arrays go to the arena; it grows by a small multiple of in.size() at most.
  Reader(Bytes in, Arena& arena, const char* message) : in_(in), end_(in.size()), arena_(arena), message_(message) {}

  bool ok() const { return !failed_; }
  Error error() const;
  size_t position() const { return at_; }
  size_t remaining() const { return end_ - at_; }

  bool boolean(const char* field) { return fixed<uint8_t>(field) != 0; }
  int8_t int8(const char* field) { return fixed<int8_t>(field); }
  int16_t int16(const char* field) { return fixed<int16_t>(field); }
  uint16_t uint16(const char* field) { return fixed<uint16_t>(field); }
  int32_t int32(const char* field) { return fixed<int32_t>(field); }
  uint32_t uint32(const char* field) { return fixed<uint32_t>(field); }
  int64_t int64(const char* field) { return fixed<int64_t>(field); }
  double float64(const char* field) { return std::bit_cast<double>(fixed<uint64_t>(field)); }
  Uuid uuid(const char* field);
  uint32_t varint(const char* field);

  // flexible: compact lengths (KIP-482).
  std::string_view string(bool flexible, const char* field);
  std::optional<std::string_view> nullable_string(bool flexible, const char* field);
  Blob bytes(bool flexible, const char* field);
  std::optional<Blob> nullable_bytes(bool flexible, const char* field);
  Records records(bool flexible, const char* field) { return {.bytes = bytes(flexible, field).bytes}; }
  std::optional<Records> nullable_records(bool flexible, const char* field);

  // The array's elements, default-valued, to be decoded one after the other. min_element: bytes that each takes
  // at least; a count that does not fit into what remains is an error before anything is allocated.
  template <class T>
  Array<T> array(bool flexible, bool nullable, size_t min_element, const char* field) {
    int64_t n = array_size(flexible, nullable, min_element, field);
    if (n < 0) return nullable && ok() ? Array<T>::null() : Array<T>();
    return Array<T>(arena_.array<T>(static_cast<size_t>(n)));
  }

  // Tagged fields: count = tag_count(); then for each: begin_tag, decode or skip_tag, end_tag.
  uint32_t tag_count();
  struct Tag {
    uint32_t tag;
    size_t end_before;     // the limit outside it
  };
  Tag begin_tag();
  void end_tag(const Tag& tag);
  // Keeps the field as it is.
  TaggedField raw_tag(const Tag& tag);
  Arena& arena() { return arena_; }

 private:
  template <class T>
  T fixed(const char* field) {
    if (!take(sizeof(T), field)) return T{};
    return load_be<T>(in_.data() + at_ - sizeof(T));
  }
  bool take(size_t n, const char* field) {
    if (n > end_ - at_) [[unlikely]] return fail(Errc::truncated, field);
    at_ += n;
    return true;
  }
  bool fail(Errc code, const char* field);
  int64_t length(bool flexible, bool wide, const char* field);   // -1: null
  int64_t array_size(bool flexible, bool nullable, size_t min_element, const char* field);
  Bytes view(size_t n, const char* field);

  Bytes in_;
  size_t at_ = 0;
  size_t end_;
  Arena& arena_;
  const char* message_;
  const char* failed_field_ = "";
  Errc code_{};
  bool failed_ = false;
};

}  // namespace moldau::wire
