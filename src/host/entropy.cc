#include "host/entropy.h"

namespace moldau::host {

Uuid Entropy::uuid() {
  for (;;) {
    Uuid id;
    uint64_t high = next();
    uint64_t low = next();
    store_be(id.bytes.data(), high);
    store_be(id.bytes.data() + 8, low);
    id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);  // version 4
    id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);  // RFC 4122 variant
    if (id.to_string()[0] != '-') return id;
  }
}

}  // namespace moldau::host
