#include "wire/filler.h"

namespace moldau::wire {

Uuid Filler::uuid() {
  Uuid id;
  for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_.next());
  return id;
}

std::string_view Filler::string() {
  size_t n = random_.one_in(8) ? random_.below(300) : random_.below(12);
  std::span<char> text = arena_.array<char>(n);
  for (char& c : text) c = static_cast<char>('a' + random_.below(26));
  return {text.data(), text.size()};
}

TaggedFields Filler::unknown_tags() {
  if (!random_.one_in(4)) return {};
  std::span<TaggedField> tags = arena_.array<TaggedField>(1 + random_.below(2));
  uint32_t tag = 100;   // above all that are known
  for (TaggedField& field : tags) {
    tag += 1 + static_cast<uint32_t>(random_.below(1000));
    field = {tag, as_bytes(string())};
  }
  return tags;
}

}  // namespace moldau::wire
