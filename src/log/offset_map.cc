#include "log/offset_map.h"

#include <algorithm>
#include <cstdlib>

#include "base/bug.h"
#include "base/check.h"

namespace moldau::log {

void OffsetMap::Free::operator()(Slot* slots) const { std::free(slots); }

OffsetMap::OffsetMap(const Config& config, const SipKey& hash_key)
    : hash_key_(hash_key),
      slots_(std::max<size_t>(config.bytes / sizeof(Slot), 2)),
      most_(std::clamp<size_t>(
          static_cast<size_t>(static_cast<double>(slots_) * config.load_factor), 1, slots_ - 1)) {
  clear();
}

void OffsetMap::clear() {
  if (!table_ || size_ > 0) {
    table_.reset();
    table_.reset(static_cast<Slot*>(std::calloc(slots_, sizeof(Slot))));
  }
  CHECK(table_ != nullptr, "no memory for {} slots of the offset map", slots_);
  size_ = 0;
  latest_ = Offset(-1);
}

// The slot that holds the hash, or the empty one where it would go.
size_t OffsetMap::slot_of(const Hash128& hash) const {
  auto scaled = static_cast<unsigned __int128>(hash.low) * slots_;
  size_t at = static_cast<size_t>(scaled >> 64);
  while (table_[at].next != 0) {
    if (table_[at].hash == hash) break;
    if (planted(Bug::cleaner_mixes_keys) && (table_[at].hash.high & 7) == (hash.high & 7))
        [[unlikely]]
      break;
    at = at + 1 == slots_ ? 0 : at + 1;
  }
  return at;
}

bool OffsetMap::put(Bytes key, Offset offset) {
  CHECK(offset >= Offset(0), "offset {}", offset);
  Hash128 hash = siphash128(hash_key_, key);
  Slot& slot = table_[slot_of(hash)];
  if (slot.next == 0) {
    if (size_ == most_) return false;
    size_++;
    slot.hash = hash;
  }
  slot.next = offset.value + 1;
  latest_ = offset;
  return true;
}

std::optional<Offset> OffsetMap::find(Bytes key) const {
  const Slot& slot = table_[slot_of(siphash128(hash_key_, key))];
  if (slot.next == 0) return std::nullopt;
  return Offset(slot.next - 1);
}

}  // namespace moldau::log
