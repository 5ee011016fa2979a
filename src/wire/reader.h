// Reads Kafka's primitive encodings from received bytes. One error sticks: after it every call
// returns a zero at once, so that generated decoders check it only where they loop. What a reader
// allocates is bounded by the bytes it was given: a count is believed only if that many minimal
// elements fit into what is left.
//
// `field` names what is read ("FetchPartition.fetch_offset") and is a literal; it is used for the
// error only. `flexible` chooses compact lengths (KIP-482).
#pragma once
#include <string>

#include "base/arena.h"
#include "base/ids.h"
#include "base/result.h"
#include "wire/types.h"

namespace moldau::wire {

class Reader {
 public:
  Reader(Bytes in, Arena& arena) : at_(in.data()), end_(in.data() + in.size()), arena_(arena) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool failed() const { return field_ != nullptr; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  Bytes rest() const { return {at_, end_}; }
  Arena& arena() { return arena_; }
  // The first error; message names the schema. Only if failed().
  Error error(std::string_view message, int16_t version) const;

  int8_t i8(const char* field);
  int16_t i16(const char* field);
  uint16_t u16(const char* field);
  int32_t i32(const char* field);
  uint32_t u32(const char* field);
  int64_t i64(const char* field);
  double f64(const char* field);
  bool boolean(const char* field);  // any byte but 0 is true, as in Kafka
  Uuid uuid(const char* field);
  uint32_t varint(const char* field);

  // Text is not checked to be UTF-8: Kafka replaces what is not, here it stays as received.
  std::string_view string(const char* field, bool flexible);
  NullableString nullable_string(const char* field, bool flexible, bool nullable);
  Bytes bytes(const char* field, bool flexible);
  NullableBytes nullable_bytes(const char* field, bool flexible, bool nullable);
  Records records(const char* field, bool flexible, bool nullable);
  // The byte before a struct that may be null.
  bool present(const char* field, bool nullable);
  bool present_in_tag(const char* field);  // of a tagged field: a varint, 0 for null

  // Number of elements, -1 for null; 0 after an error. min_size > 0: the fewest bytes an element
  // can take.
  int32_t count(const char* field, bool flexible, bool nullable, size_t min_size);
  void numbers(Array<int8_t>& out, const char* field, bool flexible, bool nullable);
  void numbers(Array<int16_t>& out, const char* field, bool flexible, bool nullable);
  void numbers(Array<int32_t>& out, const char* field, bool flexible, bool nullable);
  void numbers(Array<int64_t>& out, const char* field, bool flexible, bool nullable);
  void uuids(Array<Uuid>& out, const char* field, bool flexible, bool nullable);
  void strings(Array<std::string_view>& out, const char* field, bool flexible, bool nullable);
  template <class T>
  void structs(Array<T>& out, int32_t n, int16_t version) {
    out.count = n;
    if (n <= 0) return;
    std::span<T> all = arena_.array<T>(static_cast<size_t>(n));
    out.elements = all.data();
    for (T& one : all) {
      if (failed()) return;
      one.read(*this, version);
    }
  }
  template <class T>
  const T* one(int16_t version) {
    T* p = arena_.array<T>(1).data();
    p->read(*this, version);
    return p;
  }
  // The tagged fields of a struct that has none in its schema.
  Array<RawTag> unknown_tags(const char* field);

  void fail(const char* field, Errc code, const char* what, int64_t value);

 private:
  friend class TagReader;
  const uint8_t* take(const char* field, size_t n);
  // Length of a string, bytes or array; -1 for null. wide: 4 bytes instead of 2 when not flexible.
  int64_t length(const char* field, bool flexible, bool wide, bool nullable);
  template <class T>
  void read_numbers(Array<T>& out, const char* field, bool flexible, bool nullable);

  const uint8_t* at_;
  const uint8_t* end_;
  Arena& arena_;
  const char* field_ = nullptr;  // of the first error
  const char* what_ = nullptr;
  int64_t value_ = 0;
  Errc code_ = Errc::invalid;
};

// Walks a section of tagged fields: while (tags.next()) switch (tags.tag()) { known: read it;
// default: tags.keep(); } The length of a known field is read past and not compared with what the
// field took, as in Kafka.
class TagReader {
 public:
  TagReader(Reader& reader, const char* field)
      : reader_(reader), field_(field), left_(reader.varint(field)) {}
  bool next();
  uint32_t tag() const { return tag_; }
  void keep();
  Array<RawTag> unknown() const;

 private:
  Reader& reader_;
  const char* field_;
  uint32_t left_;
  uint32_t tag_ = 0;
  uint32_t size_ = 0;
  std::span<RawTag> kept_;
  size_t kept_count_ = 0;
};

}  // namespace moldau::wire
