// The codecs that come in blocks: snappy (bare, and in the framing of Java's library) and lz4
// frames. A block is decompressed whole into a buffer of the decoder's and handed out from there.
#include <fmt/format.h>
#include <lz4.h>
#include <snappy-c.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/inflate.h"
#include "wire/xxh32.h"

namespace moldau::wire {
namespace {

uint32_t load_le32(const uint8_t* p) {
  uint32_t v = load_be<uint32_t>(p);
  return std::byteswap(v);
}

class BlockDecoder : public Decoder {
 public:
  Result<void> fill(MutableBytes into, size_t& done) final {
    while (done < into.size()) {
      if (block_.empty()) {
        TRY(more, next_block());
        if (!more) break;
        continue;
      }
      size_t n = std::min(block_.size(), into.size() - done);
      std::memcpy(into.data() + done, block_.data(), n);
      block_ = block_.subspan(n);
      done += n;
    }
    return {};
  }

 protected:
  // Sets block_ to the next one, which may be empty. False: there is none.
  virtual Result<bool> next_block() = 0;
  void reset(Bytes in) {
    in_ = in;
    block_ = {};
    constexpr size_t kKeep = size_t{4} << 20;
    if (buffer_.capacity() > kKeep) std::vector<uint8_t>().swap(buffer_);
  }
  MutableBytes room(size_t n) {
    if (buffer_.size() < n) buffer_.resize(n);
    return MutableBytes(buffer_).first(n);
  }
  Bytes take(size_t n) {
    Bytes taken = in_.first(n);
    in_ = in_.subspan(n);
    return taken;
  }

  Bytes in_;
  Bytes block_;

 private:
  std::vector<uint8_t> buffer_;
};

// Java's library writes a header and then blocks with their lengths; everybody else one bare block.
class SnappyDecoder final : public BlockDecoder {
 public:
  Result<void> start(Bytes in, int8_t) override {
    reset(in);
    if (in_.empty()) return fail(Errc::corrupt, "snappy: nothing to decompress");
    bare_ = !starts_with_header();
    if (!bare_) TRY_(take_header());
    return {};
  }

 private:
  static constexpr uint8_t kMagic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
  static constexpr size_t kHeader = 16;  // magic, version, least version that can read it

  bool starts_with_header() const {
    return in_.size() >= sizeof kMagic && std::memcmp(in_.data(), kMagic, sizeof kMagic) == 0;
  }
  Result<void> take_header() {
    if (in_.size() < kHeader) return fail(Errc::corrupt, "snappy: header cut");
    int32_t version = load_be<int32_t>(take(kHeader).data() + sizeof kMagic);
    if (version < 1) return fail(Errc::corrupt, fmt::format("snappy: version {}", version));
    return {};
  }

  Result<bool> next_block() override {
    if (in_.empty()) return false;
    if (bare_) return uncompress(take(in_.size()));
    if (starts_with_header()) {  // streams one after the other
      TRY_(take_header());
      return true;
    }
    if (in_.size() < sizeof(int32_t)) return false;  // Java's reader ends there
    int32_t length = load_be<int32_t>(take(sizeof(int32_t)).data());
    if (length < 0 || static_cast<size_t>(length) > in_.size())
      return fail(Errc::corrupt,
                  fmt::format("snappy: block of {} bytes, {} are left", length, in_.size()));
    return uncompress(take(static_cast<size_t>(length)));
  }

  Result<bool> uncompress(Bytes block) {
    constexpr size_t kBest = 64;  // no tag says more bytes than this
    size_t size = 0;
    const char* in = reinterpret_cast<const char*>(block.data());
    if (snappy_uncompressed_length(in, block.size(), &size) != SNAPPY_OK ||
        size > block.size() * kBest)
      return fail(Errc::corrupt, "snappy: impossible length of a block");
    MutableBytes out = room(std::max<size_t>(size, 1));
    if (snappy_uncompress(in, block.size(), reinterpret_cast<char*>(out.data()), &size) !=
        SNAPPY_OK)
      return fail(Errc::corrupt, "snappy: corrupt block");
    block_ = out.first(size);
    return true;
  }

