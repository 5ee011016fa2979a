// XXH32, the checksum of lz4 frames.
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace moldau::wire {

uint32_t xxh32(Bytes in, uint32_t seed = 0);

}  // namespace moldau::wire
