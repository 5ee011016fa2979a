// The newest offset of each key in the dirty part of a log: what decides which records compaction
// keeps. One flat table within a memory budget: 24 bytes a key whatever the key's length, nothing
// on the heap for each. Keys are known by a keyed 128-bit hash. Pure.
#pragma once
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/siphash.h"

namespace moldau::log {

class OffsetMap {
 public:
  struct Config {
    size_t bytes = size_t{128} << 20;  // log.cleaner.dedupe.buffer.size
    double load_factor = 0.9;          // log.cleaner.io.buffer.load.factor
  };
  // hash_key: random, so that no producer can make two keys meet.
  OffsetMap(const Config& config, const SipKey& hash_key);

  // The key has a record at this offset; offsets rise. False, and nothing changed: the map is full.
  bool put(Bytes key, Offset offset);
  // The newest offset of the key that was put.
  std::optional<Offset> find(Bytes key) const;
  // All records up to here were looked at.
  void advance(Offset latest) { latest_ = latest; }
  // Records behind it were not looked at: -1 if none were.
  Offset latest() const { return latest_; }

  size_t size() const { return size_; }
  size_t capacity() const { return most_; }
  void clear();

 private:
  struct Slot {
    Hash128 hash;
    int64_t next = 0;  // newest offset + 1; 0: empty
  };
  struct Free {
    void operator()(Slot* slots) const;
  };
  size_t slot_of(const Hash128& hash) const;

  const SipKey hash_key_;
  const size_t slots_;
  const size_t most_;  // keys: at least one slot stays empty
  // Zeroed by the system, page by page as it is used: a small log costs little of a large budget.
  std::unique_ptr<Slot[], Free> table_;
  size_t size_ = 0;
  Offset latest_{-1};
};

}  // namespace moldau::log
