#include "wire/compress.h"

#include <fmt/format.h>
#include <lz4.h>
#include <lz4hc.h>
#include <snappy-c.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "base/check.h"
#include "wire/xxh32.h"

namespace moldau::wire {
namespace {

constexpr int kGzipUsual = Z_DEFAULT_COMPRESSION;
constexpr int kLz4Usual = 9;

void put_le32(uint8_t* p, uint32_t v) { store_be(p, std::byteswap(v)); }

// Room for n more bytes at the end; the caller says how many of them stay.
class Tail {
 public:
  Tail(std::vector<uint8_t>& out, size_t n) : out_(out), before_(out.size()) {
    out_.resize(before_ + n);
  }
  uint8_t* data() { return out_.data() + before_; }
  size_t size() const { return out_.size() - before_; }
  void keep(size_t n) { out_.resize(before_ + n); }

 private:
  std::vector<uint8_t>& out_;
  size_t before_;
};

void gzip(int level, Bytes in, std::vector<uint8_t>& out) {
  constexpr int kGzip = 16 + MAX_WBITS, kMemory = 8;
  z_stream stream = {};
  int code = deflateInit2(&stream, level, Z_DEFLATED, kGzip, kMemory, Z_DEFAULT_STRATEGY);
  CHECK(code == Z_OK, "deflateInit2: {}", code);
  Tail tail(out, deflateBound(&stream, in.size()));
  stream.next_in = in.data();
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = tail.data();
  stream.avail_out = static_cast<uInt>(tail.size());
  code = deflate(&stream, Z_FINISH);
  CHECK(code == Z_STREAM_END, "deflate: {}", code);
  tail.keep(stream.total_out);
  deflateEnd(&stream);
}

void snappy(Bytes in, std::vector<uint8_t>& out) {
  constexpr uint8_t kHeader[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1};
  constexpr size_t kBlock = 32 << 10;
  out.insert(out.end(), std::begin(kHeader), std::end(kHeader));
  while (!in.empty()) {
    Bytes block = in.first(std::min(in.size(), kBlock));
    in = in.subspan(block.size());
    size_t size = snappy_max_compressed_length(block.size());
    Tail tail(out, 4 + size);
    auto status = snappy_compress(reinterpret_cast<const char*>(block.data()), block.size(),
                                  reinterpret_cast<char*>(tail.data()) + 4, &size);
    CHECK(status == SNAPPY_OK, "snappy_compress: {}", static_cast<int>(status));
    store_be(tail.data(), static_cast<int32_t>(size));
    tail.keep(4 + size);
  }
}

// The usual level is lz4's fast compressor; every other one the thorough one with that level.
int lz4_block(int level, Bytes in, uint8_t* out, size_t room) {
  const char* from = reinterpret_cast<const char*>(in.data());
  char* to = reinterpret_cast<char*>(out);
  int size = static_cast<int>(in.size()), most = static_cast<int>(room);
  return level == kLz4Usual ? LZ4_compress_default(from, to, size, most)
                            : LZ4_compress_HC(from, to, size, most, level);
}

void lz4(int level, int8_t magic, Bytes in, std::vector<uint8_t>& out) {
  constexpr size_t kBlock = 64 << 10;
  constexpr uint32_t kStored = 0x80000000;
  uint8_t header[7] = {0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0};
  // Format 0 takes in the frame's magic, as the first Java clients did (KAFKA-3160).
  Bytes summed = magic == 0 ? Bytes(header).first(6) : Bytes(header).subspan(4, 2);
  header[6] = static_cast<uint8_t>(xxh32(summed) >> 8);
  out.insert(out.end(), std::begin(header), std::end(header));
  while (!in.empty()) {
    Bytes block = in.first(std::min(in.size(), kBlock));
    in = in.subspan(block.size());
    Tail tail(out, 4 + block.size());
    int n = lz4_block(level, block, tail.data() + 4, block.size() - 1);
    if (n > 0) {
      put_le32(tail.data(), static_cast<uint32_t>(n));
      tail.keep(4 + static_cast<size_t>(n));
    } else {
      put_le32(tail.data(), static_cast<uint32_t>(block.size()) | kStored);
      std::copy(block.begin(), block.end(), tail.data() + 4);
    }
  }
  put_le32(Tail(out, 4).data(), 0);
}

void zstd(int level, Bytes in, std::vector<uint8_t>& out) {
  Tail tail(out, ZSTD_compressBound(in.size()));
  size_t n = ZSTD_compress(tail.data(), tail.size(), in.data(), in.size(), level);
  CHECK(!ZSTD_isError(n), "ZSTD_compress: {}", ZSTD_getErrorName(n));
  tail.keep(n);
}

}  // namespace

LevelRange level_range(Codec codec) {
  switch (codec) {
    case Codec::gzip:
      return {1, Z_BEST_COMPRESSION, kGzipUsual};
    case Codec::lz4:
      return {1, 17, kLz4Usual};
    case Codec::zstd:
      return {ZSTD_minCLevel(), ZSTD_maxCLevel(), ZSTD_CLEVEL_DEFAULT};
    case Codec::none:
    case Codec::snappy:
      break;
  }
  return {};
}

Result<void> check_level(Codec codec, int level) {
  LevelRange range = level_range(codec);
  if (level == range.usual || (level >= range.least && level <= range.most)) return {};
  return fail(Errc::invalid, fmt::format("level {} of {} is outside of {} to {}", level,
                                         codec_name(codec), range.least, range.most));
}

void compress(Codec codec, int level, int8_t magic, Bytes in, std::vector<uint8_t>& out) {
  LevelRange range = level_range(codec);
  if (level != range.usual) level = std::clamp(level, range.least, range.most);
  switch (codec) {
    case Codec::none:
      out.insert(out.end(), in.begin(), in.end());
      break;
    case Codec::gzip:
      gzip(level, in, out);
      break;
    case Codec::snappy:
      snappy(in, out);
      break;
    case Codec::lz4:
      lz4(level, magic, in, out);
      break;
    case Codec::zstd:
      zstd(level, in, out);
      break;
  }
}

}  // namespace moldau::wire
