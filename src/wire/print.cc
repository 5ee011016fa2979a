// print(): any message as JSON for people, by its description. Field names are Kafka's, as in its
// request log.
#include <fmt/format.h>

#include <iterator>
#include <memory>

#include "wire/info.h"
#include "wire/message.h"

namespace moldau::wire {
namespace {

class Printer {
 public:
  explicit Printer(int16_t version) : version_(version) {}
  void structure(const StructInfo& type, const void* at);
  std::string take() { return std::move(out_); }

 private:
  template <class T>
  static const T& as(const void* at) {
    return *static_cast<const T*>(at);
  }
  template <class... A>
  void put(fmt::format_string<A...> format, A&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<A>(args)...);
  }
  void text(std::string_view v);
  void base64(Bytes v);
  void name(std::string_view snake, std::string_view suffix);
  std::string rendered(const StructInfo& type, const void* at) const;
  std::string rendered_default(const StructInfo& type) const;
  bool shown(const FieldInfo& field, const void* at) const;
  void field(const FieldInfo& field, const void* at);
  void value(const FieldInfo& field, const void* at);
  void element(const FieldInfo& field, const void* at);
  void array(const FieldInfo& field, const ArrayBase& v);
  void unknown(const Array<RawTag>& tags);

  int16_t version_;
  std::string out_;
};

size_t element_size(const FieldInfo& field) {
  switch (field.kind) {
    case Kind::boolean:
    case Kind::i8:
      return 1;
    case Kind::i16:
    case Kind::u16:
      return 2;
    case Kind::i32:
    case Kind::u32:
      return 4;
    case Kind::i64:
    case Kind::f64:
      return 8;
    case Kind::uuid:
      return sizeof(Uuid);
    case Kind::string:
      return sizeof(std::string_view);
    case Kind::bytes:
      return sizeof(Bytes);
    case Kind::records:
      return sizeof(Records);
    case Kind::structure:
      return field.type->size;
  }
  return 0;
}

void Printer::text(std::string_view v) {
  out_ += '"';
  for (char c : v) {
    if (c == '"' || c == '\\')
      put("\\{}", c);
    else if (static_cast<uint8_t>(c) < 0x20)
      put("\\u{:04x}", static_cast<uint8_t>(c));
    else
      out_ += c;
  }
  out_ += '"';
}

void Printer::base64(Bytes v) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out_ += '"';
  for (size_t i = 0; i < v.size(); i += 3) {
    uint32_t word = 0;
    for (size_t k = 0; k < 3; k++) word = word << 8 | (i + k < v.size() ? v[i + k] : 0u);
    for (size_t k = 0; k < 4; k++)
      out_ += i + k <= v.size() ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  out_ += '"';
}

// throttle_time_ms -> "throttleTimeMs":
void Printer::name(std::string_view snake, std::string_view suffix) {
  out_ += '"';
  bool upper = false;
  for (char c : snake) {
    if (c != '_') out_ += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = c == '_';
  }
  put("{}\":", suffix);
}

// Tagged fields that hold nothing are left out, as on the wire.
bool Printer::shown(const FieldInfo& field, const void* at) const {
  if (!field.in(version_)) return false;
  if (field.tag < 0) return true;
  if (field.array)
    return field.default_null ? !as<ArrayBase>(at).is_null()
                              : !as<ArrayBase>(at).empty() || as<ArrayBase>(at).is_null();
  if (field.kind == Kind::string && field.may_be_null()) return as<NullableString>(at).has_value();
  if (field.kind == Kind::structure && field.may_be_null()) {
    const void* p = as<const void*>(at);
    if (field.default_null || !p) return p != nullptr || !field.default_null;
    return rendered(*field.type, p) != rendered_default(*field.type);
  }
  switch (field.kind) {
    case Kind::boolean:
      return as<bool>(at) != (field.default_number != 0);
    case Kind::i16:
      return as<int16_t>(at) != field.default_number;
    case Kind::i32:
      return as<int32_t>(at) != field.default_number;
    case Kind::i64:
      return as<int64_t>(at) != field.default_number;
    case Kind::uuid:
      return !as<Uuid>(at).is_zero();
    case Kind::structure:
      return rendered(*field.type, at) != rendered_default(*field.type);
    default:
      return true;
  }
}

std::string Printer::rendered(const StructInfo& type, const void* at) const {
  Printer inner(version_);
  inner.structure(type, at);
  return inner.take();
}

std::string Printer::rendered_default(const StructInfo& type) const {
  auto memory = std::make_unique_for_overwrite<std::byte[]>(type.size);
  type.construct(memory.get());
  return rendered(type, memory.get());
}

void Printer::structure(const StructInfo& type, const void* at) {
  const char* base = static_cast<const char*>(at);
  out_ += '{';
  const char* separator = "";
  for (const FieldInfo& f : type.fields) {
    if (!shown(f, base + f.offset)) continue;
    out_ += separator;
    separator = ",";
    field(f, base + f.offset);
  }
  if (type.tags_offset != kNoTags) {
    const auto& tags = as<Array<RawTag>>(base + type.tags_offset);
    if (!tags.empty()) {
      out_ += separator;
      unknown(tags);
    }
  }
  out_ += '}';
}

void Printer::unknown(const Array<RawTag>& tags) {
  out_ += "\"_unknownTags\":[";
  for (size_t i = 0; i < tags.size(); i++) {
    put("{}{{\"tag\":{},\"data\":", i ? "," : "", tags[i].tag);
    base64(tags[i].data);
    out_ += '}';
  }
  out_ += ']';
}

void Printer::field(const FieldInfo& f, const void* at) {
  bool sized = f.kind == Kind::records && !as<Records>(at).null;
  name(f.name, sized ? "SizeInBytes" : "");
  if (f.array)
    array(f, as<ArrayBase>(at));
  else
    value(f, at);
}

void Printer::array(const FieldInfo& f, const ArrayBase& v) {
  if (v.is_null()) {
    out_ += "null";
    return;
  }
  const char* at = static_cast<const char*>(v.elements);
  out_ += '[';
  for (size_t i = 0; i < v.size(); i++, at += element_size(f)) {
    if (i) out_ += ',';
    element(f, at);
  }
  out_ += ']';
}

// A field by itself: the kinds that may be null are stored differently if they may.
void Printer::value(const FieldInfo& f, const void* at) {
  if (f.kind == Kind::records) {
    const auto& v = as<Records>(at);
    if (v.null)
      out_ += "null";
    else
      put("{}", v.size());
    return;
  }
  if (!f.may_be_null()) return element(f, at);
  if (f.kind == Kind::string) {
    const auto& v = as<NullableString>(at);
    return v ? text(*v) : put("null");
  }
  if (f.kind == Kind::bytes) {
    const auto& v = as<NullableBytes>(at);
    return v ? base64(*v) : put("null");
  }
  const void* p = as<const void*>(at);
  return p ? structure(*f.type, p) : put("null");
}

void Printer::element(const FieldInfo& f, const void* at) {
  switch (f.kind) {
    case Kind::boolean:
      return put("{}", as<bool>(at));
    case Kind::i8:
      return put("{}", static_cast<int>(as<int8_t>(at)));
    case Kind::i16:
      return put("{}", as<int16_t>(at));
    case Kind::u16:
      return put("{}", as<uint16_t>(at));
    case Kind::i32:
      return put("{}", as<int32_t>(at));
    case Kind::u32:
      return put("{}", as<uint32_t>(at));
    case Kind::i64:
      return put("{}", as<int64_t>(at));
    case Kind::f64:
      return put("{}", as<double>(at));
    case Kind::uuid:
      return text(as<Uuid>(at).to_string());
    case Kind::string:
      return text(as<std::string_view>(at));
    case Kind::bytes:
      return base64(as<Bytes>(at));
    case Kind::records:
      return put("{}", as<Records>(at).size());
    case Kind::structure:
      return structure(*f.type, at);
  }
}

}  // namespace

std::string print_any(const MessageInfo& info, const void* message, int16_t version) {
  Printer printer(version);
  printer.structure(*info.body, message);
  return printer.take();
}

}  // namespace moldau::wire
