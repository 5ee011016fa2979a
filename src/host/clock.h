// Time as a program may see it; the real one and the simulated one stand behind it.
#pragma once
#include "base/time.h"

namespace moldau::host {

struct Clock {
  virtual ~Clock() = default;
  virtual Instant now() const = 0;    // monotonic
  virtual WallTime wall() const = 0;  // may jump either way
};

}  // namespace moldau::host
