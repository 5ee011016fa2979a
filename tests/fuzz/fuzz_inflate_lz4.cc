// Any bytes as a lz4 block.
#include "fuzz_inflate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moldau::wire::fuzz_inflate(moldau::wire::Codec::lz4, {data, size});
  return 0;
}
