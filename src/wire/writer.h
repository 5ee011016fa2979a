// Writes Kafka's primitive encodings into a chain. Small things collect in a window and are copied
// once; record data is appended as the pieces it consists of. A writer without a chain only
// measures. Encoding cannot fail: null where a version has no null is written as empty, and a text
// longer than the 32767 bytes that Kafka's strings hold is cut.
#pragma once
#include "base/chain.h"
#include "base/ids.h"
#include "wire/types.h"

namespace moldau::wire {

class Writer {
 public:
  Writer() = default;  // measures
  explicit Writer(Chain& out) : out_(&out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { flush(); }

  size_t size() const { return flushed_ + used_; }
  void flush();

  void i8(int8_t v);
  void i16(int16_t v);
  void u16(uint16_t v);
  void i32(int32_t v);
  void u32(uint32_t v);
  void i64(int64_t v);
  void f64(double v);
  void boolean(bool v);
  void uuid(const Uuid& v);
  void varint(uint32_t v);
  void string(std::string_view v, bool flexible);
  void nullable_string(const NullableString& v, bool flexible, bool nullable);
  void bytes(Bytes v, bool flexible);
  void nullable_bytes(const NullableBytes& v, bool flexible, bool nullable);
  void records(const Records& v, bool flexible, bool nullable);
  // Before a struct; returns whether the struct follows. Where null is not allowed it always does.
  bool present(bool has_value, bool nullable);
  bool present_in_tag(bool has_value);  // of a tagged field

  void count(const ArrayBase& v, bool flexible, bool nullable);
  void numbers(const Array<int8_t>& v, bool flexible, bool nullable);
  void numbers(const Array<int16_t>& v, bool flexible, bool nullable);
  void numbers(const Array<int32_t>& v, bool flexible, bool nullable);
  void numbers(const Array<int64_t>& v, bool flexible, bool nullable);
  void uuids(const Array<Uuid>& v, bool flexible, bool nullable);
  void strings(const Array<std::string_view>& v, bool flexible, bool nullable);
  template <class T>
  void structs(const Array<T>& v, int16_t version) {
    for (const T& one : v) one.write(*this, version);
  }
  // The tagged fields of a struct that has no known ones to write.
  void tags(const Array<RawTag>& unknown);

 private:
  static constexpr size_t kWindow = 1024;
  friend class TagWriter;
  uint8_t* space(size_t n);  // n <= kWindow
  void raw(Bytes v);
  void length(int64_t n, bool flexible, bool wide);

  Chain* out_ = nullptr;
  size_t flushed_ = 0;
  size_t used_ = 0;
  uint8_t window_[kWindow];
};

// Writes a section of tagged fields in ascending order: known ones, with the unknown ones between
// them.
class TagWriter {
 public:
  TagWriter(Writer& writer, const Array<RawTag>& unknown, size_t known);
  // The caller writes exactly `size` bytes next.
  void begin(uint32_t tag, size_t size);
  void end();

 private:
  void unknown_below(uint64_t tag);
  Writer& writer_;
  const Array<RawTag>& unknown_;
  size_t next_ = 0;
};

}  // namespace moldau::wire
