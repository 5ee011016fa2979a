#include "log/segment_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/bug.h"
#include "base/crc32c.h"
#include "wire/legacy_message.h"

namespace moldau::log {

// False: more bytes are needed.
bool SegmentScan::take_header(Bytes& bytes) {
  for (;;) {
    Bytes known = Bytes(bytes_).first(have_);
    size_t wanted = batch_head_size(known);
    if (have_ == wanted) return true;
    if (bytes.empty()) return false;
    size_t n = std::min(bytes.size(), wanted - have_);
    std::memcpy(bytes_.data() + have_, bytes.data(), n);
    have_ += n;
    at_ += static_cast<int64_t>(n);
    bytes = bytes.subspan(n);
  }
}

Result<void> SegmentScan::judge(const BatchInfo& batch) const {
  int64_t room = std::numeric_limits<int32_t>::max();
  if (batch.size > size_ - start_)
    return fail(Errc::corrupt, fmt::format("the batch at position {} has {} bytes, the file ends "
                                           "after {}",
                                           start_, batch.size, size_ - start_));
  if (batch.base < next_ || batch.last - base_ > room)
    return fail(Errc::corrupt,
                fmt::format("the batch at position {} has offsets {} to {}, expected from {} on",
                            start_, batch.base, batch.last, next_));
  return {};
}

uint32_t SegmentScan::checksum(Bytes bytes, uint32_t so_far) const {
  return old_format_ ? wire::legacy_crc(bytes, so_far) : crc32c(bytes, so_far);
}

void SegmentScan::judge_header() {
  Bytes head = Bytes(bytes_).first(have_);
  auto batch = read_batch_info(head, start_, next_);
  Result<void> sound = batch ? judge(*batch) : fail(batch.error().code(), batch.error().text());
  if (!sound) {
    why_ = batch ? sound.error().text()
                 : fmt::format("position {}: {}", start_, sound.error().to_string());
    return;
  }
  batch_ = *batch;
  old_format_ = have_ < wire::kBatchHeaderSize;
  size_t covered = old_format_ ? wire::kBatchMagicOffset : wire::kBatchCrcStart;
  size_t stored = old_format_ ? wire::kLegacyPrefix : wire::kBatchMagicOffset + 1;
  stored_crc_ = load_be<uint32_t>(bytes_.data() + stored);
  crc_ = checksum(head.subspan(covered), 0);
  marker_.clear();
  const ProducerPart& producer = batch_.producer;
  bool marker =
      producer.control && producer.any() && std::cmp_less_equal(batch_.size, kMaxMarkerBatch);
  if (marker) marker_.assign(bytes_.begin(), bytes_.end());
}

void SegmentScan::take_records(Bytes bytes) {
  crc_ = checksum(bytes, crc_);
  at_ += std::ssize(bytes);
  if (!marker_.empty()) marker_.insert(marker_.end(), bytes.begin(), bytes.end());
}

void SegmentScan::finish(std::vector<BatchInfo>& found) {
  bool whole = crc_ == stored_crc_;
  if (planted(Bug::recovery_keeps_torn)) [[unlikely]]
    whole = true;
  if (!whole) {
    why_ = fmt::format("the checksum of the batch at position {} does not hold", start_);
    return;
  }
  found.push_back(batch_);
  if (!marker_.empty()) found.back().producer.marker = read_end_marker(marker_);
  next_ = found.back().last + 1;
  start_ = at_;
  have_ = 0;
}

void SegmentScan::feed(Bytes bytes, std::vector<BatchInfo>& found) {
  while (!bytes.empty() && why_.empty()) {
    if (start_ + static_cast<int64_t>(have_) == at_) {
      if (!take_header(bytes)) return;
      judge_header();
      if (!why_.empty()) return;
    }
    int64_t left = start_ + batch_.size - at_;
    size_t n = static_cast<size_t>(std::min(left, std::ssize(bytes)));
    take_records(bytes.first(n));
    bytes = bytes.subspan(n);
    if (static_cast<int64_t>(n) == left) finish(found);
  }
}

}  // namespace moldau::log
