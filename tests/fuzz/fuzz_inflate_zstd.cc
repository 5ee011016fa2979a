// Any bytes as a zstd block.
#include "fuzz_inflate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moldau::wire::fuzz_inflate(moldau::wire::Codec::zstd, {data, size});
  return 0;
}
