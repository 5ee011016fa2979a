// Compression of records, in the framings that Kafka writes: gzip, snappy in Java's framing, lz4
// frames of independent 64 KiB blocks, zstd. The other direction: inflate.h.
#pragma once
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/codec.h"

namespace moldau::wire {

// compression.gzip.level (1 to 9, -1 the library's own), compression.lz4.level (1 to 17),
// compression.zstd.level (-131072 to 22). none and snappy have no levels.
struct LevelRange {
  int least = 0;
  int most = 0;
  int usual = 0;
};
LevelRange level_range(Codec codec);
// Errors: invalid, naming the range.
Result<void> check_level(Codec codec, int level);

// Appends `in`, compressed, to out. magic: of the batch or message it is for. A level outside of
// the range counts as the nearest one.
void compress(Codec codec, int level, int8_t magic, Bytes in, std::vector<uint8_t>& out);

}  // namespace moldau::wire
