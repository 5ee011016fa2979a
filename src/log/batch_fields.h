// The fields of a record batch header (message format v2) that the log itself looks at.
#pragma once
#include "base/bytes.h"
#include "base/crc32c.h"
#include "log/segment.h"

namespace moldau::log {

constexpr size_t kBatchHeader = 61;  // bytes before the records
constexpr size_t kBatchPrefix = 12;  // base offset and length: what the length does not count

// The caller guarantees kBatchHeader readable bytes at p.
inline int64_t batch_size(const uint8_t* p) {
  return int64_t{load_be<int32_t>(p + 8)} + static_cast<int64_t>(kBatchPrefix);
}
inline int8_t batch_magic(const uint8_t* p) { return static_cast<int8_t>(p[16]); }
inline uint32_t batch_crc(const uint8_t* p) { return load_be<uint32_t>(p + 17); }
inline int32_t batch_last_delta(const uint8_t* p) { return load_be<int32_t>(p + 23); }
inline BatchInfo batch_info(const uint8_t* p, int64_t position) {
  uint64_t base = load_be<uint64_t>(p);
  uint64_t last =
      base + static_cast<uint64_t>(int64_t{batch_last_delta(p)});  // a damaged header may wrap
  return {Offset(static_cast<int64_t>(base)),
          Offset(static_cast<int64_t>(last)),
          position,
          batch_size(p),
          load_be<int64_t>(p + 35),
          LeaderEpoch(load_be<int32_t>(p + 12))};
}
inline void assign(uint8_t* p, Offset base, LeaderEpoch epoch) {
  store_be(p, base.value);
  store_be(p + 12, epoch.value);
}

}  // namespace moldau::log
