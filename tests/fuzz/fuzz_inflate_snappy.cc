// Any bytes as a snappy block.
#include "fuzz_inflate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  moldau::wire::fuzz_inflate(moldau::wire::Codec::snappy, {data, size});
  return 0;
}
