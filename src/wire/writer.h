// Encodes the values of a message into a chain. Records are linked into it, never copied. Used by the generated code.
#pragma once
#include "base/chain.h"
#include "wire/types.h"

namespace moldau::wire {

class Writer {
 public:
  explicit Writer(Chain& out) : out_(out) {}

  void boolean(bool v) { fixed<uint8_t>(v); }
  void int8(int8_t v) { fixed(v); }
  void int16(int16_t v) { fixed(v); }
  void uint16(uint16_t v) { fixed(v); }
  void int32(int32_t v) { fixed(v); }
  void uint32(uint32_t v) { fixed(v); }
  void int64(int64_t v) { fixed(v); }
  void float64(double v) { fixed(std::bit_cast<uint64_t>(v)); }
  void uuid(const Uuid& v) { out_.append(Bytes(v.bytes)); }
  void varint(uint32_t v);

  void string(bool flexible, std::string_view v);
  void nullable_string(bool flexible, const std::optional<std::string_view>& v);
  void bytes(bool flexible, const Blob& v);
  void nullable_bytes(bool flexible, const std::optional<Blob>& v);
  void records(bool flexible, const Records& v);
  void nullable_records(bool flexible, const std::optional<Records>& v);
  void array_size(bool flexible, size_t n, bool null = false);
  // value is an encoded field.
  void tag(uint32_t tag, Chain value);
  void raw_tags(const TaggedFields& fields);
  Chain& out() { return out_; }

 private:
  template <class T>
  void fixed(T v) { store_be(out_.extend(sizeof v).data(), v); }
  void length(bool flexible, bool wide, int64_t n);
  Chain& out_;
};

}  // namespace moldau::wire
