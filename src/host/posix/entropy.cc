#include "host/posix/entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "base/check.h"

namespace moldau::host::posix {

uint64_t Entropy::next() {
  if (left_ == 0) {
    // Up to 256 bytes come whole once the system has started.
    ssize_t n;
    do n = ::getrandom(numbers_.data(), sizeof numbers_, 0);
    while (n < 0 && errno == EINTR);
    CHECK(n == sizeof numbers_, "getrandom gave {} bytes, error {}", n, errno);
    left_ = numbers_.size();
  }
  return std::exchange(numbers_[--left_], 0);  // a number that was handed out is nowhere else
}

}  // namespace moldau::host::posix
