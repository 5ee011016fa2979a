// CRC-32C (Castagnoli), the checksum of record batches. Uses the fastest instructions that the
// processor has.
#pragma once
#include <cstdint>

#include "base/bytes.h"

namespace moldau {

// crc32c(b) of bytes; crc32c(b, crc32c(a)) is that of a followed by b.
uint32_t crc32c(Bytes bytes, uint32_t before = 0);

// The table-driven way that needs no special instruction; the reference for the tests.
uint32_t crc32c_portable(Bytes bytes, uint32_t before = 0);

// The checksum after a prefix of a checksummed text was overwritten: crc is that of old_prefix +
// rest, the result that of new_prefix + rest, |rest| = rest_size. Costs O(|prefix| + log
// rest_size): the rest is not touched. Both prefixes have the same length.
uint32_t crc32c_patch(uint32_t crc, Bytes old_prefix, Bytes new_prefix, uint64_t rest_size);

// What crc32c() uses here: "portable", "sse4.2", "vpclmulqdq" or "arm"; for the start-up line and
// the benchmarks.
std::string_view crc32c_implementation();

}  // namespace moldau
