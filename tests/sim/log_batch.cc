#include "log_batch.h"

#include <array>
#include <cstring>

#include "wire/record_batch_builder.h"

namespace moldau::logsim {

std::vector<uint8_t> BatchMaker::one() {
  constexpr std::array<size_t, 8> kSizes{0, 20, 20, 20, 20, 100, 100, 900};
  wire::RecordBatchBuilder builder;
  uint64_t records = 1 + (random_.one_in(2) ? random_.below(4) : 0);
  size_t size = kSizes[random_.below(kSizes.size())];
  bool timeless = random_.one_in(20);
  std::vector<uint8_t> value(size);
  for (uint64_t i = 0; i < records; i++) {
    for (uint8_t& byte : value) byte = static_cast<uint8_t>(random_.next());
    clock_ += random_.between(0, 20);
    int64_t late = random_.one_in(4) ? random_.between(0, 200) : 0;
    builder.add(timeless ? -1 : clock_ - late, std::nullopt, Bytes(value));
  }
  return builder.finish();
}

Incoming BatchMaker::next(size_t max_bytes) {
  std::vector<uint8_t> all = one();
  while (all.size() > max_bytes) all = one();
  for (uint64_t more = random_.one_in(4) ? 1 + random_.below(2) : 0; more > 0; more--) {
    std::vector<uint8_t> batch = one();
    if (all.size() + batch.size() <= max_bytes) all.insert(all.end(), batch.begin(), batch.end());
  }
  BlockRef block = BlockRef::allocate(all.size());
  std::memcpy(block.data(), all.data(), all.size());
  MutableBytes bytes(block.data(), all.size());
  return {std::move(block), bytes};
}

}  // namespace moldau::logsim
