#include "log/segment_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bug.h"
#include "base/crc32c.h"

namespace moldau::log {

size_t SegmentScan::take_header(Bytes bytes) {
  size_t n = std::min(bytes.size(), bytes_.size() - have_);
  std::memcpy(bytes_.data() + have_, bytes.data(), n);
  have_ += n;
  return n;
}

void SegmentScan::judge_header() {
  auto header = wire::read_batch_header(bytes_);
  if (!header) {
    why_ = fmt::format("position {}: {}", start_, header.error().to_string());
    legacy_ = start_ == 0 && header.error().code() == Errc::unsupported &&
              bytes_[wire::kBatchMagicOffset] < 2;
    return;
  }
  header_ = *header;
  int64_t size = static_cast<int64_t>(header_.size());
  int32_t delta = header_.last_offset_delta;
  Offset base = header_.base_offset;
  int64_t room = std::numeric_limits<int32_t>::max();
  if (size > size_ - start_)
    why_ = fmt::format("the batch at position {} has {} bytes, the file ends after {}", start_,
                       size, size_ - start_);
  else if (delta < 0 || base < next_ || base - base_ > room - delta)
    why_ = fmt::format("the batch at position {} has offset {} and {} more, expected from {} on",
                       start_, base, delta, next_);
  crc_ = crc32c(Bytes(bytes_).subspan(wire::kBatchCrcStart));
  marker_.clear();
  bool marker = header_.control() && header_.has_producer() && header_.size() <= kMaxMarkerBatch;
  if (marker) marker_.assign(bytes_.begin(), bytes_.end());
}

void SegmentScan::take_records(Bytes bytes) {
  crc_ = crc32c(bytes, crc_);
  at_ += std::ssize(bytes);
  if (!marker_.empty()) marker_.insert(marker_.end(), bytes.begin(), bytes.end());
}

void SegmentScan::finish(std::vector<BatchInfo>& found) {
  bool whole = crc_ == header_.crc;
  if (planted(Bug::recovery_keeps_torn)) [[unlikely]]
    whole = true;
  if (!whole) {
    why_ = fmt::format("the checksum of the batch at position {} does not hold", start_);
    return;
  }
  found.push_back(batch_info(header_, start_));
  if (!marker_.empty()) found.back().producer.marker = read_end_marker(marker_);
  next_ = found.back().last + 1;
  start_ = at_;
  have_ = 0;
}

void SegmentScan::feed(Bytes bytes, std::vector<BatchInfo>& found) {
  while (!bytes.empty() && why_.empty()) {
    if (have_ < bytes_.size()) {
      size_t n = take_header(bytes);
      at_ += static_cast<int64_t>(n);
      bytes = bytes.subspan(n);
      if (have_ < bytes_.size()) return;
      judge_header();
      if (!why_.empty()) return;
    }
    int64_t left = start_ + static_cast<int64_t>(header_.size()) - at_;
    size_t n = static_cast<size_t>(std::min(left, std::ssize(bytes)));
    take_records(bytes.first(n));
    bytes = bytes.subspan(n);
    if (static_cast<int64_t>(n) == left) finish(found);
  }
}

}  // namespace moldau::log
