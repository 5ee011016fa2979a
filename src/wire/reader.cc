#include "wire/reader.h"

#include <fmt/format.h>

#include "base/varint.h"

namespace moldau::wire {

size_t Records::size() const {
  size_t n = bytes.size();
  for (const RecordsPiece& piece : pieces) n += piece.size();
  return n;
}

bool Reader::fail(Errc code, const char* field) {
  if (!failed_) {
    failed_ = true;
    code_ = code;
    failed_field_ = field;
  }
  at_ = end_;
  return false;
}

Error Reader::error() const {
  const char* what = code_ == Errc::truncated ? "the message ends inside this field" : "the value is not allowed";
  return Error(code_, fmt::format("{}.{}: {}", message_, failed_field_, what));
}

Bytes Reader::view(size_t n, const char* field) {
  if (!take(n, field)) return {};
  return in_.subspan(at_ - n, n);
}

Uuid Reader::uuid(const char* field) {
  Uuid id;
  Bytes bytes = view(id.bytes.size(), field);
  if (!bytes.empty()) std::copy(bytes.begin(), bytes.end(), id.bytes.begin());
  return id;
}

uint32_t Reader::varint(const char* field) {
  uint32_t value = 0;
  size_t n = read_varint(in_.subspan(at_, end_ - at_), &value);
  if (n == 0) {
    fail(end_ - at_ < kMaxVarint32 ? Errc::truncated : Errc::invalid, field);
    return 0;
  }
  at_ += n;
  return value;
}

int64_t Reader::length(bool flexible, bool wide, const char* field) {
  int64_t n = flexible ? static_cast<int64_t>(varint(field)) - 1 : wide ? int32(field) : int16(field);
  if (n < -1) fail(Errc::invalid, field);
  return failed_ ? -1 : n;
}

std::optional<std::string_view> Reader::nullable_string(bool flexible, const char* field) {
  int64_t n = length(flexible, false, field);
  if (n < 0) return std::nullopt;
  return as_text(view(static_cast<size_t>(n), field));
}

std::string_view Reader::string(bool flexible, const char* field) {
  std::optional<std::string_view> text = nullable_string(flexible, field);
  if (!text) fail(Errc::invalid, field);
  return text.value_or("");
}

std::optional<Blob> Reader::nullable_bytes(bool flexible, const char* field) {
  int64_t n = length(flexible, true, field);
  if (n < 0) return std::nullopt;
  return Blob{view(static_cast<size_t>(n), field)};
}

Blob Reader::bytes(bool flexible, const char* field) {
  std::optional<Blob> blob = nullable_bytes(flexible, field);
  if (!blob) fail(Errc::invalid, field);
  return blob.value_or(Blob());
}

std::optional<Records> Reader::nullable_records(bool flexible, const char* field) {
  std::optional<Blob> blob = nullable_bytes(flexible, field);
  if (!blob) return std::nullopt;
  return Records{.bytes = blob->bytes};
}

int64_t Reader::array_size(bool flexible, bool nullable, size_t min_element, const char* field) {
  int64_t n = length(flexible, true, field);
  if (n < 0) {
    if (!nullable) fail(Errc::invalid, field);
    return -1;
  }
  if (static_cast<uint64_t>(n) * min_element > remaining()) {
    fail(Errc::truncated, field);
    return -1;
  }
  return n;
}

uint32_t Reader::tag_count() {
  uint32_t n = varint("tagged fields");
  if (static_cast<uint64_t>(n) * 2 > remaining()) {   // a tag and a size each
    fail(Errc::truncated, "tagged fields");
    return 0;
  }
  return n;
}

Reader::Tag Reader::begin_tag() {
  Tag tag{varint("tag"), end_};
  size_t size = varint("tag size");
  if (size > remaining()) {
    fail(Errc::truncated, "tagged field");
    return tag;
  }
  end_ = at_ + size;
  return tag;
}

void Reader::end_tag(const Tag& tag) {
  if (at_ != end_) fail(Errc::invalid, "tagged field");
  end_ = tag.end_before;
  if (failed_) at_ = end_;
}

TaggedField Reader::raw_tag(const Tag& tag) { return {tag.tag, view(remaining(), "tagged field")}; }

}  // namespace moldau::wire
