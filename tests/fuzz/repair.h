// Puts lengths and checksums of a record set in order, so that a fuzzer gets past them: of every
// message or batch that the lengths lead to, the last one taking what is left.
#pragma once
#include <vector>

#include "wire/legacy_message.h"
#include "wire/record_batch.h"

namespace moldau::wire {

inline void repair(std::vector<uint8_t>& set) {
  constexpr size_t kLeast = kLegacyPrefix + 14;
  for (size_t at = 0; set.size() - at >= kLeast;) {
    MutableBytes left = MutableBytes(set).subspan(at);
    int32_t length = load_be<int32_t>(left.data() + 8);
    size_t size = kLegacyPrefix + static_cast<size_t>(length);
    if (length < 14 || size > left.size()) {
      size = left.size();
      store_be(left.data() + 8, static_cast<int32_t>(size - kLegacyPrefix));
    }
    MutableBytes one = left.first(size);
    if (one[kBatchMagicOffset] == 2) {
      if (size >= kBatchHeaderSize) store_be(one.data() + 17, compute_batch_crc(one));
    } else {
      store_be(one.data() + 12, compute_legacy_crc(one));
    }
    at += size;
  }
}

}  // namespace moldau::wire
