#include "wire/inflate.h"

#include <fmt/format.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"

namespace moldau::wire {

namespace {

class PlainDecoder final : public Decoder {
 public:
  Result<void> start(Bytes in, int8_t) override {
    in_ = in;
    return {};
  }
  Result<void> fill(MutableBytes into, size_t& done) override {
    done = std::min(into.size(), in_.size());
    if (done > 0) std::memcpy(into.data(), in_.data(), done);
    in_ = in_.subspan(done);
    return {};
  }

 private:
  Bytes in_;
};

// One or more gzip members. What follows the last one and is no member is ignored, as Java's reader
// does.
class GzipDecoder final : public Decoder {
 public:
  ~GzipDecoder() override {
    if (ready_) inflateEnd(&stream_);
  }
  Result<void> start(Bytes in, int8_t) override {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    int code = ready_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzipOnly);
    if (code != Z_OK) return fail(Errc::exhausted, "no memory for a gzip decoder");
    ready_ = true;
    ended_ = false;
    stream_.next_in = in.data();
    stream_.avail_in = static_cast<uInt>(in.size());
    return {};
  }
  Result<void> fill(MutableBytes into, size_t& done) override {
    constexpr size_t kMost = std::numeric_limits<uInt>::max() / 2;
    stream_.next_out = into.data();
    stream_.avail_out = static_cast<uInt>(std::min(into.size(), kMost));
    while (!ended_ && stream_.avail_out > 0) {
      int code = ::inflate(&stream_, Z_NO_FLUSH);
      done = static_cast<size_t>(stream_.next_out - into.data());
      if (code == Z_STREAM_END) {
        TRY_(next_member());
      } else if (code != Z_OK || (stream_.avail_in == 0 && stream_.avail_out > 0)) {
        return fail(Errc::corrupt, fmt::format("gzip: {}", stream_.msg ? stream_.msg : "cut"));
      }
    }
    return {};
  }

 private:
  Result<void> next_member() {
    constexpr uint8_t kMagic[] = {0x1f, 0x8b, 8};
    ended_ = stream_.avail_in < sizeof kMagic ||
             std::memcmp(stream_.next_in, kMagic, sizeof kMagic) != 0;
    if (!ended_ && inflateReset(&stream_) != Z_OK) return fail(Errc::corrupt, "gzip: no reset");
    return {};
  }

  z_stream stream_ = {};
  bool ready_ = false;
  bool ended_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }
  Result<void> start(Bytes in, int8_t) override {
    constexpr size_t kKeep = size_t{16} << 20;  // a context with a larger window is not kept
    if (context_ && ZSTD_sizeof_DCtx(context_) > kKeep) {
      ZSTD_freeDCtx(context_);
      context_ = nullptr;
    }
    if (!context_) context_ = ZSTD_createDCtx();
    if (!context_) return fail(Errc::exhausted, "no memory for a zstd decoder");
    ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    in_ = {in.data(), in.size(), 0};
    whole_ = true;  // nothing at all is an end too, as Java's reader has it
    return {};
  }
  Result<void> fill(MutableBytes into, size_t& done) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos < out.size && !(whole_ && in_.pos == in_.size)) {
      size_t in_before = in_.pos, out_before = out.pos;
      if (whole_) begin_frame();
      size_t hint = ZSTD_decompressStream(context_, &out, &in_);
      done = out.pos;
      if (ZSTD_isError(hint))
        return fail(Errc::corrupt, fmt::format("zstd: {}", ZSTD_getErrorName(hint)));
      whole_ = hint == 0;
      left_ -= out.pos - out_before;
      if (whole_ && claimed_ && left_ != 0)
        return fail(Errc::corrupt, "zstd: a frame of another size than it says");
      bool stuck = in_.pos == in_before && out.pos == out_before;
      if (!whole_ && stuck) return fail(Errc::corrupt, "zstd: cut");
    }
    return {};
  }

 private:
  // The library looks at the size that a frame names only if the whole of it fits into what it is
  // given: the same bytes would be good or bad by the steps of the reader.
  void begin_frame() {
    const auto* from = static_cast<const uint8_t*>(in_.src) + in_.pos;
    unsigned long long size = ZSTD_getFrameContentSize(from, in_.size - in_.pos);
    claimed_ = size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR;
    left_ = claimed_ ? size : 0;
  }

  ZSTD_DCtx* context_ = nullptr;
  ZSTD_inBuffer in_ = {};
  bool claimed_ = false;         // the frame says its size
  unsigned long long left_ = 0;  // of that, still to come
  bool whole_ = false;           // a frame has just ended
};

std::unique_ptr<Decoder> make_decoder(Codec codec) {
  switch (codec) {
    case Codec::none:
      return std::make_unique<PlainDecoder>();
    case Codec::gzip:
      return std::make_unique<GzipDecoder>();
    case Codec::snappy:
      return make_snappy_decoder();
    case Codec::lz4:
      return make_lz4_decoder();
    case Codec::zstd:
      return std::make_unique<ZstdDecoder>();
  }
  return nullptr;
}

constexpr std::string_view kNames[] = {"none", "gzip", "snappy", "lz4", "zstd"};

}  // namespace

std::string_view codec_name(Codec codec) {
  size_t index = static_cast<size_t>(codec);
  return index < std::size(kNames) ? kNames[index] : "an unknown codec";
}

std::optional<Codec> codec_of_name(std::string_view name) {
  auto found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Codec>(found - std::begin(kNames));
}

Result<size_t> Decoder::read(MutableBytes into) {
  if (failure_) return *failure_;
  size_t done = 0;
  Result<void> filled = fill(into, done);
  if (filled) return done;
  failure_ = std::move(filled.error());
  if (done == 0) return *failure_;
  return done;
}

Inflater::~Inflater() = default;

Result<void> Inflater::begin(Codec codec, int8_t magic, Bytes in) {
  current_ = nullptr;
  size_t index = static_cast<size_t>(codec);
  if (index >= decoders_.size())
    return fail(Errc::unsupported, fmt::format("compression {} does not exist", index));
  if (!decoders_[index]) decoders_[index] = make_decoder(codec);
  total_ = 0;
  limit_ = std::max(limits_.least,
                    in.size() > SIZE_MAX / limits_.ratio ? SIZE_MAX : in.size() * limits_.ratio);
  TRY_(decoders_[index]->begin(in, magic));
  current_ = decoders_[index].get();
  return {};
}

Result<size_t> Inflater::read(MutableBytes into) {
  CHECK(current_ && !into.empty(), "read without begin, or of nothing");
  TRY(n, current_->read(into));
  total_ += n;
  if (total_ > limit_)
    return fail(Errc::too_large,
                fmt::format("compressed records grow to more than {} bytes", limit_));
  return n;
}

Result<std::vector<uint8_t>> inflate_all(Inflater& inflater, Codec codec, int8_t magic, Bytes in) {
  constexpr size_t kLeastStep = 4096;
  TRY_(inflater.begin(codec, magic, in));
  std::vector<uint8_t> out;
  size_t size = 0;
  for (;;) {
    if (out.size() - size < kLeastStep) out.resize(std::max(kLeastStep, out.size() * 2));
    TRY(n, inflater.read(MutableBytes(out).subspan(size)));
    if (n == 0) break;
    size += n;
  }
  out.resize(size);
  return out;
}

}  // namespace moldau::wire
