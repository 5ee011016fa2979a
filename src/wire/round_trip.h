// Every message with a schema, for tests and fuzz targets: random values there and back.
#pragma once
#include <span>

#include "base/arena.h"
#include "base/chain.h"
#include "base/result.h"

namespace moldau::wire {

class Filler;

struct RoundTrip {
  const char* name;
  int16_t min_version;
  int16_t max_version;
  // Fills a message at random, encodes it to out, decodes and compares.
  Result<void> (*random)(Filler& filler, int16_t version, Chain& out);
  // Decodes any bytes into arena; a message among them survives being encoded and decoded again.
  Result<void> (*again)(Bytes in, Arena& arena, int16_t version);
};

std::span<const RoundTrip> round_trips();

}  // namespace moldau::wire
