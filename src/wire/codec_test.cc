// Every codec in both directions, and against damaged and hostile input.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "wire/compress.h"
#include "wire/inflate.h"
#include "wire/xxh32.h"

namespace moldau::wire {
namespace {

constexpr Codec kAll[] = {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

std::vector<uint8_t> text_of(size_t size, uint64_t seed, uint64_t letters) {
  Random random(seed);
  std::vector<uint8_t> out(size);
  for (uint8_t& b : out) b = static_cast<uint8_t>(random.below(letters));
  return out;
}
std::vector<uint8_t> packed(Codec codec, int level, Bytes in, int8_t magic = 2) {
  std::vector<uint8_t> out;
  compress(codec, level, magic, in, out);
  return out;
}
Errc error_of(Codec codec, Bytes in, int8_t magic = 2) {
  Inflater inflater;
  auto out = inflate_all(inflater, codec, magic, in);
  return out ? Errc::closed : out.error().code();
}

TEST(Codecs, GiveBackWhatWentIn) {
  Inflater inflater;
  for (Codec codec : kAll) {
    LevelRange range = level_range(codec);
    for (int level : {range.usual, range.least, range.most}) {
      for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{70'001}}) {
        if (size > 100 && level != range.usual) continue;  // slow
        for (uint64_t letters : {uint64_t{3}, uint64_t{256}}) {
          std::vector<uint8_t> in = text_of(size, size + letters, letters);
          auto out = inflate_all(inflater, codec, 2, packed(codec, level, in));
          ASSERT_TRUE(out) << codec_name(codec) << " " << out.error().to_string();
          EXPECT_TRUE(equal(*out, in)) << codec_name(codec) << " level " << level << " " << size;
        }
      }
    }
  }
}

TEST(Codecs, CanBeReadInSmallSteps) {
  std::vector<uint8_t> in = text_of(10'000, 1, 5);
  for (Codec codec : kAll) {
    std::vector<uint8_t> block = packed(codec, level_range(codec).usual, in);
    Inflater inflater;
    ASSERT_TRUE(inflater.begin(codec, 2, block));
    std::vector<uint8_t> out;
    for (size_t step = 1;; step = step % 97 + 1) {
      std::vector<uint8_t> some(step);
      auto n = inflater.read(some);
      ASSERT_TRUE(n) << n.error().to_string();
      if (*n == 0) break;
      out.insert(out.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(*n));
    }
    EXPECT_EQ(out, in) << codec_name(codec);
    EXPECT_EQ(inflater.total(), in.size());
  }
}

TEST(Codecs, RefuseWhatIsCutAnywhere) {
  std::vector<uint8_t> in = text_of(3000, 2, 4);
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    std::vector<uint8_t> block = packed(codec, level_range(codec).usual, in);
    for (size_t n = 0; n < block.size(); n++) {
      // Where Java's readers see an ordinary end.
      bool no_block = codec == Codec::snappy ? n >= 16 && n < 20 : codec == Codec::zstd && n == 0;
      EXPECT_EQ(error_of(codec, Bytes(block).first(n)), no_block ? Errc::closed : Errc::corrupt)
          << codec_name(codec) << " cut after " << n;
    }
  }
}

TEST(Codecs, NeverReadOutsideOfDamagedInput) {
  Random random(3);
  std::vector<uint8_t> in = text_of(5000, 3, 4);
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    const std::vector<uint8_t> block = packed(codec, level_range(codec).usual, in);
    int errors = 0;
    for (int round = 0; round < 200; round++) {
      std::vector<uint8_t> damaged = block;
      damaged[random.below(damaged.size())] ^= static_cast<uint8_t>(1 + random.below(255));
      errors += error_of(codec, damaged) != Errc::closed;
    }
    EXPECT_GT(errors, 50) << codec_name(codec);
  }
}

TEST(Codecs, BareSnappyIsReadToo) {
  std::vector<uint8_t> in = text_of(20'000, 4, 4);
  std::vector<uint8_t> framed = packed(Codec::snappy, 0, in);
  Bytes bare = Bytes(framed).subspan(20);  // one block, without header and length
  Inflater inflater;
  auto out = inflate_all(inflater, Codec::snappy, 2, bare);
  ASSERT_TRUE(out) << out.error().to_string();
  EXPECT_EQ(*out, in);
}

TEST(Codecs, SnappyThatClaimsMuchGetsNoMemory) {
  const uint8_t claim[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0};  // 4 GiB out of one byte
  EXPECT_EQ(error_of(Codec::snappy, claim), Errc::corrupt);
}

TEST(Codecs, OldLz4HeadersHaveTheirOwnChecksum) {
  std::vector<uint8_t> in = text_of(1000, 5, 4);
  std::vector<uint8_t> old = packed(Codec::lz4, 9, in, 0), right = packed(Codec::lz4, 9, in, 1);
  EXPECT_NE(old[6], right[6]);
  EXPECT_EQ(error_of(Codec::lz4, old, 0), Errc::closed);
  EXPECT_EQ(error_of(Codec::lz4, right, 0), Errc::closed);
  EXPECT_EQ(error_of(Codec::lz4, right, 1), Errc::closed);
  EXPECT_EQ(error_of(Codec::lz4, old, 1), Errc::corrupt);
  EXPECT_EQ(error_of(Codec::lz4, old, 2), Errc::corrupt);
}

TEST(Codecs, BombsAreErrors) {
  std::vector<uint8_t> in(4 << 20, 0);
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    std::vector<uint8_t> block = packed(codec, level_range(codec).usual, in);
    Inflater small({.ratio = 2, .least = 1 << 20});
    auto out = inflate_all(small, codec, 2, block);
    ASSERT_FALSE(out) << codec_name(codec);
    EXPECT_EQ(out.error().code(), Errc::too_large);
  }
}

TEST(Codecs, GzipMembersFollowEachOtherAndRubbishBehindIsIgnored) {
  std::vector<uint8_t> in = text_of(500, 6, 4);
  std::vector<uint8_t> block = packed(Codec::gzip, -1, in);
  compress(Codec::gzip, -1, 2, in, block);
  block.push_back('x');
  Inflater inflater;
  auto out = inflate_all(inflater, Codec::gzip, 2, block);
  ASSERT_TRUE(out) << out.error().to_string();
  EXPECT_EQ(out->size(), 2 * in.size());
}

TEST(Codecs, LevelsHaveKafkasRanges) {
  EXPECT_TRUE(check_level(Codec::gzip, -1));
  EXPECT_TRUE(check_level(Codec::gzip, 9));
  EXPECT_FALSE(check_level(Codec::gzip, 0));
  EXPECT_FALSE(check_level(Codec::gzip, 10));
  EXPECT_TRUE(check_level(Codec::lz4, 17));
  EXPECT_FALSE(check_level(Codec::lz4, 18));
  EXPECT_TRUE(check_level(Codec::zstd, -131072));
  EXPECT_FALSE(check_level(Codec::zstd, 23));
}

TEST(Codecs, HaveKafkasNames) {
  for (Codec codec : kAll) EXPECT_EQ(codec_of_name(codec_name(codec)), codec);
  EXPECT_EQ(codec_of_name("producer"), std::nullopt);
  EXPECT_EQ(codec_name(static_cast<Codec>(7)), "an unknown codec");
}

TEST(Xxh32, GivesThePublishedValues) {
  EXPECT_EQ(xxh32({}), 0x02CC5D05u);
  EXPECT_EQ(xxh32(as_bytes("abc")), 0x32D153FFu);
  EXPECT_EQ(xxh32(as_bytes("Nobody inspects the spammish repetition")), 0xE2293B2Fu);
}

}  // namespace
}  // namespace moldau::wire
