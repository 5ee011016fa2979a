#include "wire/fill.h"

#include "base/ids.h"

namespace moldau::wire {
namespace {

class Filler {
 public:
  Filler(const MessageInfo& info, int16_t version, Random& random, Arena& arena)
      : version_(version),
        flexible_(version >= info.first_flexible),
        random_(random),
        arena_(arena) {}

  void structure(const StructInfo& type, char* at) {
    for (const FieldInfo& f : type.fields)
      if (f.in(version_) && !(f.tag >= 0 && random_.one_in(2))) field(f, at + f.offset);
    if (flexible_ && type.tags_offset != kNoTags && random_.one_in(4))
      unknown_tags(at + type.tags_offset);
  }

 private:
  template <class T>
  static void set(void* at, const T& value) {
    *static_cast<T*>(at) = value;
  }
  void field(const FieldInfo& f, void* at);
  void array(const FieldInfo& f, void* at);
  void element(const FieldInfo& f, void* at);
  void unknown_tags(void* at);
  int64_t number();
  Bytes bytes();
  std::string_view text() { return as_text(bytes()); }

  int16_t version_;
  bool flexible_;
  Random& random_;
  Arena& arena_;
};

// Small, large and extreme ones alike.
int64_t Filler::number() {
  uint64_t shift = random_.below(64);
  int64_t v = static_cast<int64_t>(random_.next() >> shift);
  return random_.one_in(2) ? v : -v;
}

Bytes Filler::bytes() {
  constexpr uint64_t kShort = 9,
                     kLong = 700;  // long: past one varint byte and past the writer's window share
  std::span<uint8_t> v = arena_.array<uint8_t>(random_.below(random_.one_in(20) ? kLong : kShort));
  for (uint8_t& b : v) b = static_cast<uint8_t>('a' + random_.below(26));
  return v;
}

void Filler::field(const FieldInfo& f, void* at) {
  if (f.array) return array(f, at);
  bool null = f.null_in(version_) && random_.one_in(3);
  if (f.kind == Kind::records) {
    Records v;
    v.null = null;
    if (!null) v.bytes = bytes();
    return set(at, v);
  }
  if (!f.may_be_null()) return element(f, at);
  if (f.kind == Kind::string) return set(at, null ? NullableString() : NullableString(text()));
  if (f.kind == Kind::bytes) return set(at, null ? NullableBytes() : NullableBytes(bytes()));
  const void* p = nullptr;
  if (!null) {
    char* made = static_cast<char*>(arena_.allocate(f.type->size, alignof(std::max_align_t)));
    f.type->construct(made);
    structure(*f.type, made);
    p = made;
  }
  set(at, p);
}

void Filler::element(const FieldInfo& f, void* at) {
  switch (f.kind) {
    case Kind::boolean:
      return set(at, random_.one_in(2));
    case Kind::i8:
      return set(at, static_cast<int8_t>(number()));
    case Kind::i16:
      return set(at, static_cast<int16_t>(number()));
    case Kind::u16:
      return set(at, static_cast<uint16_t>(number()));
    case Kind::i32:
      return set(at, static_cast<int32_t>(number()));
    case Kind::u32:
      return set(at, static_cast<uint32_t>(number()));
    case Kind::i64:
      return set(at, number());
    case Kind::f64:
      return set(at, std::bit_cast<double>(number()));
    case Kind::uuid: {
      Uuid v;
      for (uint8_t& b : v.bytes) b = static_cast<uint8_t>(random_.next());
      return set(at, v);
    }
    case Kind::string:
      return set(at, text());
    case Kind::bytes:
      return set(at, bytes());
    case Kind::records:
      return;  // never in an array
    case Kind::structure:
      return structure(*f.type, static_cast<char*>(at));
  }
}

// Elements of arrays: numbers of 1 to 8 bytes, ids, texts and structs.
void Filler::array(const FieldInfo& f, void* at) {
  auto& v = *static_cast<ArrayBase*>(at);
  v = {};
  if (f.null_in(version_) && random_.one_in(3)) {
    v.count = -1;
    return;
  }
  size_t n = static_cast<size_t>(random_.below(random_.one_in(10) ? 40 : 4));
  size_t size = 0;
  switch (f.kind) {
    case Kind::i8:
      size = 1;
      break;
    case Kind::i16:
      size = 2;
      break;
    case Kind::i32:
      size = 4;
      break;
    case Kind::i64:
      size = 8;
      break;
    case Kind::uuid:
      size = sizeof(Uuid);
      break;
    case Kind::string:
      size = sizeof(std::string_view);
      break;
    case Kind::structure:
      size = f.type->size;
      break;
    default:
      return;
  }
  char* made = static_cast<char*>(arena_.allocate(n * size, alignof(std::max_align_t)));
  v = {made, static_cast<int32_t>(n)};
  for (size_t i = 0; i < n; i++, made += size) {
    if (f.type) f.type->construct(made);
    element(f, made);
  }
}

void Filler::unknown_tags(void* at) {
  std::span<RawTag> tags = arena_.array<RawTag>(static_cast<size_t>(1 + random_.below(3)));
  uint32_t tag = 100;  // far above any that Kafka uses, ascending
  for (RawTag& one : tags) {
    one = {tag, bytes()};
    tag += 1 + static_cast<uint32_t>(random_.below(1000));
  }
  set(at, Array<RawTag>(tags));
}

}  // namespace

void* make_default(const MessageInfo& info, Arena& arena) {
  void* made = arena.allocate(info.body->size, alignof(std::max_align_t));
  info.body->construct(made);
  return made;
}

const void* make_random(const MessageInfo& info, int16_t version, Random& random, Arena& arena) {
  void* made = make_default(info, arena);
  Filler(info, version, random, arena).structure(*info.body, static_cast<char*>(made));
  return made;
}

}  // namespace moldau::wire
