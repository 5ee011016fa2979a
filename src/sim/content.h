// The bytes of a simulated file: pages on demand, holes are zeros and cost nothing.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"

namespace moldau::sim {

class Content {
 public:
  int64_t size() const { return size_; }
  // Fills out as far as the content goes, returns how much that was.
  size_t read(int64_t position, MutableBytes out) const;
  // Longer if needed; a gap is zeros.
  void write(int64_t position, Bytes bytes);
  void resize(int64_t size);
  void copy_from(const Content& other);
  size_t pages() const;

 private:
  static constexpr int64_t kPage = 4096;
  using Page = std::array<uint8_t, kPage>;
  int64_t size_ = 0;
  std::vector<std::unique_ptr<Page>> pages_;  // nullptr: zeros
};

}  // namespace moldau::sim
