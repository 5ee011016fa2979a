#include "wire/writer.h"

#include "base/check.h"
#include "base/varint.h"

namespace moldau::wire {

void Writer::varint(uint32_t v) {
  uint8_t bytes[kMaxVarint32];
  out_.append(Bytes(bytes, write_varint(bytes, v)));
}

void Writer::length(bool flexible, bool wide, int64_t n) {
  if (flexible) {
    varint(static_cast<uint32_t>(n + 1));
  } else if (wide) {
    CHECK(n <= INT32_MAX, "{} bytes do not fit a message", n);
    int32(static_cast<int32_t>(n));
  } else {
    CHECK(n <= INT16_MAX, "a string of {} bytes does not fit a message", n);
    int16(static_cast<int16_t>(n));
  }
}

void Writer::string(bool flexible, std::string_view v) {
  length(flexible, false, static_cast<int64_t>(v.size()));
  out_.append(as_bytes(v));
}

void Writer::nullable_string(bool flexible, const std::optional<std::string_view>& v) {
  if (v) return string(flexible, *v);
  length(flexible, false, -1);
}

void Writer::bytes(bool flexible, const Blob& v) {
  length(flexible, true, static_cast<int64_t>(v.bytes.size()));
  out_.append(v.bytes);
}

void Writer::nullable_bytes(bool flexible, const std::optional<Blob>& v) {
  if (v) return bytes(flexible, *v);
  length(flexible, true, -1);
}

void Writer::records(bool flexible, const Records& v) {
  length(flexible, true, static_cast<int64_t>(v.size()));
  out_.append(v.bytes);
  for (const RecordsPiece& piece : v.pieces) {
    if (piece.file >= 0) out_.append_file(piece.file, piece.position, piece.length);
    else out_.append(piece.bytes);
  }
}

void Writer::nullable_records(bool flexible, const std::optional<Records>& v) {
  if (v) return records(flexible, *v);
  length(flexible, true, -1);
}

void Writer::array_size(bool flexible, size_t n, bool null) {
  length(flexible, true, null ? -1 : static_cast<int64_t>(n));
}

void Writer::tag(uint32_t tag, Chain value) {
  varint(tag);
  varint(static_cast<uint32_t>(value.size()));
  for (Chain::Piece& piece : value.take()) out_.append(std::move(piece.bytes));
}

void Writer::raw_tags(const TaggedFields& fields) {
  for (const TaggedField& field : fields) {
    varint(field.tag);
    varint(static_cast<uint32_t>(field.data.size()));
    out_.append(field.data);
  }
}

}  // namespace moldau::wire
