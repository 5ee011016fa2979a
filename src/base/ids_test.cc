#include "base/ids.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "base/bytes.h"
#include "base/random.h"

namespace moldau {
namespace {

// Ids of different spaces do not mix, and nothing converts by itself.
static_assert(!std::is_convertible_v<int32_t, BrokerId>);
static_assert(!std::is_convertible_v<BrokerId, int32_t>);
static_assert(!std::is_constructible_v<BrokerId, PartitionIndex>);
static_assert(std::is_same_v<decltype(Offset(5) - Offset(2)), int64_t>);
static_assert(std::is_same_v<decltype(Offset(5) - 2), Offset>);

TEST(Offset, CountsAndCompares) {
  Offset at(10);
  at += 5;
  EXPECT_EQ(at, Offset(15));
  EXPECT_EQ(at - Offset(10), 5);
  EXPECT_EQ(at - 1, Offset(14));
  EXPECT_LT(at, at + 1);
  EXPECT_EQ(fmt::format("{} {:>4}", at, LeaderEpoch(-1)), "15   -1");
}

Uuid from_halves(uint64_t high, uint64_t low) {
  Uuid out;
  store_be(out.bytes.data(), high);
  store_be(out.bytes.data() + 8, low);
  return out;
}

struct Printed {
  uint64_t high, low;
  const char* text;
};
// As org.apache.kafka.common.Uuid of Kafka 4.3.1 prints them.
constexpr Printed kPrinted[] = {
    {0, 0, "AAAAAAAAAAAAAAAAAAAAAA"},
    {0, 1, "AAAAAAAAAAAAAAAAAAAAAQ"},  // the topic id of __cluster_metadata
    {1, 0, "AAAAAAAAAAEAAAAAAAAAAA"},
    {0xffffffffffffffff, 0xffffffffffffffff, "_____________________w"},
    {0x0123456789abcdef, 0xfedcba9876543210, "ASNFZ4mrze_-3LqYdlQyEA"},
    {0x8000000000000000, 0x7fffffffffffffff, "gAAAAAAAAAB__________w"},
    {0xfbefbefbefbefbef, 0xbefbefbefbefbefb, "---------------------w"},
    {0xfffefdfcfbfaf9f8, 0xf7f6f5f4f3f2f1f0, "__79_Pv6-fj39vX08_Lx8A"},
};

TEST(Uuid, PrintsAndReadsAsKafkaDoes) {
  for (const Printed& p : kPrinted) {
    Uuid uuid = from_halves(p.high, p.low);
    EXPECT_EQ(uuid.to_string(), p.text);
    EXPECT_EQ(Uuid::parse(p.text).value(), uuid) << p.text;
  }
}

TEST(Uuid, ReadsWhatItPrints) {
  Random random(5);
  for (int i = 0; i < 1000; i++) {
    uint64_t high = random.next();
    Uuid uuid = from_halves(high, random.next());
    ASSERT_EQ(Uuid::parse(uuid.to_string()).value(), uuid);
  }
}

TEST(Uuid, IsAsLenientAndAsStrictAsKafka) {
  Uuid one = from_halves(0, 1);
  // Spare bits of the last character are ignored, and padding is allowed.
  for (const char* text : {"AAAAAAAAAAAAAAAAAAAAAQ", "AAAAAAAAAAAAAAAAAAAAAQ==",
                           "AAAAAAAAAAAAAAAAAAAAAR", "AAAAAAAAAAAAAAAAAAAAAf"})
    EXPECT_EQ(Uuid::parse(text).value(), one) << text;
  EXPECT_EQ(Uuid::parse("MkU3OEVBNTcwNTJENDM2Qk").value().to_string(), "MkU3OEVBNTcwNTJENDM2Qg");
  for (const char* text :
       {"", "AAAAAAAAAAAAAAAAAAAAAQ=", "AAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA+Q",
        "AAAAAAAAAAAAAAAAAAAA Q", "AAAAAAAAAAAAAAAAAAAAAQ===", "=AAAAAAAAAAAAAAAAAAAAAQ="})
    EXPECT_EQ(Uuid::parse(text).error().code(), Errc::invalid) << text;
}

TEST(Uuid, KnowsZero) {
  EXPECT_TRUE(Uuid{}.is_zero());
  EXPECT_FALSE(from_halves(0, 1).is_zero());
  EXPECT_LT(from_halves(0, 1), from_halves(1, 0));
}

}  // namespace
}  // namespace moldau
