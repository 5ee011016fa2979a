// Every message, every version: what is encoded is decoded again, and no received bytes do harm.
#include "wire/message.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "wire/fill.h"
#include "wire/info.h"

namespace moldau::wire {
namespace {

std::vector<uint8_t> bytes_of(const MessageInfo& info, const void* message, int16_t version) {
  Chain chain;
  encode_any(info, message, version, chain);
  return chain.flatten();
}

// Calls f(info, version, random) for every message and version, with a stream of its own for each.
template <class F>
void for_each_version(F f) {
  for (const MessageInfo* info : all_messages()) {
    for (int16_t v = info->min_version; v <= info->max_version; v++) {
      SCOPED_TRACE(fmt::format("{} v{}", info->name, v));
      Random random = Random(20240229).fork(info->name, static_cast<uint64_t>(v));
      f(*info, v, random);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(Message, SurvivesEncodingAndDecodingInEveryVersion) {
  size_t pairs = 0;
  for_each_version([&](const MessageInfo& info, int16_t v, Random& random) {
    pairs++;
    for (int round = 0; round < 5; round++) {
      Arena arena;
      const void* message = make_random(info, v, random, arena);
      std::vector<uint8_t> bytes = bytes_of(info, message, v);
      ASSERT_EQ(encoded_size(info, message, v), bytes.size());
      void* decoded = make_default(info, arena);
      Bytes rest;
      Result<void> done = decode_into(info, decoded, bytes, v, arena, &rest);
      ASSERT_TRUE(done) << done.error().to_string();
      ASSERT_TRUE(rest.empty());
      ASSERT_TRUE(info.same(message, decoded)) << print_any(info, message, v) << '\n'
                                               << print_any(info, decoded, v);
      ASSERT_EQ(bytes_of(info, decoded, v), bytes);
    }
  });
  EXPECT_GE(pairs, 150u);
}

TEST(Message, EqualityNoticesEveryDifferentByte) {
  for_each_version([&](const MessageInfo& info, int16_t v, Random& random) {
    Arena arena;
    std::vector<uint8_t> bytes = bytes_of(info, make_random(info, v, random, arena), v);
    void* original = make_default(info, arena);
    ASSERT_TRUE(decode_into(info, original, bytes, v, arena));
    for (size_t flips = 0; flips < 25 && !bytes.empty(); flips++) {
      size_t i = random.below(bytes.size());
      bytes[i] ^= 1;
      void* changed = make_default(info, arena);
      bool decoded = decode_into(info, changed, bytes, v, arena).has_value();
      // The same message again can only come from the same bytes, save for a boolean that is any
      // byte but 0.
      if (decoded && info.same(changed, original)) {
        ASSERT_EQ(bytes_of(info, changed, v), bytes_of(info, original, v));
      }
      bytes[i] ^= 1;
    }
  });
}

TEST(Message, CutAnywhereIsAnErrorThatNamesTheField) {
  for_each_version([&](const MessageInfo& info, int16_t v, Random& random) {
    Arena arena;
    std::vector<uint8_t> bytes = bytes_of(info, make_random(info, v, random, arena), v);
    size_t step = 1 + bytes.size() / 100;
    for (size_t n = 0; n < bytes.size(); n += step) {
      std::vector<uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
      Arena scratch;
      void* decoded = make_default(info, scratch);
      Result<void> done = decode_into(info, decoded, cut, v, scratch);
      ASSERT_FALSE(done) << n << " of " << bytes.size();
      EXPECT_EQ(done.error().code(), Errc::truncated) << done.error().to_string();
      EXPECT_EQ(done.error().text().find(fmt::format("{} v{}: ", info.name, v)), 0u)
          << done.error().text();
    }
  });
}

// The memory that decoding takes is bounded by what was received: a few dozen bytes for each byte
// at worst.
TEST(Message, RandomBytesNeverTakeMoreMemoryThanTheyPayFor) {
  constexpr size_t kFactor = 64, kMessage = 512;
  for_each_version([&](const MessageInfo& info, int16_t v, Random& random) {
    for (int round = 0; round < 5; round++) {
      Arena source;
      std::vector<uint8_t> bytes = bytes_of(info, make_random(info, v, random, source), v);
      for (uint8_t& b : bytes)
        if (random.one_in(8)) b = random.one_in(2) ? 0xff : static_cast<uint8_t>(random.next());
      Arena arena;
      void* decoded = make_default(info, arena);
      if (decode_into(info, decoded, bytes, v, arena))
        EXPECT_FALSE(print_any(info, decoded, v).empty());
      ASSERT_LE(arena.bytes_used(), bytes.size() * kFactor + kMessage) << bytes.size() << " bytes";
    }
  });
}

TEST(Message, HugeCountsAllocateNothing) {
  const std::vector<std::vector<uint8_t>> starts = {std::vector<uint8_t>(64, 0x7f),
                                                    std::vector<uint8_t>(64, 0xff),
                                                    {0xff, 0xff, 0xff, 0xff, 0x0f}};
  for_each_version([&](const MessageInfo& info, int16_t v, Random&) {
    for (const std::vector<uint8_t>& start : starts) {
      Arena arena;
      void* decoded = make_default(info, arena);
      size_t before = arena.bytes_used();
      (void)decode_into(info, decoded, start, v, arena);
      EXPECT_LE(arena.bytes_used() - before, 64 * start.size());
    }
  });
}

TEST(Message, UnknownVersionsAreRefused) {
  for (const MessageInfo* info : all_messages()) {
    for (int v : {info->min_version - 1, info->max_version + 1}) {
      Arena arena;
      void* decoded = make_default(*info, arena);
      Result<void> done = decode_into(*info, decoded, {}, static_cast<int16_t>(v), arena);
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error().code(), Errc::unsupported);
    }
  }
}

}  // namespace
}  // namespace moldau::wire