  bool bare_ = false;
};

// One lz4 frame of independent blocks. Kafka ignores the checksum of the content and what follows
// the frame; so does this. Messages of format 0 carry a wrong checksum of the header (KAFKA-3160),
// which nobody looks at.
class Lz4Decoder final : public BlockDecoder {
 public:
  Result<void> start(Bytes in, int8_t magic) override {
    reset(in);
    ended_ = false;
    constexpr size_t kLeast = 7;
    if (in_.size() < kLeast) return fail(Errc::corrupt, "lz4: frame header cut");
    if (load_le32(in_.data()) != 0x184D2204) return fail(Errc::corrupt, "lz4: no frame");
    uint8_t flags = in_[4], sizes = in_[5];
    TRY_(check_descriptor(flags, sizes));
    bool has_content_size = flags & 8;
    block_checksums_ = flags & 16;
    max_block_ = size_t{1} << (8 + 2 * (sizes >> 4));
    size_t descriptor = has_content_size ? 10 : 2;
    if (in_.size() < 4 + descriptor + 1) return fail(Errc::corrupt, "lz4: frame header cut");
    uint8_t sum = static_cast<uint8_t>(xxh32(in_.subspan(4, descriptor)) >> 8);
    if (magic > 0 && sum != in_[4 + descriptor])
      return fail(Errc::corrupt, "lz4: checksum of the frame header");
    take(4 + descriptor + 1);
    return {};
  }

 private:
  static Result<void> check_descriptor(uint8_t flags, uint8_t sizes) {
    if (flags >> 6 != 1) return fail(Errc::corrupt, fmt::format("lz4: version {}", flags >> 6));
    if (!(flags & 32)) return fail(Errc::corrupt, "lz4: blocks that depend on each other");
    if (flags & 3) return fail(Errc::corrupt, "lz4: reserved bits, or a dictionary");
    if (sizes & 0x8f || sizes >> 4 < 4)
      return fail(Errc::corrupt, fmt::format("lz4: block size {:02x}", sizes));
    return {};
  }

  Result<bool> next_block() override {
    constexpr uint32_t kStored = 0x80000000;
    if (ended_) return false;
    if (in_.size() < 4) return fail(Errc::corrupt, "lz4: cut before the end mark");
    uint32_t word = load_le32(take(4).data());
    if (word == 0) {
      ended_ = true;
      return false;
    }
    size_t size = word & ~kStored;
    size_t with_sum = size + (block_checksums_ ? 4 : 0);
    if (size > max_block_ || with_sum > in_.size())
      return fail(Errc::corrupt,
                  fmt::format("lz4: block of {} bytes, {} are left", size, in_.size()));
    Bytes block = take(size);
    if (block_checksums_ && load_le32(take(4).data()) != xxh32(block))
      return fail(Errc::corrupt, "lz4: checksum of a block");
    if (word & kStored) {
      block_ = block;
      return true;
    }
    return uncompress(block);
  }

  Result<bool> uncompress(Bytes block) {
    constexpr size_t kBest = 255;  // bytes that come of one
    MutableBytes out = room(std::min(max_block_, block.size() * kBest + 64));
    int n = LZ4_decompress_safe(reinterpret_cast<const char*>(block.data()),
                                reinterpret_cast<char*>(out.data()), static_cast<int>(block.size()),
                                static_cast<int>(out.size()));
    if (n < 0) return fail(Errc::corrupt, "lz4: corrupt block");
    block_ = out.first(static_cast<size_t>(n));
    return true;
  }

  size_t max_block_ = 0;
  bool block_checksums_ = false;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_snappy_decoder() { return std::make_unique<SnappyDecoder>(); }
std::unique_ptr<Decoder> make_lz4_decoder() { return std::make_unique<Lz4Decoder>(); }

}  // namespace moldau::wire
