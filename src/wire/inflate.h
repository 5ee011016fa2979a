// Decompression of a batch's records, in steps: a reader takes as much at a time as it has room
// for, so that looking at a batch needs a window and not the batch. Used for validating what
// producers send, for conversion between formats and by clients.
//
// What a decoder holds is bounded by what was received: a snappy or lz4 block by its own compressed
// size times what the codec can reach at best, gzip by 32 KiB, zstd by the window (at most 128 MiB,
// touched only as far as data fills it).
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "wire/codec.h"

namespace moldau::wire {

// What comes out is at most the larger of both: beyond, it is a bomb and no batch.
struct InflateLimits {
  size_t ratio = 1024;              // times the compressed size; gzip cannot do more than 1032
  size_t least = size_t{64} << 20;  // bytes that are always allowed
};

// One decoder of one codec; what Inflater is made of.
class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;
  // Forgets what was before.
  Result<void> begin(Bytes in, int8_t magic) {
    failure_.reset();
    return start(in, magic);
  }
  // Fills `into` as far as there is data; 0 at the end. What comes before a failure is given first.
  Result<size_t> read(MutableBytes into);

 protected:
  virtual Result<void> start(Bytes in, int8_t magic) = 0;
  // done: how much of `into` has been filled, also if it fails.
  virtual Result<void> fill(MutableBytes into, size_t& done) = 0;

 private:
  std::optional<Error> failure_;
};

// Reusable: the codecs' states are made once and kept. Not for several threads at a time.
class Inflater {
 public:
  explicit Inflater(const InflateLimits& limits = {}) : limits_(limits) {}
  ~Inflater();

  // in: the compressed block, which outlives the reading. magic: of the batch or message that holds
  // it. codec may be none. Errors: corrupt, unsupported.
  Result<void> begin(Codec codec, int8_t magic, Bytes in);
  // into is not empty. How many bytes were written there, 0 at the end. Errors: corrupt (also what
  // is cut), too_large (a bomb).
  Result<size_t> read(MutableBytes into);
  // Bytes that came out since begin.
  size_t total() const { return total_; }

 private:
  const InflateLimits limits_;
  std::array<std::unique_ptr<Decoder>, kCodecs> decoders_;
  Decoder* current_ = nullptr;
  size_t total_ = 0;
  size_t limit_ = 0;
};

// All of it. Memory grows with what comes out.
Result<std::vector<uint8_t>> inflate_all(Inflater& inflater, Codec codec, int8_t magic, Bytes in);

// The decoders of the block codecs (inflate_blocks.cc).
std::unique_ptr<Decoder> make_snappy_decoder();
std::unique_ptr<Decoder> make_lz4_decoder();

}  // namespace moldau::wire
