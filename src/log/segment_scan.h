// Finds out how much of a segment's bytes is whole valid batches: the heart of recovery. Pure:
// bytes come in pieces of any length and are looked at once, so the memory it needs does not depend
// on what a damaged length field says.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "log/batch_info.h"

namespace moldau::log {

class SegmentScan {
 public:
  // base: of the segment. The bytes to come begin at `position` of its file with a batch at or
  // after `expected`.
  SegmentScan(Offset base, Offset expected, int64_t position = 0)
      : base_(base), next_(expected), start_(position), at_(position) {}

  // The bytes that follow. Whole valid batches are added to `found`. Once a batch does not hold,
  // nothing is.
  void feed(Bytes bytes, std::vector<BatchInfo>& found);
  // The file has `size` bytes: a batch that ends behind them can be refused when its header is
  // seen.
  void expect_size(int64_t size) { size_ = size; }

  // First byte behind the last whole valid batch, and the offset that comes next.
  int64_t valid_end() const { return start_; }
  Offset next() const { return next_; }
  // Why the scan went no further than valid_end(): empty while nothing is wrong. A piece of a batch
  // at the end of the input is not seen here: compare valid_end() with the length of the input.
  const std::string& stopped() const { return why_; }

 private:
  bool take_header(Bytes& bytes);
  void judge_header();
  Result<void> judge(const BatchInfo& batch) const;
  uint32_t checksum(Bytes bytes, uint32_t so_far) const;
  void take_records(Bytes bytes);
  void finish(std::vector<BatchInfo>& found);

  Offset base_;
  Offset next_;
  int64_t start_;  // of the batch being read
  int64_t at_;     // of the next byte
  int64_t size_ = INT64_MAX;
  std::array<uint8_t, wire::kBatchHeaderSize> bytes_{};
  size_t have_ = 0;              // of the header
  std::vector<uint8_t> marker_;  // the whole batch so far, if it may be a transaction marker
  BatchInfo batch_;
  bool old_format_ = false;  // 0 or 1: another checksum
  uint32_t stored_crc_ = 0;
  uint32_t crc_ = 0;  // of the batch's bytes seen so far
  std::string why_;
};

}  // namespace moldau::log
