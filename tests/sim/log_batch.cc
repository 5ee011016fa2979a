#include "log_batch.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "base/bytes.h"

namespace moldau::logsim {

Incoming incoming(Bytes batches) {
  BlockRef block = BlockRef::allocate(batches.size());
  std::memcpy(block.data(), batches.data(), batches.size());
  MutableBytes bytes(block.data(), batches.size());
  return {std::move(block), bytes};
}

std::vector<uint8_t> BatchMaker::one(const wire::RecordBatchBuilder::Options& options) {
  constexpr std::array<size_t, 8> kSizes{0, 20, 20, 20, 20, 100, 100, 900};
  wire::RecordBatchBuilder builder(options);
  uint64_t records = 1 + (random_.one_in(2) ? random_.below(4) : 0);
  size_t size = kSizes[random_.below(kSizes.size())];
  bool timeless = random_.one_in(20);
  std::vector<uint8_t> value(size);
  for (uint64_t i = 0; i < records; i++) {
    for (uint8_t& byte : value) byte = static_cast<uint8_t>(random_.next());
    clock_ += random_.between(0, 20);
    int64_t late = random_.one_in(4) ? random_.between(0, 200) : 0;
    std::string key = keys_ > 0 ? fmt::format("key {}", random_.below(keys_)) : "";
    bool gone = keys_ > 0 && random_.one_in(8);
    builder.add(timeless ? -1 : clock_ - late,
                keys_ > 0 ? wire::NullableBytes(as_bytes(key)) : std::nullopt,
                gone ? wire::NullableBytes() : Bytes(value));
  }
  return builder.finish();
}

std::vector<uint8_t> BatchMaker::batch(const wire::RecordBatchBuilder::Options& options,
                                       size_t max_bytes) {
  std::vector<uint8_t> batch = one(options);
  while (batch.size() > max_bytes) batch = one(options);
  return batch;
}

std::vector<uint8_t> BatchMaker::marker(wire::RecordBatchBuilder::Options options, bool abort,
                                        int32_t coordinator_epoch) {
  options.transactional = options.control = true;
  wire::RecordBatchBuilder builder(options);
  std::array<uint8_t, 4> key{0, 0, 0, static_cast<uint8_t>(abort ? 0 : 1)};
  std::array<uint8_t, 6> value{};
  store_be(value.data() + 2, coordinator_epoch);
  clock_ += random_.between(0, 20);
  builder.add(clock_, Bytes(key), Bytes(value));
  return builder.finish();
}

Incoming BatchMaker::next(size_t max_bytes) {
  std::vector<uint8_t> all = batch({}, max_bytes);
  for (uint64_t more = random_.one_in(4) ? 1 + random_.below(2) : 0; more > 0; more--) {
    std::vector<uint8_t> batch = one({});
    if (all.size() + batch.size() <= max_bytes) all.insert(all.end(), batch.begin(), batch.end());
  }
  return incoming(all);
}

}  // namespace moldau::logsim
