// Randomness as a program may see it.
#pragma once
#include <cstdint>

#include "base/bytes.h"
#include "base/ids.h"

namespace moldau::host {

struct Entropy {
  virtual ~Entropy() = default;
  virtual uint64_t next() = 0;
  // A random (version 4) id that does not start with '-' when printed, as Kafka's never do.
  Uuid uuid();
};

}  // namespace moldau::host
