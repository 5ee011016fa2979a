// Walks over the parts of a vectored write: which bytes come next, as the system wants them.
#pragma once
#include <sys/uio.h>

#include <span>

#include "base/bytes.h"

namespace moldau::host::posix {

class Parts {
 public:
  static constexpr size_t kMost = 64;  // pieces a system call
  explicit Parts(std::span<const Bytes> parts) : parts_(parts) { skip_empty(); }

  bool done() const { return at_ == parts_.size(); }
  // The next pieces, at most kMost; good until the next call.
  std::span<iovec> next() {
    size_t n = 0;
    for (size_t i = at_, skip = offset_; i < parts_.size() && n < kMost; i++, skip = 0) {
      if (parts_[i].empty()) continue;
      // The system takes what it only reads through a pointer that is not const.
      iov_[n++] = {const_cast<uint8_t*>(parts_[i].data()) + skip, parts_[i].size() - skip};
    }
    last_ = n;
    return {iov_, n};
  }
  // next() shows everything that is left.
  bool complete() const { return last_ < kMost; }
  void advance(size_t bytes) {
    offset_ += bytes;
    while (at_ < parts_.size() && offset_ >= parts_[at_].size()) offset_ -= parts_[at_++].size();
  }

 private:
  void skip_empty() { advance(0); }
  std::span<const Bytes> parts_;
  size_t at_ = 0;      // the part that comes next
  size_t offset_ = 0;  // into it
  size_t last_ = 0;
  iovec iov_[kMost];
};

}  // namespace moldau::host::posix
