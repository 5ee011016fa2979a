// What both servers share: frames of 4 bytes length and that many bytes, replies of 50 bytes, and
// where appended frames go. Only the machinery of waiting and calling differs between them.
#pragma once
#include <algorithm>
#include <vector>

#include "base/bytes.h"

namespace moldau::bench {

constexpr size_t kReply = 50;
constexpr int64_t kFileSize = 64 << 20;  // then the file is written from its start again

// Collects bytes of one connection and hands out all whole frames at once.
class FrameBuffer {
 public:
  MutableBytes space() { return MutableBytes(bytes_).subspan(end_); }
  void commit(size_t n) { end_ += n; }
  struct Batch {
    Bytes bytes;  // the frames, one behind the other; good until release()
    size_t frames = 0;
  };
  Batch whole_frames() const {
    Batch batch;
    size_t at = 0;
    while (end_ - at >= 4) {
      size_t frame = 4 + static_cast<size_t>(load_be<uint32_t>(&bytes_[at]));
      if (end_ - at < frame) break;
      at += frame;
      batch.frames++;
    }
    batch.bytes = Bytes(bytes_).first(at);
    return batch;
  }
  // Forgets the batch; makes room for the frame that has begun.
  void release(const Batch& batch) {
    std::copy(bytes_.begin() + static_cast<ptrdiff_t>(batch.bytes.size()),
              bytes_.begin() + static_cast<ptrdiff_t>(end_), bytes_.begin());
    end_ -= batch.bytes.size();
    if (end_ < 4) return;
    size_t frame = 4 + static_cast<size_t>(load_be<uint32_t>(bytes_.data()));
    if (frame > bytes_.size()) bytes_.resize(frame);
  }

 private:
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(64 << 10);
  size_t end_ = 0;
};

// Where the next bytes of the file go.
class Place {
 public:
  int64_t take(size_t bytes) {
    if (at_ + static_cast<int64_t>(bytes) > kFileSize) at_ = 0;
    int64_t here = at_;
    at_ += static_cast<int64_t>(bytes);
    return here;
  }

 private:
  int64_t at_ = 0;
};

// Replies that wait to be sent: only their number of bytes matters.
class Replies {
 public:
  void add(size_t frames) {
    left_ += frames * kReply;
    if (bytes_.size() < left_) bytes_.resize(left_, 'r');
  }
  void sent(size_t n) { left_ -= n; }
  bool empty() const { return left_ == 0; }
  Bytes bytes() const { return Bytes(bytes_).first(left_); }

 private:
  std::vector<uint8_t> bytes_;
  size_t left_ = 0;
};

}  // namespace moldau::bench
