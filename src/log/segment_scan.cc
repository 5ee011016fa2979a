#include "log/segment_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bug.h"

namespace moldau::log {
namespace {
constexpr size_t kCrcStart = 21;  // attributes: the first field that the checksum covers
}

size_t SegmentScan::take_header(Bytes bytes) {
  size_t n = std::min(bytes.size(), kBatchHeader - header_have_);
  std::memcpy(header_.data() + header_have_, bytes.data(), n);
  header_have_ += n;
  return n;
}

void SegmentScan::judge_header() {
  const uint8_t* p = header_.data();
  int64_t size = batch_size(p);
  if (int8_t magic = batch_magic(p); magic != 2) {
    why_ = fmt::format("magic {} at position {}", magic, start_);
    legacy_ =
        start_ == 0 && (magic == 0 || magic == 1) && size > static_cast<int64_t>(kBatchPrefix) + 13;
    return;
  }
  BatchInfo batch = batch_info(p, start_);
  int64_t room = std::numeric_limits<int32_t>::max();
  if (size < static_cast<int64_t>(kBatchHeader))
    why_ = fmt::format("a batch of {} bytes at position {}", size, start_);
  else if (size > size_ - start_)
    why_ = fmt::format("the batch at position {} has {} bytes, the file ends after {}", start_,
                       size, size_ - start_);
  else if (batch_last_delta(p) < 0 || batch.base < next_ ||
           batch.base - base_ > room - batch_last_delta(p))
    why_ = fmt::format("offsets {} to {} at position {}, expected from {} on", batch.base,
                       batch.last, start_, next_);
  crc_ = crc32c(Bytes(header_).subspan(kCrcStart));
}

void SegmentScan::finish(std::vector<BatchInfo>& found) {
  bool whole = crc_ == batch_crc(header_.data());
  if (planted(Bug::recovery_keeps_torn)) [[unlikely]]
    whole = true;
  if (!whole) {
    why_ = fmt::format("the checksum of the batch at position {} does not hold", start_);
    return;
  }
  found.push_back(batch_info(header_.data(), start_));
  next_ = found.back().last + 1;
  start_ = at_;
  header_have_ = 0;
}

void SegmentScan::feed(Bytes bytes, std::vector<BatchInfo>& found) {
  while (!bytes.empty() && why_.empty()) {
    if (header_have_ < kBatchHeader) {
      size_t n = take_header(bytes);
      at_ += static_cast<int64_t>(n);
      bytes = bytes.subspan(n);
      if (header_have_ < kBatchHeader) return;
      judge_header();
      if (!why_.empty()) return;
    }
    int64_t left = start_ + batch_size(header_.data()) - at_;
    size_t n = static_cast<size_t>(std::min(left, std::ssize(bytes)));
    crc_ = crc32c(bytes.first(n), crc_);
    at_ += static_cast<int64_t>(n);
    bytes = bytes.subspan(n);
    if (static_cast<int64_t>(n) == left) finish(found);
  }
}

}  // namespace moldau::log
