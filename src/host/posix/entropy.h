// Entropy from the system's generator, fetched in blocks.
#pragma once
#include <array>

#include "host/entropy.h"

namespace moldau::host::posix {

class Entropy final : public host::Entropy {
 public:
  uint64_t next() override;

 private:
  std::array<uint64_t, 32> numbers_{};
  size_t left_ = 0;
};

}  // namespace moldau::host::posix
